#include "dynamics/resolved_sign.hpp"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "problem/random.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using std::numbers::pi;

constexpr double kSmall = 0.015;               // of x |g|: two terms are 1e-11
constexpr double kLast = 1e9;                  // of x |g|, for directions that have no variance
constexpr int kRows = kDrawnRows, kOften = 4;  // drawn; each in four pairs
constexpr Index kMostHeads = 24;
constexpr double kDrawnShare = 3e-3;  // of |g|^2: directions that are drawn

/// Normal numbers, one row a pair of rows: of the first, and of the second, two of each.
struct DrawnRows {
  ArrayXXd xi;
  std::array<ArrayXXd, 2> eta;
};

const DrawnRows& drawn_rows() {
  static const DrawnRows rows = [] {
    Random random(3, 0, 9);
    std::array<ArrayXXd, 2> two{ArrayXXd(kRows, kMostHeads), ArrayXXd(kRows, kMostHeads)};
    for (ArrayXXd& one : two)
      for (double& x : one.reshaped()) x = random.normal();
    const auto& [xi, eta] = two;
    ArrayXXd next(kRows, kMostHeads);
    next << eta.bottomRows(kRows - 1), eta.topRows(1);
    return DrawnRows{xi, {eta, next}};
  }();
  return rows;
}

double arcsine_rest(double w) {
  const double x = std::clamp(w, -1.0, 1.0), y = x * x;
  if (y < 0.01) return x * y * (1.0 / 6 + y * (3.0 / 40 + y * (15.0 / 336 + y * 105.0 / 3456)));
  return std::asin(x) - x;
}

/// The sums over all nodes up to x, `step` apart in log x, where x is so small that Pi and D are 1
/// and two terms each.
Normalised below(const Directions& g, double total, double x, double step) {
  const auto sum = [&](int power) {
    return step * std::pow(x, power) / -std::expm1(-power * step);
  };
  const ArrayXd &v = g.variance, mean_square = g.mean.square(), square = v.square(),
                cross = v * mean_square;
  const double fourth = 0.5 * total * total + (g.count * (square + 2 * cross)).sum();
  // Pi (1 + second x^2 + fourth x^4) x^power
  const auto terms = [&](const ArrayXd& second, const ArrayXd& of_fourth, int power) -> ArrayXd {
    return sum(power) + (second - total) * sum(power + 2) +
           (of_fourth - total * second + fourth) * sum(power + 4);
  };
  const double norm = 2 / std::sqrt(pi);
  const ArrayXd all = v + mean_square;
  return {norm * terms(-2 * v, 4 * square, 1), norm * terms(-2 * all, 4 * square + 8 * cross, 1),
          2 * (all * sum(2) - (2 * square + 4 * cross + total * all) * sum(4) +
               (4 * square * v + 12 * square * mean_square + total * (2 * square + 4 * cross) +
                fourth * all) *
                   sum(6))};
}

}  // namespace

Normalised normalised(const Directions& g, const Fineness& grid) {
  const double step = grid.step;
  const ArrayXd mean_square = g.mean.square();
  const double total = (g.count * (g.variance + mean_square)).sum();
  const Index modes = g.count.size();
  if (!(total > 0)) return {ArrayXd::Zero(modes), ArrayXd::Zero(modes), ArrayXd::Zero(modes)};
  const double all = std::sqrt(total), first = std::log(grid.first / all),
               small = std::log(kSmall / std::max(all, std::sqrt(g.variance.maxCoeff())));
  const double start = first + step * std::max(0.0, std::floor((small - first) / step));
  Normalised result = below(g, total, std::exp(start), step);
  double largest = 0;
  ArrayXd d, over, mean;
  for (double y = start + step;; y += step) {
    const double x = std::exp(y), square = 2 * x * x;
    d = 1 + square * g.variance;
    over = d.inverse();
    mean = mean_square * over;
    const double log_pi = -0.5 * (g.count * (d.log() + square * mean)).sum();
    const double w = step * x * std::exp(log_pi), norm = 2 / std::sqrt(pi);
    result.by_mean += (norm * w) * over;
    result.by_spread += (norm * w) * over * (1 - square * mean);
    result.square += (2 * x * w) * over * (g.variance + mean);
    // Of one direction alone Pi falls no faster than 1/x, but what is summed does.
    largest = std::max(largest, w);
    if (w < grid.vanished * largest ||
        w * x * std::sqrt(total) < grid.vanished * largest * d.minCoeff() ||
        x > kLast / std::sqrt(total))
      return result;
  }
}

