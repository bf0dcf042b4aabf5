#pragma once
#include <Eigen/Core>
#include <memory>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/lasting_root.hpp"
#include "dynamics/root_under_signal.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

/// What Adam, RMSprop and AdaGrad have in common, as a filter, a decay of squares and a floor under
/// the root.
struct Adaptive {
  const char* name;
  int batch;
  Filter filter;
  RootOfSquares root;
  double eps;
};

/// What is known of noise and signal at a risk: of a memory that fades, or of all squares so far.
class AdaptiveResponse {
 public:
  /// spread: whether the signal is spread over coordinates, and V their mean; floor: eps over the
  /// root of a typical K_jj.
  AdaptiveResponse(const NoiseLaw& noise, const Adaptive& of, GradientOf entries, bool spread,
                   double floor);

  AdaptiveNoise noise(double risk, double steps = HUGE_VAL) const;
  /// What batches share, through the linear part of the noise.
  SharedNoise shared(const Now& now) const;
  double power(const Now& now) const { return noise(now.risk).power; }
  /// Of noise without a variance; else empty.
  std::function<RootTilts(const Now&, double)> tilts() const;
  /// Of a signal that stands in its own coordinate's squares.
  Eigen::ArrayXd under(const Eigen::ArrayXd& share, double steps) const {
    return under_own_(share, steps);
  }
  /// ModeSystem::response: the drift A, and the noises before and after the map.
  Response operator()(const Now& now) const;
  /// The shape of what is not linear between coordinates: C(rho) - C_0 rho, over its value at 1.
  double rest(double rho) const;

 private:
  bool filtered_, spread_;
  double floor_;
  double variance_ = 0, batch_ = 1;
  double variance_of_v_ = 0;  // of large batches, over its mean squared
  RootUnderSignal under_own_, under_spread_;
  std::shared_ptr<const AdaptiveLaw> law_;
  std::shared_ptr<const SteadyScalars> steady_;
  std::shared_ptr<const LastingRoot> lasting_;
};

Adaptive adaptive(const Adam& adam);
Adaptive adaptive(const RmsProp& rmsprop);
Adaptive adaptive(const AdaGrad& adagrad);

}  // namespace riskcurve
