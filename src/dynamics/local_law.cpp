#include "dynamics/local_law.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

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

AgainstPolar against_polar(double rows, const ArrayXd& count, const ArrayXd& variance,
                           const std::function<double(double g)>& f, bool normalised) {
  const double all = std::sqrt(rows * (count * variance).sum());
  const Index modes = count.size();
  ArrayXd mass = ArrayXd::Zero(modes), polar = mass, slope = mass, power = mass;
  Complex x;
  const auto settle = [&](double square, double from) {
    for (double tilt = from;; tilt = std::max(kSmooth, 0.7 * tilt)) {
      if (!solve(rows, count, variance, square * Complex(1, tilt), x) && tilt < 4) return false;
      if (tilt == kSmooth) return true;
    }
  };
  double g = 1.05 * all;
  x = -rows / (g * g * Complex(1, 8));
  bool follows = settle(g * g, 8);
  double points = 0, sum_g = 0, sum_slope = 0, sum_power = 0;
  for (; g > kLowest * all; g /= kRatio) {
    const double square = g * g;
    if (!follows || !solve(rows, count, variance, square * Complex(1, kSmooth), x)) {
      x = -rows / (square * Complex(1, 8));
      follows = settle(square, 8);
      if (!follows) continue;
    }
    const Complex z = square * Complex(1, kSmooth);
    const double of = f(normalised ? std::min(1.0, g / all) : g);
    points += 1;
    sum_g += g;
    sum_slope += g * of;
    sum_power += of * of;
    for (Index j = 0; j < modes; ++j) {
      const double density = -(1.0 / (z * (1.0 + variance[j] * x))).imag() * square;
      mass[j] += density;
      polar[j] += density * g;
      slope[j] += density * g * of;
      power[j] += density * of * of;
    }
  }
  const ArrayXd seen = mass;
  if (count.sum() > rows) {
    // Singular values of 0, smeared over all g by Im z.
    const ArrayXd none = kSmooth / (1 + kSmooth * kSmooth) / (1 + variance * x.real());
    mass -= points * none;
    polar -= sum_g * none;
    slope -= sum_slope * none;
    power -= sum_power * none;
  }
  AgainstPolar of{slope / polar, power / mass};
  for (Index j = 0; j < modes; ++j) {
    if (mass[j] > kSeen * seen[j] && polar[j] > 0 && slope[j] >= 0 && power[j] >= 0) continue;
    // Below the grid, or lost in what is smeared: as one singular value.
    const double alone = std::sqrt(rows * variance[j]);
    of.slope[j] = std::max(0.0, f(normalised ? alone / all : alone));
    of.power[j] = of.slope[j] * of.slope[j];
  }
  return of;
}

}  // namespace riskcurve