RowsSeen::RowsSeen(ArrayXd of, ArrayXXd by_mean, const ArrayXXd& by_variance)
    : count(std::move(of)),
      mean(std::move(by_mean)),
      deviation(by_variance.sqrt()),
      square(by_variance + mean.square()),
      total((square.matrix() * count.matrix()).array()),
      variance(by_variance.colwise().sum().transpose()) {
  const ArrayXd share = square.colwise().sum().transpose() / total.sum();
  for (const double x : share) drawn.push_back(x > kDrawnShare);
}

/// By their noise, so that the order of modes is of no account.
std::vector<Index> heads_of(const RowsSeen& g, const RowsSeen& other) {
  std::vector<Index> heads;
  if (!(g.total.sum() > 0) || !(other.total.sum() > 0)) return heads;
  for (std::size_t k = 0; k < g.drawn.size(); ++k)
    if (g.drawn[k] || other.drawn[k]) heads.push_back(static_cast<Index>(k));
  std::stable_sort(heads.begin(), heads.end(),
                   [&](Index a, Index b) { return g.variance[a] > g.variance[b]; });
  heads.resize(std::min(heads.size(), static_cast<std::size_t>(kMostHeads)));
  return heads;
}

double rest_of_signs(const RowsSeen& g, const RowsSeen& other, const std::vector<Index>& heads,
                     const ArrayXXd& of_heads, const ArrayXd& in_all) {
  using Draws = Eigen::Array<double, kRows, 1>;
  using Often = Eigen::Array<double, kRows, kOften>;
  const auto each = [](const auto& rows) -> Draws {
    if (rows.size() == 1) return Draws::Constant(rows[0]);
    return rows;
  };
  // Sums over the directions of a mode: their mean, and a scatter of its size.
  Draws square = each(g.total);
  Often square_other = each(other.total).replicate<1, kOften>(),
        dot = each(in_all).replicate<1, kOften>();
  const DrawnRows& drawn = drawn_rows();
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const Index k = heads[h], column = static_cast<Index>(h);
    const double scatter = std::sqrt(g.count[k]);
    const auto xi = drawn.xi.col(column);
    const Draws mean = each(g.mean.col(k)), deviation = each(g.deviation.col(k)),
                mean_other = each(other.mean.col(k)), later = each(other.deviation.col(k)),
                square_of_mode = each(other.square.col(k)), both = each(of_heads.col(column));
    const Draws scale = deviation * later;
    const Draws rho =
        (scale > 0).select((both - mean * mean_other) / scale.max(1e-300), 0.0).max(-1.0).min(1.0);
    const Draws x = mean + deviation * xi, near = mean_other + later * rho * xi,
                apart = later * (1 - rho.square()).sqrt();
    square += scatter * (x.square() - each(g.square.col(k)));
    for (int pair = 0; pair < kOften; ++pair) {
      const Draws y = near + (pair % 2 == 0 ? 1.0 : -1.0) * apart *
                                 drawn.eta[static_cast<std::size_t>(pair / 2)].col(column);
      square_other.col(pair) += scatter * (y.square() - square_of_mode);
      dot.col(pair) += scatter * (x * y - both);
    }
  }
  const Often norm = square_other.colwise() * square,
              cosine = (norm > 0).select(dot / norm.max(1e-300).sqrt(), 0.0);
  double sum = 0;
  for (const double w : cosine.reshaped()) sum += arcsine_rest(w);
  return 2 / pi * sum / (kRows * kOften);
}

double rest_of_signs(const RowsSeen& g, const RowsSeen& other, const ArrayXd& both) {
  const std::vector<Index> heads = heads_of(g, other);
  return rest_of_signs(g, other, heads, both(heads).transpose(),
                       ArrayXd::Constant(1, (g.count * both).sum()));
}

}  // namespace riskcurve
