#include "dynamics/root_under_signal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/lag_sums.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using std::numbers::pi;

constexpr int kTerms = 24;
constexpr double kNoTerm = 1e-6;
constexpr double kLagByLag = 512;  // steps
constexpr double kStep = 0.1;      // between nodes: large signals count where they are far apart

/// Of means over the last so many steps, in units of the mean square: s over what weights add to.
SumsOverLags sums_after(double s, const LagWeights& weights, double beta2, double steps) {
  SumsOverLags sums;
  if (beta2 == 1) {
    const bool all = !std::isfinite(steps);
    const double x = all ? 0 : 2 * s / steps;
    sums.log_phi = all ? -s : -0.5 * steps * std::log1p(x);
    sums.slope = 1 / (1 + x);
    sums.share = 2 * s / (1 + x);
    return sums;
  }
  if (!std::isfinite(steps)) return steady_sums(s, weights, beta2);
  const double filled = -std::expm1(steps * std::log(beta2)), whole = weights.sum(steps);
  s /= filled;
  if (steps <= kLagByLag) {
    double z = 2 * s * (1 - beta2), w = weights.first;
    for (int k = 0; k < static_cast<int>(steps); ++k) {
      sums.log_phi -= 0.5 * std::log1p(z);
      sums.slope += w / (1 + z);
      sums.share += z / (1 + z);
      z *= beta2;
      w = k == 0 ? weights.later : w * weights.beta;
    }
  } else {  // all, less those before
    sums = steady_sums(s, weights, beta2);
    LagWeights before = weights;
    before.first = weights.later * std::pow(weights.beta, steps - 1);
    before.later = before.first * weights.beta;
    const SumsOverLags beyond = steady_sums(s * std::pow(beta2, steps), before, beta2);
    sums.log_phi -= beyond.log_phi;
    sums.slope -= beyond.slope;
    sums.share -= beyond.share;
  }
  sums.slope /= whole;
  return sums;
}

double node(int j) {
  return std::cos(pi * (j + 0.5) / kTerms);
}

}  // namespace

RootUnderSignal::RootUnderSignal(const LagWeights& weights, double beta2, bool spread)
    : weights_(weights), beta2_(beta2), spread_(spread) {
  const double memory = beta2 == 1 ? 1e4 : 8 / (1 - std::max(beta2, weights.beta));
  last_ = static_cast<int>(std::ceil(std::log2(memory)));
}

ArrayXd RootUnderSignal::made(double steps) const {
  ArrayXd kappa(kTerms + 1), sum = ArrayXd::Zero(kTerms + 1);
  for (int j = 0; j < kTerms; ++j) kappa[j] = (1 + node(j)) / (1 - node(j));
  kappa[kTerms] = 0;
  for (int i = 0; i < 1000; ++i) {
    const RootNode at = root_node(i, kStep);
    const SumsOverLags sums = sums_after(at.s, weights_, beta2_, steps);
    const double term = at.weight * std::exp(sums.log_phi) * sums.slope;
    if (spread_)
      sum += term * (1 + kappa * sums.share).pow(-1.5);
    else
      sum += term * (-0.5 * kappa * sums.share).exp();
    if (term < 1e-9 * sum[kTerms]) break;
  }
  const ArrayXd value = (1 + kappa.head(kTerms)).sqrt() * sum.head(kTerms) / sum[kTerms];
  ArrayXd coefficients = ArrayXd::Zero(kTerms);
  for (int m = 0; m < kTerms; ++m) {
    for (int j = 0; j < kTerms; ++j)
      coefficients[m] += value[j] * std::cos(pi * m * (j + 0.5) / kTerms);
    coefficients[m] *= (m == 0 ? 1.0 : 2.0) / kTerms;
  }
  Index terms = kTerms;
  for (double left = 0; terms > 1 && (left += std::abs(coefficients[terms - 1])) < kNoTerm;)
    --terms;
  return coefficients.head(terms);
}

const ArrayXd& RootUnderSignal::after(int power) const {
  const std::lock_guard<std::mutex> hold(made_->lock);
  const auto found = made_->of_power.find(power);
  if (found != made_->of_power.end()) return found->second;
  const double steps = power == last_ ? HUGE_VAL : std::exp2(power);
  return made_->of_power.emplace(power, made(steps)).first->second;
}

RootUnderSignal::Between RootUnderSignal::between(double steps) const {
  const double at = std::clamp(std::log2(std::max(steps, 1.0)), 0.0, static_cast<double>(last_));
  const int low = std::min(static_cast<int>(at), last_);
  const double x = at - low;
  return {after(low), after(x > 0 ? low + 1 : low), x};
}

namespace {

/// Clenshaw's sum of so many terms at y, one number or several.
template <class Coefficients, class Value>
Value chebyshev(const Coefficients& c, Index terms, const Value& y) {
  Value high = 0 * y, higher = high;
  for (Index m = terms - 1; m > 0; --m) {
    const Value now = c[m] + 2 * y * high - higher;
    higher = high;
    high = now;
  }
  return c[0] + y * high - higher;
}

}  // namespace

double RootUnderSignal::operator()(double kappa, double steps) const {
  const Between lines = between(steps);
  return chebyshev(lines, lines.terms(), (kappa - 1) / (kappa + 1));
}

ArrayXd RootUnderSignal::operator()(const ArrayXd& kappa, double steps) const {
  const Between lines = between(steps);
  const Index terms = lines.terms();
  ArrayXd c(terms);
  for (Index m = 0; m < terms; ++m) c[m] = lines[m];
  ArrayXd result(kappa.size());
  using Lane = Eigen::Array<double, 8, 1>;
  for (Index first = 0; first < kappa.size(); first += Lane::SizeAtCompileTime) {
    const Index count = std::min<Index>(Lane::SizeAtCompileTime, kappa.size() - first);
    Lane y = Lane::Zero();
    y.head(count) = kappa.segment(first, count);
    y = (y - 1) / (y + 1);
    result.segment(first, count) = chebyshev(c, terms, y).head(count);
  }
  return result;
}

}  // namespace riskcurve
