#include "dynamics/saturation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "dynamics/residual_transform.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kServes = 0.03;  // risks and shares that differ by less have the same numbers
constexpr double kHead = 0.02;    // of E z^2: a column with as much has numbers of its own

std::vector<double> on_grid(const std::function<double(double log_y)>& f) {
  std::vector<double> values(LogGrid::kSize);
  for (int i = 0; i < LogGrid::kSize; ++i)
    values[static_cast<std::size_t>(i)] = f(LogGrid::node(i));
  return values;
}

/// z = u^T Delta v + epsilon of few columns: its characteristic function is
/// psi(k) = exp(-k^2 v/2) prod_j (1 + k^2 q_j)^(-1/2), and with k = sqrt(m) x
///     E[m z^2 v_j^2/(1 + m z^2)]/lambda_j = int e^-x [1 - psi/(1 + k^2 q_j)] dx,
///     chi_j = int x e^-x psi/(1 + k^2 q_j) dx.
/// In units of E z^2 = 1; trapezoidal in log x, on the lattice of log k that the nodes of LogGrid
/// share.
class FewColumns {
 public:
  FewColumns(const ArrayXd& share, const ArrayXd& count, double variance) : log_psi_(kPoints) {
    for (Index i = 0; i < kPoints; ++i)
      log_psi_[i] = -0.5 * (square(i) * variance + (count * (square(i) * share).log1p()).sum());
  }
  struct Values {
    std::vector<double> noise, drift;
  };
  /// Of a column of share q; 0: of none.
  Values of_column(double q) const {
    ArrayXd log_of = log_psi_;
    for (Index i = 0; q > 0 && i < kPoints; ++i) log_of[i] -= std::log1p(square(i) * q);
    return on_nodes(log_of, 1 + 2 * q);
  }
  static Values of_gaussian() {
    ArrayXd log_of(kPoints);
    for (Index i = 0; i < kPoints; ++i) log_of[i] = -0.5 * square(i);
    return on_nodes(log_of, 1);
  }

 private:
  static constexpr double kWide = 0.5, kLowest = -15;
  static constexpr Index kTerms = 38, kStride = 2;  // kWide over the lattice's
  static constexpr double kApart = 0.5 * LogGrid::kStep;
  static constexpr Index kPoints = LogGrid::kSize + kStride * (kTerms - 1);
  static_assert(kStride * kApart == kWide);

  static double square(Index i) {
    return std::exp(2 * (0.5 * LogGrid::kFirst + kLowest + kApart * static_cast<double>(i)));
  }
  static Values on_nodes(const ArrayXd& log_of, double power) {
    // Nodes of either parity stand on every second point: vectors of them.
    const ArrayXd of = log_of.exp(), held = -log_of.expm1();
    Values values{std::vector<double>(LogGrid::kSize), std::vector<double>(LogGrid::kSize)};
    for (Index parity = 0; parity < kStride; ++parity) {
      const Index points = (kPoints - parity + 1) / kStride, count = points - kTerms + 1;
      const auto every = [&](const ArrayXd& x) -> ArrayXd {
        return x(Eigen::seqN(parity, points, kStride));
      };
      const ArrayXd of_here = every(of), held_here = every(held);
      ArrayXd noise = ArrayXd::Zero(count), drift = ArrayXd::Zero(count);
      for (Index j = 0; j < kTerms; ++j) {
        noise += weights()(j, 0) * held_here.segment(j, count);
        drift += weights()(j, 1) * of_here.segment(j, count);
      }
      for (Index i = 0; i < count; ++i) {
        const auto node = static_cast<std::size_t>(parity + kStride * i);
        values.noise[node] = noise[i] * falling()[node] / power;
        values.drift[node] = drift[i];
      }
    }
    return values;
  }
  /// e^-log y at the nodes.
  static const std::vector<double>& falling() {
    static const std::vector<double> all = on_grid([](double log_y) { return std::exp(-log_y); });
    return all;
  }
  /// x e^-x dlog x, and x^2 e^-x dlog x.
  static const Eigen::ArrayX2d& weights() {
    static const Eigen::ArrayX2d all = [] {
      Eigen::ArrayX2d w(kTerms, 2);
      for (Index j = 0; j < kTerms; ++j) {
        const double x = std::exp(kLowest + kWide * static_cast<double>(j));
        w(j, 0) = kWide * x * std::exp(-x);
        w(j, 1) = w(j, 0) * x;
      }
      return w;
    }();
    return all;
  }
  ArrayXd log_psi_;
};

}  // namespace

LogGrid::LogGrid(std::vector<double> values) : values_(std::move(values)) {
  logarithms_ = std::all_of(values_.begin(), values_.end(), [](double v) { return v > 0; });
  if (logarithms_)
    for (double& value : values_) value = std::log(value);
}

LogGrid LogGrid::times(const std::vector<double>& values) const {
  std::vector<double> product = values;
  for (std::size_t i = 0; i < product.size(); ++i)
    product[i] *= logarithms_ ? std::exp(values_[i]) : values_[i];
  return LogGrid(std::move(product));
}

