#include "dynamics/resolved_sign.hpp"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "problem/random.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using std::numbers::pi;

constexpr double kFirst = 1e-4;  // of x |g|: below, powers
constexpr double kVanished = 1e-12;
constexpr double kLast = 1e9;          // of x |g|, for directions that have no variance
constexpr int kRows = 32, kOften = 4;  // drawn; each in four pairs
constexpr Index kMostHeads = 24;
constexpr double kDrawnShare = 3e-3;  // of |g|^2: directions that are drawn

/// Normal numbers, one row a pair of rows.
const std::array<ArrayXXd, 2>& drawn_rows() {
  static const std::array<ArrayXXd, 2> rows = [] {
    Random random(3, 0, 9);
    std::array<ArrayXXd, 2> two{ArrayXXd(kRows, kMostHeads), ArrayXXd(kRows, kMostHeads)};
    for (ArrayXXd& one : two)
      for (double& x : one.reshaped()) x = random.normal();
    return two;
  }();
  return rows;
}

double arcsine_rest(double w) {
  const double x = std::clamp(w, -1.0, 1.0), y = x * x;
  if (y < 0.01) return x * y * (1.0 / 6 + y * (3.0 / 40 + y * (15.0 / 336 + y * 105.0 / 3456)));
  return std::asin(x) - x;
}

}  // namespace

Normalised normalised(const Directions& g, double step) {
  const Index modes = g.count.size();
  Normalised result{ArrayXd::Zero(modes), ArrayXd::Zero(modes), ArrayXd::Zero(modes)};
  const ArrayXd mean_square = g.mean.square();
  const double total = (g.count * (g.variance + mean_square)).sum();
  if (!(total > 0)) return result;
  double largest = 0;
  for (double y = std::log(kFirst / std::sqrt(total));; y += step) {
    const double x = std::exp(y), square = 2 * x * x;
    const ArrayXd d = 1 + square * g.variance, mean = mean_square / d;
    const double log_pi = -0.5 * (g.count * (d.log() + square * mean)).sum();
    // What is below the first node falls as x, and as x^2 for the squares.
    const bool first = largest == 0;
    const double w = step * x * std::exp(log_pi);
    const double of_one = first ? w / -std::expm1(-step) : w,
                 of_two = first ? w / -std::expm1(-2 * step) : w;
    const double norm = 2 / std::sqrt(pi);
    result.by_mean += norm * of_one / d;
    result.by_spread += norm * of_one * (1 - square * mean) / d;
    result.square += 2 * x * of_two * (g.variance + mean) / d;
    // Of one direction alone Pi falls no faster than 1/x, but what is summed does.
    largest = std::max(largest, w);
    if (w < kVanished * largest || w * x * std::sqrt(total) < kVanished * largest * d.minCoeff() ||
        x > kLast / std::sqrt(total))
      return result;
  }
}

double rest_of_signs(const Directions& g, const Directions& other, const ArrayXd& covariance) {
  const ArrayXd power = g.count * (g.variance + g.mean.square()),
                power_other = other.count * (other.variance + other.mean.square());
  const ArrayXd both = g.count * (g.mean * other.mean + covariance);
  const double total = power.sum(), total_other = power_other.sum(), product = both.sum();
  if (!(total > 0) || !(total_other > 0)) return 0;
  // By their noise, so that the order of modes is of no account.
  std::vector<Index> heads;
  for (Index k = 0; k < power.size(); ++k)
    if (power[k] > kDrawnShare * g.count[k] * total ||
        power_other[k] > kDrawnShare * g.count[k] * total_other)
      heads.push_back(k);
  std::stable_sort(heads.begin(), heads.end(),
                   [&](Index a, Index b) { return g.variance[a] > g.variance[b]; });
  heads.resize(std::min(heads.size(), static_cast<std::size_t>(kMostHeads)));
  // Sums over the directions of a mode: their mean, and a scatter of its size.
  ArrayXXd square = ArrayXXd::Constant(kRows, 1, total), square_other(kRows, kOften),
           dot(kRows, kOften);
  square_other.setConstant(total_other);
  dot.setConstant(product);
  const auto& [xi, eta] = drawn_rows();
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const Index k = heads[h], column = static_cast<Index>(h);
    const double scatter = std::sqrt(g.count[k]);
    const double deviation = std::sqrt(g.variance[k]), later = std::sqrt(other.variance[k]);
    const double scale = deviation * later;
    const double rho = scale > 0 ? std::clamp(covariance[k] / scale, -1.0, 1.0) : 0;
    const double apart = std::sqrt(1 - rho * rho), mean = g.mean[k], mean_other = other.mean[k];
    for (int i = 0; i < kRows; ++i) {
      const double x = mean + deviation * xi(i, column);
      square(i, 0) += scatter * (x * x - power[k] / g.count[k]);
      for (int pair = 0; pair < kOften; ++pair) {
        const double fresh = eta((i + pair / 2) % kRows, column) * (pair % 2 == 0 ? 1 : -1);
        const double y = mean_other + later * (rho * xi(i, column) + apart * fresh);
        square_other(i, pair) += scatter * (y * y - power_other[k] / g.count[k]);
        dot(i, pair) += scatter * (x * y - both[k] / g.count[k]);
      }
    }
  }
  double sum = 0;
  for (int i = 0; i < kRows; ++i)
    for (int pair = 0; pair < kOften; ++pair) {
      const double norm = square(i, 0) * square_other(i, pair);
      if (norm > 0) sum += arcsine_rest(dot(i, pair) / std::sqrt(norm));
    }
  return 2 / pi * sum / (kRows * kOften);
}

}  // namespace riskcurve
