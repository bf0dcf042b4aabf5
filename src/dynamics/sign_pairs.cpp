#include "dynamics/sign_pairs.hpp"

#include <algorithm>
#include <boost/math/distributions/gamma.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "problem/random.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using std::numbers::pi;

ArrayXXd ratio_or_zero(const ArrayXXd& a, const ArrayXXd& b) {
  return (b > 0).select(a / b.max(1e-300), 0.0);
}

ArrayXXd matrix_product(const ArrayXXd& a, const ArrayXXd& b) {
  return (a.matrix() * b.matrix()).array();
}

/// E over drawn rows u; shape (columns, draws) what they see.
struct OneView {
  ArrayXXd seen, variance;
  ArrayXXd by_mean, by_spread, linear;
  ArrayXd column_rest;
};

/// The largest mean of a column is the number that it is; the others, of any sign, scatter like
/// noise.
OneView view(const PairGradient& g, const ArrayXd& rows, const ArrayXd& columns,
             const ArrayXXd& squares, const Fineness& grid) {
  const auto draws = static_cast<double>(squares.cols());
  const ArrayXXd counted = squares.colwise() * rows, mean_square = g.mean.square();
  const auto in_columns = [](const ArrayXXd& of, const ArrayXXd& by) {
    return matrix_product(of.transpose(), by);
  };
  const ArrayXXd all = in_columns(mean_square, counted),
                 fixed = ratio_or_zero(in_columns(mean_square.square(), counted * squares), all);
  OneView of;
  of.variance = (in_columns(g.variance, counted) + all - fixed).max(0.0);
  of.seen = (in_columns(mean_square * g.mean, counted) < 0).select(-fixed.sqrt(), fixed.sqrt());
  ArrayXXd by_mean(all.rows(), all.cols()), by_spread = by_mean, square = by_mean;
  for (Index i = 0; i < squares.cols(); ++i) {
    const Normalised row = normalised({columns, of.seen.col(i), of.variance.col(i)}, grid);
    by_mean.col(i) = row.by_mean;
    by_spread.col(i) = row.by_spread;
    square.col(i) = row.square;
  }
  const ArrayXXd root = ratio_or_zero(square, of.variance + of.seen.square()).sqrt();
  of.by_spread = matrix_product(squares, by_spread.transpose()) / draws;
  // An entry is its column's largest mean by so much: u^2 mean^2 over all of them.
  of.by_mean =
      of.by_spread +
      mean_square *
          matrix_product(squares.square(), ratio_or_zero(by_mean - by_spread, all).transpose()) /
          draws;
  of.linear =
      (g.variance + mean_square) * (matrix_product(squares, root.transpose()) / draws).square();
  const ArrayXd held = (of.linear.matrix().transpose() * rows.matrix()).array();
  of.column_rest = 2 / pi * (square.rowwise().mean() - held).max(0.0);
  return of;
}

/// E of the product of two rests of one entry in each column, which are correlated as its linear
/// parts are, each by its power: their roots `now` and `then`.
ArrayXd rest_in_columns(const ArrayXd& rest, const ArrayXd& rest_then, const ArrayXXd& now,
                        const ArrayXXd& then, const ArrayXXd& correlation, const ArrayXd& count) {
  const auto weighted = [&](const ArrayXXd& of) -> ArrayXd {
    return (of.matrix().transpose() * count.matrix()).array();
  };
  return (rest * rest_then).sqrt() *
         ratio_or_zero(weighted(now * then * correlation),
                       (weighted(now.square()) * weighted(then.square())).sqrt())
             .col(0);
}

}  // namespace

