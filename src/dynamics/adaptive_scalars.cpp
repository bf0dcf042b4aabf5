#include "dynamics/adaptive_scalars.hpp"

#include <cmath>

#include "dynamics/lag_sums.hpp"

namespace riskcurve {

/// q = 1: psi = (1 + 2x)^(-1/2), X = Y = 1/(1 + 2x). Explicit while 2 s u_k > 0.05, then Taylor's
/// series, its powers of u summed over all later lags.
SumsOverLags steady_sums(double s, const LagWeights& weights, double beta2) {
  SumsOverLags sums;
  double z = 2 * s * (1 - beta2), w = weights.first, v = before_first(weights), product = 1;
  bool first = true;
  while (z > 0.05) {
    const double over = 1 / (1 + z);
    product *= over;
    if (product < 1e-100) sums.log_phi += 0.5 * std::log(product), product = 1;
    sums.slope += w * over;
    sums.square += w * w * over;
    sums.cross += w * v * over;
    sums.share += z * over;
    z *= beta2;
    w = first ? weights.later : w * weights.beta;
    v *= weights.beta;
    first = false;
  }
  sums.log_phi += 0.5 * std::log(product);
  // The weights from here on: the first of them may still be w_0.
  const double b = weights.beta;
  const double rest = first ? weights.later : w * b;  // the one after
  double power = 1, decay2 = 1;                       // (-z)^m and beta2^m
  for (int m = 0; m < 12; ++m) {
    if (m > 0) {
      sums.log_phi += 0.5 * power / (m * (1 - decay2));
      sums.share -= power / (1 - decay2);
    }
    sums.slope += power * (w + rest * decay2 / (1 - b * decay2));
    sums.square += power * (w * w + rest * rest * decay2 / (1 - b * b * decay2));
    sums.cross += power * (w * v + rest * (v * b) * decay2 / (1 - b * b * decay2));
    power *= -z;
    decay2 *= beta2;
  }
  return sums;
}

SteadyScalars::SteadyScalars(const LagWeights& weights, double beta2)
    : weights_(weights), beta2_(beta2), gain_(0) {
  for (int i = 0; i < 200; ++i) {
    const auto [s, weight] = root_node(i);
    const SumsOverLags sums = steady_sums(s, weights, beta2);
    const double phi = std::exp(sums.log_phi);
    const double later = later_lags(s, weights.beta, beta2, HUGE_VAL,
                                    [](double x, double) { return -0.5 * std::log1p(2 * x); });
    const double below = i > 0 ? 0 : later_below(later, s, weights.beta, beta2, HUGE_VAL);
    nodes_.push_back({s, weight, later + below});
    gain_ += weight * phi * sums.slope;
    if (sums.log_phi < -40) break;
  }
  noise_ = noise_between(1);
}

double SteadyScalars::noise_between(double rho) const {
  if (rho == 0) return 0;
  // D = (1 + 2 s u)(1 + 2 y u) - 4 rho^2 s y u^2 = (1 + 2 r u e_+)(1 + 2 r u e_-), r = s + y.
  double sum = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double s = nodes_[i].s, y = nodes_[j].s, r = s + y, p = s * y / (r * r);
      const double root = std::sqrt((s - y) * (s - y) / (r * r) + 4 * p * rho * rho);
      const double high = 0.5 * (1 + root), low = p * (1 - rho * rho) / high;
      const SumsOverLags a = steady_sums(r * high, weights_, beta2_);
      double phi = a.log_phi, square = high * a.square, cross = high * a.cross;
      if (low > 0) {
        const SumsOverLags b = steady_sums(r * low, weights_, beta2_);
        phi += b.log_phi;
        square -= low * b.square;
        cross -= low * b.cross;
      }
      // Both orders of (s, y) but for what the lags see, the later of the two times.
      const double later = nodes_[j].later + nodes_[i].later;
      const double both = i == j ? 1 : 2;
      sum += nodes_[i].weight * nodes_[j].weight * std::exp(phi) * rho / (high - low) *
             (both * square + (i == j ? 1 : 2) * cross * later);
    }
  return sum;
}

}  // namespace riskcurve
