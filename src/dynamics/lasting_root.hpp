#pragma once
#include <memory>

#include "dynamics/entry_transform.hpp"
#include "dynamics/filtered_sign.hpp"
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
  LastingRoot(const NoiseLaw& noise, int batch, GradientOf entries, const LagWeights& weights,
              double beta2, bool shared);
  RootTilts operator()(const Now& now, double steps) const;

 private:
  struct Law;
  std::shared_ptr<const Law> law_;
};

}  // namespace riskcurve
