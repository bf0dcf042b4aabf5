#include "dynamics/batch_power.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {

double top_of(double s, const LagNodes& lags) {
  return std::log(s) + std::log(-std::expm1(-lags.delta));
}

}  // namespace

LagNodes::LagNodes(const LagWeights& weights, double beta2, double all)
    : delta(-std::log(beta2)), steps(all) {
  const int width = std::max(1, static_cast<int>(0.05 / delta));
  double w = weights.first, v = before_first(weights);
  for (int k = 0; k < steps && k < 100000; ++k) {
    const auto block = static_cast<std::size_t>(k / (2 * width));
    while (nodes.size() < 2 * block + 3)
      nodes.push_back({delta * width * static_cast<double>(nodes.size()), 0, 0, 0});
    const double t = static_cast<double>(k % (2 * width)) / width - 1;
    const double share[] = {0.5 * t * (t - 1), 1 - t * t, 0.5 * t * (t + 1)};
    for (std::size_t i = 0; i < 3; ++i) {
      Node& node = nodes[2 * block + i];
      node.slope += share[i] * w;
      node.square += share[i] * w * w;
      node.cross += share[i] * w * v;
    }
    w = k == 0 ? weights.later : w * weights.beta;
    v *= weights.beta;
    if (w <= 1e-9 * weights.first && w <= 1e-9 * weights.later) break;
  }
}

BatchPower::BatchPower(const EntryTransform& entry, int batch, GradientOf entries, double scale)
    : BatchPower(of_entries(entry, batch,
                            (entries == GradientOf::matrix ? 0.5 * std::numbers::ln2 : 0) -
                                0.5 * std::log(scale) - std::log(batch))) {}

BatchPower BatchPower::of_means(const EntryTransform& entry, int batch, double scale) {
  Columns table;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double y = 0.5 * log_x(i) - 0.5 * std::log(scale) - std::log(batch);
    table.log_psi[i] = batch * entry.log(y);
    table.slope[i] = entry.ratio(y);
    table.noise[i] = -0.5 * batch * entry.slope(y) / std::exp(log_x(i));
  }
  return BatchPower(table);
}

BatchPower::BatchPower(const Columns& table)
    : log_psi_(table.log_psi, kLow, kStep),
      slope_(table.slope, kLow, kStep),
      noise_(table.noise, kLow, kStep) {
  start_ = log_psi_(kLow + kStep);
  exponent_ = std::max(1e-3, log_psi_.prime(kLow + kStep) / start_);
  last_ = log_x(kCount - 2);
  integrals_.push_back(start_ / exponent_);
  for (std::size_t i = 1; i + 2 < kCount; ++i)
    integrals_.push_back(integrals_.back() + simpson(log_x(i), log_x(i + 1)));
}

double BatchPower::log_psi(double at) const {
  if (at < kLow + kStep) return start_ * std::exp(exponent_ * (at - kLow - kStep));
  if (at > last_) return log_psi_(last_) + log_psi_.prime(last_) * (at - last_);
  return log_psi_(at);
}

/// Beyond the table a power of x.
double BatchPower::noise(double at) const {
  const double inside = std::clamp(at, kLow + kStep, last_), y = noise_(inside);
  return at == inside ? y : y * std::exp(noise_.prime(inside) / y * (at - inside));
}

/// Of log psi over log x up to `at`.
double BatchPower::integral(double at) const {
  if (at < kLow + kStep) return log_psi(at) / exponent_;
  const auto whole = static_cast<std::size_t>(std::max(1.0, (at - kLow) / kStep));
  const std::size_t i = std::min(whole, integrals_.size()) - 1;
  return integrals_[i] + simpson(kLow + kStep * static_cast<double>(i + 1), at);
}

double BatchPower::slope_of_log(double at) const {
  return at < kLow + kStep ? exponent_ * log_psi(at) : log_psi_.prime(std::min(at, last_));
}

