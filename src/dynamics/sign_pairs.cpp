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
using std::numbers::pi;

ArrayXXd ratio_or_zero(const ArrayXXd& a, const ArrayXXd& b) {
  return (b > 0).select(a / b.max(1e-300), 0.0);
}

ArrayXXd matrix_product(const ArrayXXd& a, const ArrayXXd& b) {
  return (a.matrix() * b.matrix()).array();
}

/// And what it comes to.
struct OneView {
  SeenByRows by;
  ArrayXXd linear;
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
  SeenByRows& by = of.by;
  by.variance = (in_columns(g.variance, counted) + all - fixed).max(0.0);
  by.seen = fixed.sqrt();
  by.by_mean = by.by_spread = ArrayXXd(all.rows(), all.cols());
  ArrayXXd square = by.by_mean;
  for (Index i = 0; i < squares.cols(); ++i) {
    const Normalised row = normalised({columns, by.seen.col(i), by.variance.col(i)}, grid);
    by.by_mean.col(i) = row.by_mean;
    by.by_spread.col(i) = row.by_spread;
    square.col(i) = row.square;
  }
  by.bent =
      (square - fixed * by.by_mean.square() - by.variance * by.by_spread.square()).max(0.0).sqrt();
  const ArrayXXd power = by.variance + fixed, root = ratio_or_zero(square, power).sqrt();
  by.size = power.sqrt();
  by.of_spread = matrix_product(squares, by.by_spread.transpose()) / draws;
  const auto beyond = [&](const ArrayXXd& slopes, const ArrayXXd& whole) -> ArrayXXd {
    return matrix_product(squares.square(),
                          ratio_or_zero(slopes - by.by_spread, whole).transpose()) /
           draws;
  };
  // An entry is its column's largest mean by so much: u^2 mean^2 over all of them.
  by.of_mean = by.of_spread + mean_square * beyond(by.by_mean, all);
  // What differs answers as its whole column by u^2 Var G over all of that.
  const ArrayXXd answer = by.of_spread + g.variance * beyond(root, power);
  of.linear = mean_square * by.of_mean.square() + g.variance * answer.square();
  by.of_bent = (g.variance * (answer.square() - by.of_spread.square())).max(0.0).sqrt();
  const ArrayXd held = (of.linear.matrix().transpose() * rows.matrix()).array();
  of.column_rest = 2 / pi * (square.rowwise().mean() - held).max(0.0);
  return of;
}

/// Of numbers with nothing known of their signs but c, their product and what scatters besides: all
/// of it with the sign of c, from where c is half of it on.
ArrayXXd product_like(const ArrayXXd& a, const ArrayXXd& b, const ArrayXXd& c) {
  const ArrayXXd most = (a * b).abs();
  return (2 * c).max(-most).min(most);
}

/// E of the products of two rests of columns, of a share 1/d of all squares: what the columns do
/// at each draw, less what is linear in the draw too. The number that a column has keeps its sign
/// or changes it as `products`, of the entries, says.
ArrayXd rest_in_columns(const SeenByRows& now, const SeenByRows& then, const ArrayXXd& mean,
                        const ArrayXXd& mean_then, const ArrayXXd& correlation,
                        const ArrayXXd& products, const ArrayXXd& in_columns, const ArrayXd& rows) {
  const auto draws = static_cast<double>(in_columns.cols());
  const ArrayXXd numbers = product_like(now.seen, then.seen, in_columns),
                 cosine = ratio_or_zero(in_columns, now.size * then.size).max(-1.0).min(1.0),
                 each = numbers * now.by_mean * then.by_mean +
                        (in_columns - numbers) * now.by_spread * then.by_spread +
                        now.bent * then.bent * cosine.cube();
  const ArrayXd all = (each.matrix() * Eigen::VectorXd::Constant(each.cols(), 1 / draws)).array();
  const ArrayXXd means = product_like(mean, mean_then, products),
                 linear = means * now.of_mean * then.of_mean +
                          (products - means) * now.of_spread * then.of_spread +
                          now.of_bent * then.of_bent * correlation.cube();
  return 2 / pi * (all - (linear.matrix().transpose() * rows.matrix()).array());
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
  signs.by_mean = scale * both(down.by.of_mean, across.by.of_mean);
  signs.by_spread = scale * both(down.by.of_spread, across.by.of_spread);
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
  signs.square = g.variance + g.mean.square();
  signs.mean = g.mean;
  signs.down = down.by;
  signs.across = across.by;
  return signs;
}

ArrayXXd rest_of_pairs(const SignSides& sides, const PairSigns& now, const PairSigns& then,
                       const ArrayXXd& correlation) {
  const ArrayXXd products = correlation * (now.square * then.square).sqrt(),
                 in_columns =
                     matrix_product(products.transpose(), sides.row_squares.colwise() * sides.rows),
                 in_rows = matrix_product(products, sides.column_squares.colwise() * sides.columns),
                 numbers = product_like(now.down.seen, then.down.seen, in_columns);
  const double arcsine = rest_of_signs({sides.columns, now.down.seen, now.down.variance,
                                        ratio_or_zero(numbers, now.down.seen), then.down.variance,
                                        in_columns - numbers});
  const ArrayXd columns = rest_in_columns(now.down, then.down, now.mean, then.mean, correlation,
                                          products, in_columns, sides.rows),
                rows = rest_in_columns(now.across, then.across, now.mean.transpose(),
                                       then.mean.transpose(), correlation.transpose(),
                                       products.transpose(), in_rows, sides.columns);
  // The arcsine has all that is not linear in a coordinate of the columns.
  const double of_rows = (sides.rows * rows).sum();
  ArrayXXd rest = ArrayXXd::Constant(rows.size(), columns.size(), arcsine - of_rows);
  rest.rowwise() += sides.columns.sum() * columns.transpose();
  rest.colwise() += sides.rows.sum() * rows;
  return rest;
}

}  // namespace riskcurve
