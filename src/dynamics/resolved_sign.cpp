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

constexpr double kLast = 1e9;                  // of x |g|, for directions that have no variance
constexpr int kRows = kDrawnRows, kOften = 4;  // drawn; each in four pairs
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

Normalised normalised(const Directions& g, const Fineness& grid) {
  const double step = grid.step;
  const Index modes = g.count.size();
  Normalised result{ArrayXd::Zero(modes), ArrayXd::Zero(modes), ArrayXd::Zero(modes)};
  const ArrayXd mean_square = g.mean.square();
  const double total = (g.count * (g.variance + mean_square)).sum();
  if (!(total > 0)) return result;
  double largest = 0;
  ArrayXd d, over, mean;
  for (double y = std::log(grid.first / std::sqrt(total));; y += step) {
    const double x = std::exp(y), square = 2 * x * x;
    d = 1 + square * g.variance;
    over = d.inverse();
    mean = mean_square * over;
    const double log_pi = -0.5 * (g.count * (d.log() + square * mean)).sum();
    // What is below the first node falls as x, and as x^2 for the squares.
    const bool first = largest == 0;
    const double w = step * x * std::exp(log_pi);
    const double of_one = first ? w / -std::expm1(-step) : w,
                 of_two = first ? w / -std::expm1(-2 * step) : w;
    const double norm = 2 / std::sqrt(pi);
    result.by_mean += (norm * of_one) * over;
    result.by_spread += (norm * of_one) * over * (1 - square * mean);
    result.square += (2 * x * of_two) * over * (g.variance + mean);
    // Of one direction alone Pi falls no faster than 1/x, but what is summed does.
    largest = std::max(largest, w);
    if (w < grid.vanished * largest ||
        w * x * std::sqrt(total) < grid.vanished * largest * d.minCoeff() ||
        x > kLast / std::sqrt(total))
      return result;
  }
}

namespace {

/// Squares over all directions of a mode, and products.
struct RowPowers {
  ArrayXXd one, other, both;
  ArrayXd total, total_other, product;

  explicit RowPowers(const RowPairs& of)
      : one((of.variance + of.mean.square()).colwise() * of.count),
        other((of.variance_other + of.mean_other.square()).colwise() * of.count),
        both((of.mean * of.mean_other + of.covariance).colwise() * of.count),
        total(one.colwise().sum()),
        total_other(other.colwise().sum()),
        product(both.colwise().sum()) {}
};

/// Directions that are drawn, by their noise, so that the order of modes is of no account.
std::vector<Index> heads_of(const RowPairs& of, const RowPowers& power) {
  const ArrayXd one = power.one.rowwise().sum(), other = power.other.rowwise().sum(),
                variance = of.variance.rowwise().sum();
  const double total = one.sum(), total_other = other.sum();
  std::vector<Index> heads;
  if (!(total > 0) || !(total_other > 0)) return heads;
  for (Index k = 0; k < of.count.size(); ++k)
    if (one[k] > kDrawnShare * of.count[k] * total ||
        other[k] > kDrawnShare * of.count[k] * total_other)
      heads.push_back(k);
  std::stable_sort(heads.begin(), heads.end(),
                   [&](Index a, Index b) { return variance[a] > variance[b]; });
  heads.resize(std::min(heads.size(), static_cast<std::size_t>(kMostHeads)));
  return heads;
}

/// Sum over the pairs of draw i.
double arcsine_rests(const RowPairs& of, const RowPowers& power, const std::vector<Index>& heads,
                     int i) {
  const Index draw = of.mean.cols() == 1 ? 0 : i;
  // Sums over the directions of a mode: their mean, and a scatter of its size.
  double square = power.total[draw];
  std::array<double, kOften> square_other{}, dot{};
  square_other.fill(power.total_other[draw]);
  dot.fill(power.product[draw]);
  const auto& [xi, eta] = drawn_rows();
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const Index k = heads[h], column = static_cast<Index>(h);
    const double count = of.count[k], scatter = std::sqrt(count);
    const double deviation = std::sqrt(of.variance(k, draw)),
                 later = std::sqrt(of.variance_other(k, draw));
    const double scale = deviation * later;
    const double rho = scale > 0 ? std::clamp(of.covariance(k, draw) / scale, -1.0, 1.0) : 0;
    const double apart = std::sqrt(1 - rho * rho);
    const double x = of.mean(k, draw) + deviation * xi(i, column);
    square += scatter * (x * x - power.one(k, draw) / count);
    for (int pair = 0; pair < kOften; ++pair) {
      const double fresh = eta((i + pair / 2) % kRows, column) * (pair % 2 == 0 ? 1 : -1);
      const double y = of.mean_other(k, draw) + later * (rho * xi(i, column) + apart * fresh);
      const auto p = static_cast<std::size_t>(pair);
      square_other[p] += scatter * (y * y - power.other(k, draw) / count);
      dot[p] += scatter * (x * y - power.both(k, draw) / count);
    }
  }
  double sum = 0;
  for (std::size_t p = 0; p < kOften; ++p) {
    const double norm = square * square_other[p];
    if (norm > 0) sum += arcsine_rest(dot[p] / std::sqrt(norm));
  }
  return sum;
}

}  // namespace

double rest_of_signs(const RowPairs& rows) {
  const RowPowers power(rows);
  const std::vector<Index> heads = heads_of(rows, power);
  double sum = 0;
  for (int i = 0; i < kRows; ++i) sum += arcsine_rests(rows, power, heads, i);
  return 2 / pi * sum / (kRows * kOften);
}

double rest_of_signs(const Directions& g, const Directions& other, const ArrayXd& covariance) {
  return rest_of_signs(
      RowPairs{g.count, g.mean, g.variance, other.mean, other.variance, covariance});
}

}  // namespace riskcurve
