#include "dynamics/local_law.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "dynamics/toward_axis.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Complex = std::complex<double>;

constexpr double kSmooth = 0.01;  // Im z over Re z
constexpr double kRatio = 1.015;  // between neighbouring g
constexpr double kSeen = 0.1;     // of a column's mass: less is not enough to go by
constexpr double kLowest = 1e-5;  // of nu

/// Newton; false where it does not come to a root with Im x > 0.
bool solve(double rows, const ArrayXd& count, const ArrayXd& variance, Complex z, Complex& x) {
  Complex at = x;
  for (int i = 0; i < 40; ++i) {
    Complex sum = 0, slope = rows / (at * at);
    for (Index j = 0; j < count.size(); ++j) {
      const Complex part = variance[j] / (1.0 + variance[j] * at);
      sum += count[j] * part;
      slope -= count[j] * part * part;
    }
    const Complex miss = -rows / at + sum - z;
    const Complex move = miss / slope;
    at -= std::abs(move) > 0.5 * std::abs(at) ? move * (0.5 * std::abs(at) / std::abs(move)) : move;
    if (std::abs(move) < 1e-9 * std::abs(at)) {
      if (!(at.imag() > 0)) return false;
      x = at;
      return true;
    }
  }
  return false;
}

}  // namespace

LocalLaw::LocalLaw(double rows, const ArrayXd& count, const ArrayXd& variance)
    : rows_(rows),
      all_(std::sqrt(rows * (count * variance).sum())),
      count_(count),
      variance_(variance) {
  Complex x;
  const auto settle = [&](double square) {
    x = -rows / (square * Complex(1, 8));
    return toward_axis(kSmooth, [&](double tilt) {
      return solve(rows, count, variance, square * Complex(1, tilt), x);
    });
  };
  double g = 1.05 * all_;
  bool follows = settle(g * g);
  std::vector<double> at;
  std::vector<ArrayXd> density;
  for (; g > kLowest * all_; g /= kRatio) {
    const double square = g * g;
    const Complex z = square * Complex(1, kSmooth);
    if (!follows || !solve(rows, count, variance, z, x)) {
      follows = settle(square);
      if (!follows) continue;
    }
    at.push_back(g);
    density.push_back(
        variance.unaryExpr([&](double v) { return -(1.0 / (z * (1.0 + v * x))).imag() * square; }));
  }
  const auto nodes = static_cast<Index>(at.size());
  g_ = Eigen::Map<const ArrayXd>(at.data(), nodes);
  density_.resize(variance.size(), nodes);
  for (Index i = 0; i < nodes; ++i) density_.col(i) = density[static_cast<std::size_t>(i)];
  const ArrayXd seen = density_.rowwise().sum();
  if (count.sum() > rows)  // singular values of 0, smeared over all g by Im z
    density_.colwise() -= kSmooth / (1 + kSmooth * kSmooth) / (1 + variance * x.real());
  mass_ = density_.rowwise().sum();
  mass_ = (mass_ > kSeen * seen).select(mass_, 0.0);
}

double LocalLaw::alone(Index column) const {
  return std::sqrt(rows_ * variance_[column]);
}

AgainstPolar LocalLaw::against_polar(const std::function<double(double g)>& f,
                                     bool normalised) const {
  const double unit = normalised ? all_ : 1;
  const ArrayXd of_g =
      g_.unaryExpr([&](double g) { return f(normalised ? std::min(1.0, g / unit) : g); });
  const auto mean = [&](const ArrayXd& x) -> ArrayXd {
    return (density_.matrix() * x.matrix()).array();
  };
  const ArrayXd polar = mean(g_), slope = mean(g_ * of_g), power = mean(of_g.square());
  AgainstPolar of{slope / polar, power / mass_};
  for (Index j = 0; j < mass_.size(); ++j) {
    if (mass_[j] > 0 && polar[j] > 0 && slope[j] >= 0 && power[j] >= 0) continue;
    // Below the grid, or lost in what is smeared: as one singular value.
    of.slope[j] = std::max(0.0, f(alone(j) / unit));
    of.power[j] = of.slope[j] * of.slope[j];
  }
  return of;
}

}  // namespace riskcurve