ArrayXXd drawn_squares(const ArrayXd& count) {
  constexpr Index draws = kDrawnRows;
  ArrayXXd squares(count.size(), draws);
  Random random(3, 0, 11);
  std::vector<Index> order(draws);
  for (Index k = 0; k < count.size(); ++k) {
    for (Index i = 0; i < draws; ++i) order[static_cast<std::size_t>(i)] = i;
    for (Index i = draws - 1; i > 0; --i) {
      const auto j = static_cast<Index>(random.uniform() * static_cast<double>(i + 1));
      std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    }
    const double half = 0.5 * std::max(count[k], 1e-3);
    const boost::math::gamma_distribution<double> law(half, 1 / half);
    for (Index i = 0; i < draws; ++i)
      squares(k, order[static_cast<std::size_t>(i)]) =
          quantile(law, (static_cast<double>(i) + 0.5) / static_cast<double>(draws));
    squares.row(k) /= squares.row(k).mean();
  }
  return squares;
}

SignSides::SignSides(const ArrayXd& out, const ArrayXd& in, bool same)
    : rows(out),
      columns(in),
      row_squares(drawn_squares(out)),
      column_squares(drawn_squares(in)),
      counted((row_squares.colwise() * rows).matrix().transpose()),
      alike(same) {}

PairSigns signs_of_pairs(const SignSides& sides, const PairGradient& g, const Fineness& grid) {
  const OneView down = view(g, sides.rows, sides.columns, sides.row_squares, grid);
  OneView across;
  if (sides.alike)
    across = down;
  else
    across = view({g.mean.transpose(), g.variance.transpose()}, sides.columns, sides.rows,
                  sides.column_squares, grid);
  const double entries = sides.entries(), scale = std::sqrt(2 * entries / pi);
  const auto both = [](const ArrayXXd& a, const ArrayXXd& b) -> ArrayXXd {
    return 0.5 * (a + b.transpose());
  };
  PairSigns signs;
  signs.by_mean = scale * both(down.by_mean, across.by_mean);
  signs.by_spread = scale * both(down.by_spread, across.by_spread);
  signs.linear = 2 / pi * both(down.linear, across.linear);
  const double in_columns = (sides.columns * down.column_rest).sum(),
               in_rows = (sides.rows * across.column_rest).sum(),
               linear = (sides.rows.matrix().transpose() * signs.linear.matrix() *
                         sides.columns.matrix())
                            .value();
  const double in_both = std::max(0.0, 1 - linear - in_columns - in_rows);
  signs.linear *= entries;
  signs.column_rest = entries / sides.rows.sum() * down.column_rest;
  signs.row_rest = entries / sides.columns.sum() * across.column_rest;
  signs.power = signs.linear + in_both;
  signs.power.rowwise() += signs.column_rest.transpose();
  signs.power.colwise() += signs.row_rest;
  signs.deviation = (g.variance + g.mean.square()).sqrt();
  signs.linear_deviation = signs.linear.sqrt();
  signs.seen = RowsSeen(sides.columns, down.seen.transpose(), down.variance.transpose());
  return signs;
}

ArrayXXd rest_of_pairs(const SignSides& sides, const PairSigns& now, const PairSigns& then,
                       const ArrayXXd& correlation) {
  const MatrixXd both = (correlation * now.deviation * then.deviation).matrix();
  const std::vector<Index> heads = heads_of(now.seen, then.seen);
  const double arcsine =
      rest_of_signs(now.seen, then.seen, heads, (sides.counted * both(Eigen::all, heads)).array(),
                    (sides.counted * (both * sides.columns.matrix())).array());
  const ArrayXXd &linear = now.linear_deviation, &linear_then = then.linear_deviation;
  const ArrayXd columns = rest_in_columns(now.column_rest, then.column_rest, linear, linear_then,
                                          correlation, sides.rows),
                rows = sides.alike ? columns
                                   : rest_in_columns(now.row_rest, then.row_rest,
                                                     linear.transpose(), linear_then.transpose(),
                                                     correlation.transpose(), sides.columns);
  // The arcsine has all that is not linear in a coordinate of the columns.
  const double of_rows = (sides.rows * rows).sum() / sides.rows.sum();
  ArrayXXd rest = ArrayXXd::Constant(rows.size(), columns.size(), arcsine - of_rows);
  rest.rowwise() += columns.transpose();
  rest.colwise() += rows;
  return rest;
}

}  // namespace riskcurve
