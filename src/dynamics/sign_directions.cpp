#include "dynamics/sign_directions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using std::numbers::pi;

constexpr double kPerUnit = 128, kLargestMean = 7;  // of the table over h

double slope_of(double h) {
  return std::sqrt(2 / pi) * std::exp(-0.5 * h * h);
}

/// The variance over all lags of sign(U) without the part linear in U, E U = h.
double rest_of(double h, const LagWeights& weights) {
  const double density = std::exp(-h * h) / (2 * pi);  // phi(h)^2
  const double outside = std::erfc(h / std::numbers::sqrt2);
  double sum = outside * (2 - outside) - 4 * density;  // of lag 0
  // He_(m-1)^2/m! = a^2/m of Hermite polynomials a = He_(m-1)/sqrt((m-1)!).
  const double r = weights.correlation();
  double power = r, decay = weights.beta, before = 1, a = h;
  constexpr int most = 20000;
  for (int m = 2; m < most; ++m) {
    power *= r;
    decay *= weights.beta;
    sum += 8 * density * a * a / m * power / (1 - decay);
    if (power < 1e-12 * (1 - r)) break;
    const double next = (h * a - std::sqrt(m - 1.0) * before) / std::sqrt(static_cast<double>(m));
    before = a;
    a = next;
  }
  return std::max(sum, 0.0);
}

}  // namespace

SignOfMean::SignOfMean(const LagWeights& weights) {
  const auto count = static_cast<std::size_t>(kLargestMean * kPerUnit) + 3;
  rest_.resize(count);
  const double at_zero = rest_of(0, weights);
  for (std::size_t i = 0; i < count; ++i)
    rest_[i] = rest_of(static_cast<double>(i) / kPerUnit, weights) / at_zero;
}

SignOfMean::Values SignOfMean::operator()(double h, bool slopes) const {
  const double size = std::abs(h), k = slope_of(size);
  Values values{};
  values.slope = k;
  const bool small = size < 1e-3;
  values.mean =
      small ? std::sqrt(2 / pi) * (1 - h * h / 6) : std::erf(size / std::numbers::sqrt2) / size;
  // Cubics between four values; even about 0.
  const double at = size * kPerUnit;
  const bool within = size < kLargestMean;
  const auto i = within ? static_cast<std::ptrdiff_t>(at) : 0;
  const double x = at - static_cast<double>(i);
  const auto value = [&](std::ptrdiff_t j) { return rest_[static_cast<std::size_t>(std::abs(j))]; };
  const double f0 = value(i - 1), f1 = value(i), f2 = value(i + 1), f3 = value(i + 2);
  const double c1 = f2 - f0 / 3 - f1 / 2 - f3 / 6, c2 = 0.5 * (f0 + f2) - f1,
               c3 = (f3 - f0) / 6 + 0.5 * (f1 - f2);
  values.rest = within ? f1 + x * (c1 + x * (c2 + x * c3)) : 0;
  if (!slopes) return values;
  values.slope_slope = -h * k;
  values.mean_slope = small ? -std::sqrt(2 / pi) * h / 3 : (k - values.mean) / h;
  values.rest_slope =
      within ? (h < 0 ? -kPerUnit : kPerUnit) * (c1 + x * (2 * c2 + x * 3 * c3)) : 0;
  return values;
}

std::shared_ptr<const SignOfMean> SignDirections::at(double momentum) const {
  {
    const std::lock_guard<std::mutex> hold(tables_->lock);
    const auto found = tables_->of.find(momentum);
    if (found != tables_->of.end()) return found->second;
  }
  auto table = std::make_shared<const SignOfMean>(LagWeights(momentum, filter_.share_of(momentum)));
  const std::lock_guard<std::mutex> hold(tables_->lock);
  return tables_->of.emplace(momentum, std::move(table)).first->second;
}

DirectionRates SignDirections::operator()(double gain, double momentum, const ArrayXd& mean,
                                          const ArrayXd& variance, bool slopes) const {
  // Of varying momentum: between two of its values, evenly in log(1 - beta).
  std::shared_ptr<const SignOfMean> table, later;
  double share = 0;
  if (filter_.varying) {
    const double where = -std::log1p(-momentum) / kMomentaApart, whole = std::floor(where);
    table = at(-std::expm1(-kMomentaApart * whole));
    later = at(-std::expm1(-kMomentaApart * (whole + 1)));
    share = where - whole;
  } else {
    table = at(momentum);
  }
  const Index n = mean.size();
  DirectionRates rates;
  for (DirectionRate* rate : {&rates.mean, &rates.drift, &rates.rest}) {
    rate->value.setZero(n);
    if (!slopes) continue;
    for (ArrayXd* slope : {&rate->by_mean, &rate->by_variance, &rate->by_gain}) slope->setZero(n);
  }
  for (Index k = 0; k < n; ++k) {
    if (!(variance[k] > 0)) continue;
    const double deviation = std::sqrt(variance[k]), unit = gain / deviation, h = unit * mean[k];
    SignOfMean::Values sign = (*table)(h, slopes);
    if (share > 0) {
      const SignOfMean::Values other = (*later)(h, slopes);
      sign.rest += share * (other.rest - sign.rest);
      sign.rest_slope += share * (other.rest_slope - sign.rest_slope);
    }
    rates.mean.value[k] = unit * sign.mean;
    rates.drift.value[k] = unit * sign.slope;
    rates.rest.value[k] = sign.rest;
    if (!slopes) continue;
    // h answers to the mean by unit, to the variance by -h/2v, to the gain by m/deviation.
    const double by_mean = unit, by_variance = -0.5 * h / variance[k],
                 by_gain = mean[k] / deviation;
    const auto through = [&](DirectionRate& rate, double slope, double scale) {
      rate.by_mean[k] = scale * slope * by_mean;
      rate.by_variance[k] = scale * slope * by_variance;
      rate.by_gain[k] = scale * slope * by_gain;
    };
    through(rates.mean, sign.mean_slope, unit);
    through(rates.drift, sign.slope_slope, unit);
    through(rates.rest, sign.rest_slope, 1);
    for (const auto& [rate, value] :
         {std::pair{&rates.mean, sign.mean}, std::pair{&rates.drift, sign.slope}}) {
      rate->by_variance[k] -= 0.5 * unit * value / variance[k];
      rate->by_gain[k] += value / deviation;
    }
  }
  return rates;
}

}  // namespace riskcurve