LogGrid::Value LogGrid::operator()(double log_y) const {
  const double last = node(kSize - 1);
  const auto at = [&](int j) { return values_[static_cast<std::size_t>(j)]; };
  if (log_y > last) {
    const double end = at(kSize - 1), before = at(kSize - 2), beyond = log_y - last;
    if (logarithms_) {
      const double power = (end - before) / kStep, value = std::exp(end + power * beyond);
      return {value, power * value};
    }
    const double power = end * before > 0 ? std::log(end / before) / kStep : 0;
    const double value = end * std::exp(power * beyond);
    return {value, power * value};
  }
  const double place = log_y > kFirst ? (log_y - kFirst) / kStep : 0;
  const int i = std::min(static_cast<int>(place), kSize - 2);
  const double x = place - i;
  const double low = at(i), high = at(i + 1);
  const double from = i > 0 ? 0.5 * (high - at(i - 1)) : high - low,
               to = i + 2 < kSize ? 0.5 * (at(i + 2) - low) : high - low;
  const double square = 3 * (high - low) - 2 * from - to, cube = 2 * (low - high) + from + to;
  const double value = low + x * (from + x * (square + x * cube)),
               slope = (from + x * (2 * square + 3 * x * cube)) / kStep;
  if (!logarithms_) return {value, slope};
  return {std::exp(value), slope * std::exp(value)};
}

Saturation::Saturation(const NoiseLaw& noise, double risk, const ArrayXd& share,
                       const ArrayXd& count)
    : risk_(risk),
      scales_(ResidualLaw(noise).gaussian()),
      share_(share),
      noise_(std::vector<double>{}),
      drift_(std::vector<double>{}) {
  const double power = 2 * risk + noise.variance;
  struct Tables {
    LogGrid noise, drift;
  };
  const auto tables = [](const NoiseLaw& law, double at, double square) {
    const ResidualTransform z(law, at);
    const double log_square = std::log(square);
    return Tables{LogGrid(on_grid([&](double y) { return z.at(y - log_square).p * std::exp(-y); })),
                  LogGrid(on_grid([&](double y) { return z.at(y - log_square).chi; }))};
  };
  static const Tables gaussian = tables(no_noise(), 0.5, 1);
  const Tables own = scales_ ? gaussian : tables(noise, risk, power);
  noise_ = own.noise;
  drift_ = own.drift;
  if (share_.size() > 0 && share_.maxCoeff() > kHead) add_few(noise.variance / power, count);
}

void Saturation::add_few(double variance, const ArrayXd& count) {
  const FewColumns few(share_, count, variance);
  for (Index j = 0; j < share_.size(); ++j)
    if (share_[j] > kHead) heads_.push_back(j);
  static const FewColumns::Values gaussian = FewColumns::of_gaussian();
  const auto add = [&](double q) {
    FewColumns::Values of = few.of_column(q);
    for (std::size_t i = 0; i < of.noise.size(); ++i) {
      of.noise[i] /= gaussian.noise[i];
      of.drift[i] /= gaussian.drift[i];
    }
    noise_of_.push_back(noise_.times(of.noise));
    drift_of_.push_back(drift_.times(of.drift));
  };
  add(0);
  for (const Index j : heads_) add(share_[j]);
}

bool Saturation::serves(double risk, const ArrayXd& share) const {
  if (!scales_ && !(std::abs(std::log(risk / risk_)) < kServes)) return false;
  return share.size() == share_.size() &&
         ((share - share_).abs() < kServes * share_.max(kHead)).all();
}

Saturation::Fresh Saturation::fresh(double log_y, Index column) const {
  if (noise_of_.empty()) return {noise_(log_y), drift_(log_y)};
  std::size_t place = 0;
  if (column >= 0)
    for (std::size_t h = 0; h < heads_.size(); ++h)
      if (heads_[h] == column) place = h + 1;
  return {noise_of_[place](log_y), drift_of_[place](log_y)};
}

Saturation::Held Saturation::held(double first_weight, double momentum, int lags) const {
  std::vector<double> square(LogGrid::kSize), drift(LogGrid::kSize);
  for (std::size_t i = 0; i < square.size(); ++i) {
    double w = 1, sum = 0, squares = 0, kept = 0, moved = 0;
    double log_y = LogGrid::node(static_cast<int>(i)) + 2 * std::log(first_weight);
    for (int l = 0; l < std::max(lags, 1); ++l, w *= momentum, log_y += 2 * std::log(momentum)) {
      const Fresh at = fresh(log_y);
      sum += w;
      squares += w * w;
      kept += w * w * at.noise.at;
      moved += w * at.drift.at;
    }
    square[i] = kept / squares;
    drift[i] = moved / sum;
  }
  return {LogGrid(std::move(square)), LogGrid(std::move(drift))};
}

}  // namespace riskcurve
