#include "dynamics/adaptive_response.hpp"

#include <cmath>
#include <tuple>

#include "dynamics/gradient_modes.hpp"
#include "dynamics/memo.hpp"

namespace riskcurve {
namespace {

constexpr double kNoSignal = 1e-5;  // of the noise: does nothing beside the root

LagWeights weights_of(const Filter& filter) {
  return {filter.momentum, filter.share_of(filter.momentum)};
}

/// A of t squares so far, over the root of their sum: tends to 1.
double all_squares(double t) {
  return t > 1e4
             ? 1
             : std::sqrt(t / 2) * std::exp(std::lgamma(0.5 * (t + 1)) - std::lgamma(0.5 * t + 1));
}

}  // namespace

AdaptiveResponse::AdaptiveResponse(const NoiseLaw& noise, const Adaptive& of, GradientOf entries,
                                   bool spread, double floor)
    : filtered_(of.filter.momentum > 0),
      spread_(spread),
      floor_(floor),
      under_own_(weights_of(of.filter), of.root.keep, false),
      under_spread_(weights_of(of.filter), of.root.keep, true) {
  if (of.root.keep == 1) {
    check_variance(noise, "a finite variance for adagrad: its sum of squares does not settle");
    variance_ = noise.variance;
    batch_ = of.batch;
    return;
  }
  const LagWeights weights = weights_of(of.filter);
  law_ = std::make_shared<const AdaptiveLaw>(noise, of.batch, entries, weights, of.root.keep);
  static Memo<std::tuple<double, double, double, double>, SteadyScalars> steady;
  steady_ = steady({weights.beta, weights.first, weights.later, of.root.keep},
                   [&] { return SteadyScalars(weights, of.root.keep); });
  variance_of_v_ = 2 * (1 - of.root.keep) / (1 + of.root.keep);
  if (std::isinf(noise.variance)) lasting_ = std::make_shared<const LastingRoot>(law_, spread);
}

AdaptiveNoise AdaptiveResponse::noise(double risk, double steps) const {
  if (law_) return (*law_)(risk, steps);
  return {(2 * risk + variance_) / batch_, {1, 1, 1}};
}

SharedNoise AdaptiveResponse::shared(const Now& now) const {
  const AdaptiveNoise at = noise(now.risk);
  const SharedNoise of = law_->shared(now.risk);
  const double share = at.scalars.linear / at.scalars.noise;
  return {of.progress_variance, of.covariance * share, of.size_variance * share * share};
}

std::function<RootTilts(const Now&, double)> AdaptiveResponse::tilts() const {
  if (!lasting_) return nullptr;
  return [lasting = lasting_](const Now& now, double steps) { return (*lasting)(now, steps); };
}

Response AdaptiveResponse::operator()(const Now& now) const {
  const double steps = now.time + 1;
  const AdaptiveNoise at = noise(now.risk, steps);
  const AdaptiveScalars& scalars = at.scalars;
  // What signal and start do to the root, as far as the root is more than eps.
  double about_root = steady_ ? at.started : all_squares(steps);
  const double kappa = spread_ ? now.signal / at.power : 0;
  if (kappa > kNoSignal) about_root *= under_spread_(kappa, steps);
  const double root = std::sqrt(at.power * (1 + kappa));
  // How much of what is divided by moves with v; A of that, to second order in what v does.
  const double moves = root / (root + floor_);
  const double slope =
      std::pow(scalars.gain, moves) * std::exp(-0.25 * moves * (1 - moves) * variance_of_v_);
  const double now_linear = slope * std::pow(at.started, moves);  // with the start, without signal
  const double of_v = moves * moves / std::pow(scalars.gain * at.started, 2);
  const double linear = 1 + of_v * scalars.linear * at.passed - moves * moves,
               rest = of_v * (scalars.noise - scalars.linear);
  const double plain = now_linear * now_linear * at.power;
  // A filter has the noise that is linear in it pass with the gain.
  return {Eigen::ArrayXd::Constant(1, slope * std::pow(about_root, moves)),
          Eigen::Array2d(linear * (filtered_ ? at.power : plain), rest * plain)};
}

double AdaptiveResponse::rest(double rho) const {
  if (!steady_) return 0;
  const AdaptiveScalars at = steady_->scalars();
  return (steady_->noise_between(rho) - at.linear * rho) / (at.noise - at.linear);
}

}  // namespace riskcurve
