#pragma once
#include <memory>
#include <utility>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/memo.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// Of RootTilts after some steps, at one risk: how far u moves in a step, times the steps.
struct TiltTable {
  Eigen::MatrixXd drift;
  Eigen::ArrayXd shift;
};

/// RootTilts of a running mean of squares without a variance, by the integrals of adaptive.md: of a
/// coordinate's own v, or, `shared`, of what v is given the batches alone. Between steps 1, 2, 4,
/// .. and powers of 16 of R on lines of logarithms; 1e-2 of what they say.
class LastingRoot {
 public:
  LastingRoot(std::shared_ptr<const AdaptiveLaw> law, bool shared)
      : law_(std::move(law)), shared_(shared) {}
  RootTilts operator()(const Now& now, double steps) const;

 private:
  std::shared_ptr<const TiltTable> at(int power_of_16, int power_of_2) const;

  std::shared_ptr<const AdaptiveLaw> law_;
  bool shared_;
  using Tables = Memo<std::pair<int, int>, TiltTable>;
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

}  // namespace riskcurve