double BatchPower::log_phi(double s, const LagNodes& lags) const {
  const double delta = lags.delta, top = top_of(s, lags);
  if (delta > 0.12 || lags.steps <= 32) {
    double sum = 0, at = top, k = 0;
    for (; at > -14 && k < lags.steps; at -= delta, ++k) sum += log_psi(at);
    const double rate = slope_of_log(at) / log_psi(at) * delta;
    return sum + log_psi(at) * std::expm1(-rate * (lags.steps - k)) / std::expm1(-rate);
  }
  const auto from = [&](double at) {  // Euler and Maclaurin
    return integral(at) / delta + 0.5 * log_psi(at) + delta / 12 * slope_of_log(at);
  };
  return from(top) - (std::isinf(lags.steps) ? 0 : from(top - lags.steps * delta));
}

double BatchPower::reach(const LagNodes& lags) const {
  double low = -60, high = 60;
  while (high - low > 0.1) {
    const double middle = 0.5 * (low + high);
    (log_phi(std::exp(middle), lags) > -1 ? low : high) = middle;
  }
  return std::exp(low);
}

SumsOverLags BatchPower::sums(double s, const LagNodes& lags) const {
  SumsOverLags sums;
  sums.log_phi = log_phi(s, lags);
  const double top = top_of(s, lags);
  for (const LagNodes::Node& node : lags.nodes) {
    sums.slope += node.slope * slope(top - node.offset);
    sums.square += node.square * noise(top - node.offset);
  }
  return sums;
}

double BatchPower::cross(double s, const LagNodes& lags) const {
  const double top = top_of(s, lags);
  double sum = 0;
  for (const LagNodes::Node& node : lags.nodes) sum += node.cross * noise(top - node.offset);
  return sum;
}

/// E over a normal n > 0, log n = v: the transform is asked at v + (log x)/2 + shift, on one
/// grid.
BatchPower::Columns BatchPower::of_entries(const EntryTransform& entry, double b, double shift) {
  using Eigen::ArrayXd, Eigen::Index;
  constexpr Index stride = 4;  // v advances by so many steps of it, log x/2 by one
  constexpr double h = 0.5 * kStep, v0 = -26, v1 = 2.3;
  constexpr auto nodes = static_cast<Index>((v1 - v0) / (stride * h)) + 1;
  const ArrayXd n = (v0 + stride * h * ArrayXd::LinSpaced(nodes, 0, nodes - 1)).exp();
  const ArrayXd density =
      2 * stride * h / std::sqrt(2 * std::numbers::pi) * n * (-0.5 * n.square()).exp();
  const ArrayXd with_square = density * n.square();
  // What one log x asks for stands in one column, by remainders of the stride.
  const Index rows = nodes + static_cast<Index>(kCount) / stride + 1;
  Eigen::ArrayXXd less(rows, stride), ratio(rows, stride), minus(rows, stride);
  for (Index i = 0; i < rows * stride; ++i) {
    const Index row = i / stride, column = i % stride;
    const double y = v0 + 0.5 * kLow + h * static_cast<double>(i) + shift;
    less(row, column) = std::expm1(b * entry.log(y));
    ratio(row, column) = (1 + less(row, column)) * entry.ratio(y);
    minus(row, column) = -(1 + less(row, column)) * 0.5 * b * entry.slope(y);
  }
  Columns table;
  for (std::size_t i = 0; i < kCount; ++i) {
    const Index from = static_cast<Index>(i);
    const auto mean = [&](const ArrayXd& weight, const Eigen::ArrayXXd& values) {
      return (weight * values.col(from % stride).segment(from / stride, nodes)).sum();
    };
    const double less_than_one = mean(density, less), psi = 1 + less_than_one;
    table.log_psi[i] = std::log1p(less_than_one);
    table.slope[i] = mean(with_square, ratio) / psi;
    table.noise[i] = mean(density, minus) / psi / std::exp(log_x(i));
  }
  return table;
}

double BatchPower::simpson(double a, double b) const {
  return (b - a) / 6 * (log_psi(a) + 4 * log_psi(0.5 * (a + b)) + log_psi(b));
}

}  // namespace riskcurve
