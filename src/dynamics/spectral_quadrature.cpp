#include "dynamics/spectral_quadrature.hpp"

#include <cmath>
#include <vector>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

/// One end of the grid, beyond which nodes at log tau = end + n step (n >= 0; step < 0 at the low
/// end) are summed in closed form. There weight ~ tau^power and, for two nodes,
///     phi(tau, tau') ~ (tau^e - tau'^e)/(tau^2 - tau'^2),
/// since p, or p_max - p, is a power of tau.
struct Tail {
  double step, power, e;
  // log of the ratio from a node to the next, of weight tau phi(., fixed): phi tends to a constant
  // at the low end, to a multiple of tau^-2 at the high end.
  double log_single, log_double;

  Tail(double step_, double power_, double e_) : step(step_), power(power_), e(e_) {
    // Noise of finite variance has e = -2 at the high end, a gradient of singular values bounded
    // below e = 2 at the low end; close to it the difference is the next order, and only the limit
    // keeps log_double right where it nearly vanishes.
    if (const double limit = step < 0 ? 2 : -2; std::abs(e - limit) < 1e-6) e = limit;
    log_single = (step < 0 ? 1 + power : power - 1) * step;
    log_double = (2 * power + e) * step;
  }
  bool finite() const { return log_double < 0; }
  double single() const { return -1 / std::expm1(log_single); }

  // phi(d + n step)/phi(0), as a function of the distance in log tau, times the ratio of weights.
  double term(double distance, double n) const {
    const double d = distance + n * step;
    const double weight = (1 + power) * n * step;
    if (d == 0) return std::exp(weight);
    const double top = std::abs(e) < 1e-9 ? d : std::expm1(e * d) / e;
    if (step < 0) return 2 * top / std::expm1(2 * d) * std::exp(weight);
    return -2 * top / std::expm1(-2 * d) * std::exp(weight - 2 * d);
  }
  // sum_{n >= 0} term(distance, n)/term(distance, 0)
  double against(double distance) const {
    const double first = term(distance, 0);
    double sum = 0, last = first;
    const double reach = 40 / std::min(1.0, std::max(0.05, std::abs(e)));
    double n = 0;
    while (true) {
      last = term(distance, n);
      sum += last;
      if (last < 1e-18 * sum || std::abs(distance + n * step) > reach) break;
      ++n;
    }
    return (sum + last * std::exp(log_single) * single()) / first;
  }
  // sum_{n, n' >= 0} over both nodes beyond the end.
  double corner() const { return (2 * against(0) - 1) / -std::expm1(log_double); }
};

}  // namespace

SpectralQuadrature::SpectralQuadrature(const ResolventCurve& curve, const SpectralFunction& f,
                                       const ResolventPoints& points, const ArrayXd& log_tau,
                                       const ArrayXd& dlog_tau, double step)
    : f_(f),
      log_a_(points.log_a),
      log_b_(points.log_b),
      log_tau_(log_tau),
      dlog_tau_(dlog_tau * step) {
  const Index n = points.size();
  weight_ = log_tau.exp().unaryExpr(f.weight) * log_tau.exp() * dlog_tau_;
  // sigma lambda chi t^-2 (1 - alpha)(1 - beta) = alpha beta chi m/p^2
  drift_ = points.chi * points.log_m.exp() / points.p.square();
  const MatrixXd out = curve.out_pairs(points), in = curve.in_pairs(points);
  phi_.resize(n, n);
  const ArrayXd tau2 = (2 * log_tau).exp(), t2 = (2 * points.log_t).exp();
  for (Index k = 0; k < n; ++k) phi_(k, k) = -0.5 * points.dp[k] / (t2[k] * points.dlog_t[k]);
  for (Index k = 0; k < n; ++k)
    for (Index l = 0; l < k; ++l)
      phi_(k, l) = phi_(l, k) = std::abs(points.log_t[k] - points.log_t[l]) < 1e-5
                                    ? 0.5 * (phi_(k, k) + phi_(l, l))
                                    : curve.difference(points, k, l, out, in) / (tau2[l] - tau2[k]);
  pair_ = phi_.array() / (curve.batch() * out.array() * in.array());
}

SpectralQuadrature::Sums SpectralQuadrature::sums(Index first, Index last, Index stride) const {
  std::vector<Index> used;
  for (Index k = first; k <= last; k += stride) used.push_back(k);
  const Index n = static_cast<Index>(used.size());
  const auto tail = [&](Index end, Index inner, double sign, double power) {
    const double slope =
        std::log(phi_(end, end) / phi_(inner, inner)) / (log_tau_[end] - log_tau_[inner]);
    return Tail(sign * dlog_tau_[end] * static_cast<double>(stride), power, 2 + slope);
  };
  const Tail low = tail(used[0], used[0] + 1, -1, f_.low_power);
  const Tail high = tail(used[n - 1], used[n - 1] - 1, 1, f_.high_power);

  Sums s;
  s.finite_low = low.finite();
  s.finite_high = high.finite();
  SpectralCoefficients& c = s.coefficients;
  c.log_a = log_a_(used);
  c.log_b = log_b_(used);
  const ArrayXd weight = static_cast<double>(stride) * weight_(used);
  c.drift_weight = weight * drift_(used);
  c.drift_weight[0] *= low.single();
  c.drift_weight[n - 1] *= high.single();

  c.pair_weight = weight.matrix().asDiagonal() * pair_(used, used) * weight.matrix().asDiagonal();
  ArrayXd from_low(n), from_high(n);
  for (Index k = 0; k < n; ++k) {
    from_low[k] = k == 0 ? low.corner() : low.against(log_tau_[used[0]] - log_tau_[used[k]]);
    from_high[k] =
        k == n - 1 ? high.corner() : high.against(log_tau_[used[n - 1]] - log_tau_[used[k]]);
  }
  const auto scale = [&](Index end, const ArrayXd& factor) {
    const double corner = c.pair_weight(end, end) * factor[end];
    c.pair_weight.col(end).array() *= factor;
    c.pair_weight.row(end).array() *= factor.transpose();
    c.pair_weight(end, end) = corner;
  };
  scale(0, from_low);
  scale(n - 1, from_high);
  return s;
}

}  // namespace riskcurve
