#include "dynamics/two_sided_resolvent.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dynamics/both_grids.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kNodesApart = 1;    // of log t, node to node
constexpr int kMostT = 80;           // nodes
constexpr double kFarT = 30;         // t^2 over all variance at the first node
constexpr double kOpen = 0.004;      // of a row's or column's singular values below the last
constexpr double kFaintRow = 1e-14;  // of the largest: not waited for
constexpr double kFilled = 1e-3;     // of the rank not yet held, where that is the batch
constexpr double kSameShape = 0.01;  // variances that move by less have powers of the same shape
constexpr double kAlmost = 1 - 1e-9;
constexpr double kAlikeSides = 1e-9;  // V and its transpose: by roundoff alone
// Of rough ones:
constexpr double kAlikeSidesRough = 1e-3;
constexpr double kApartRough = 1.5;
constexpr double kCloseRough = 1e-3;     // of a Newton move: of the next 1e-6
constexpr double kSameShapeRough = 0.2;  // variances
constexpr double kNoRestRough = 0.1;     // correlations whose square is nothing to one

ArrayXXd as_pairs(const TwoSides& sides, const ArrayXd& modes) {
  return modes.reshaped(sides.out(), sides.in());
}

struct PairPoint {
  double log_t, log_m;
  ArrayXd log_x, log_y;
  FixedSignal<double> fixed;
  MatrixXd variance = {};
  FilteredVariance::Factors factors = {};
};

double apart(const TwoSides& sides) {
  return sides.rough ? kApartRough : kNodesApart;
}

/// x, y and m at t.
class PairEquation {
 public:
  PairEquation(const TwoSides& sides, const FilteredVariance& variance)
      : sides_(sides), variance_(variance) {
    if (sides.out() != sides.in()) return;
    const ArrayXXd pairs = as_pairs(sides, variance.unsaturated());
    alike_ = (sides.sigma == sides.lambda).all() && (sides.rows == sides.columns).all() &&
             ((pairs - pairs.transpose()).abs() <=
              (sides.rough ? kAlikeSidesRough : kAlikeSides) * pairs)
                 .all();
  }

  /// Newton for log x, log y, log m from a guess.
  void solve(PairPoint& point) const {
    constexpr double farthest = 3;
    const double close = sides_.rough ? kCloseRough : 1e-7;
    for (int i = 0; i < 60; ++i)
      if ((alike_ ? improve_alike(point, farthest) : improve(point, farthest)) < close) return;
  }

 private:
  /// The same where x = y.
  double improve_alike(PairPoint& point, double farthest) const {
    const FilteredVariance::Value v = variance_.at(point.log_m, point.factors);
    const Index n = sides_.in();
    point.fixed.signal = v.signal.max(0.0).reshaped(n, n);
    point.variance = (v.value.reshaped(n, n) + point.fixed.signal * point.fixed.echo).matrix();
    const double t = std::exp(point.log_t);
    const ArrayXd x = point.log_x.exp(), all = sides_.rows * x;
    const ArrayXd held = (point.variance * all.matrix()).array();
    const ArrayXd whole = x * (t + held), of = sides_.sigma * all;
    const VectorXd part = of / of.sum();
    MatrixXd matrix(n + 1, n + 1);
    matrix.topLeftCorner(n, n) =
        (x / whole).matrix().asDiagonal() * point.variance * all.matrix().asDiagonal();
    matrix.topLeftCorner(n, n).diagonal().array() += 1;
    matrix.topRightCorner(n, 1) =
        (x / whole * (v.slope.reshaped(n, n).matrix() * all.matrix()).array()).matrix();
    matrix.bottomLeftCorner(1, n) = -2 * part.transpose();
    matrix(n, n) = 1;
    VectorXd right(n + 1);
    right.head(n) = -whole.log().matrix();
    right[n] = 2 * std::log(of.sum() / sides_.batch) - point.log_m;
    const VectorXd move = matrix.partialPivLu().solve(right);
    const double most = move.cwiseAbs().maxCoeff();
    const double along = most > farthest ? farthest / most : 1;
    point.log_x += along * move.head(n).array();
    point.log_y = point.log_x;
    point.log_m += along * move[n];
    return std::max(most, point.fixed.renew(sides_, point.variance, t, point.log_x, point.log_y));
  }

  /// The largest move.
  double improve(PairPoint& point, double farthest) const {
    const FilteredVariance::Value v = variance_.at(point.log_m, point.factors);
    point.fixed.signal = v.signal.max(0.0).reshaped(sides_.out(), sides_.in());
    point.variance = v.value.reshaped(sides_.out(), sides_.in()).matrix() +
                     (point.fixed.signal * point.fixed.echo).matrix();
    const MatrixXd slope = v.slope.reshaped(sides_.out(), sides_.in()).matrix();
    const Balance<double> at(sides_, point.variance, std::exp(point.log_t), point.log_x,
                             point.log_y);
    const VectorXd by_m_x = (point.log_x.exp() * (slope * at.y.matrix()).array() / at.whole_x),
                   by_m_y = (point.log_y.exp() * (slope.transpose() * at.x.matrix()).array() /
                             at.whole_y);
    const ArrayXd of_x = sides_.sigma * at.x, of_y = sides_.lambda * at.y;
    const VectorXd part_x = of_x / of_x.sum(), part_y = of_y / of_y.sum();
    const double miss =
        point.log_m - std::log(of_x.sum()) - std::log(of_y.sum()) + 2 * std::log(sides_.batch);
    const Index in = sides_.in();
    MatrixXd matrix(in + 1, in + 1);
    matrix.topLeftCorner(in, in) = at.reduced();
    matrix.topRightCorner(in, 1) = by_m_y - at.by_x.transpose() * by_m_x;
    matrix.bottomLeftCorner(1, in) = part_x.transpose() * at.by_y - part_y.transpose();
    matrix(in, in) = 1 + part_x.dot(by_m_x);
    VectorXd right(in + 1);
    right.head(in) = at.by_x.transpose() * at.miss_x.matrix() - at.miss_y.matrix();
    right[in] = -miss - part_x.dot(at.miss_x.matrix());
    const VectorXd move = matrix.partialPivLu().solve(right);
    const ArrayXd move_x = -at.miss_x - (at.by_y * move.head(in) + by_m_x * move[in]).array();
    const double most = std::max(move.cwiseAbs().maxCoeff(), move_x.abs().maxCoeff());
    const double part = most > farthest ? farthest / most : 1;
    point.log_x += part * move_x;
    point.log_y += part * move.head(in).array();
    point.log_m += part * move[in];
    return std::max(most, point.fixed.renew(sides_, point.variance, std::exp(point.log_t),
                                            point.log_x, point.log_y));
  }

  const TwoSides& sides_;
  const FilteredVariance& variance_;
  bool alike_ = false;  // both sides
};

/// Whether what is faint apart nothing is left of the shorter side at t.
bool all_below(const ArrayXd& log_x, double log_t, const ArrayXd& variance) {
  return (variance > kFaintRow * variance.maxCoeff())
             .select((log_x + log_t).exp(), 0.0)
             .maxCoeff() < kOpen;
}

std::vector<PairPoint> pair_nodes(const TwoSides& sides, const FilteredVariance& variance,
                                  double rank, const TwoSidedResolvent* last) {
  const ArrayXXd plain = as_pairs(sides, variance.unsaturated());
  const ArrayXd of_rows = (plain.matrix() * sides.columns.matrix()).array(),
                of_columns = (plain.matrix().transpose() * sides.rows.matrix()).array();
  const double rows = sides.rows.sum(), columns = sides.columns.sum();
  const double first = 0.5 * std::log(kFarT * (sides.rows * of_rows).sum());
  const double start_m = std::log((sides.rows * sides.sigma).sum()) +
                         std::log((sides.columns * sides.lambda).sum()) - 2 * std::log(sides.batch);
  const PairEquation equation(sides, variance);
  std::vector<PairPoint> points;
  for (int i = 0; i < kMostT; ++i) {
    PairPoint point{first - apart(sides) * i, 0, {}, {}, FixedSignal<double>(plain)};
    if (last && i < last->log_t.size()) {
      const double shift = last->log_t[i] - point.log_t;
      point.log_m = last->log_m[i] + 2 * shift;
      point.log_x = last->log_x.col(i) + shift;
      point.log_y = last->log_y.col(i) + shift;
      point.fixed.echo = last->echo[static_cast<std::size_t>(i)];
    } else if (i < 2) {
      point.log_m = start_m - 2 * point.log_t;
      point.log_x = ArrayXd::Constant(sides.out(), -point.log_t);
      point.log_y = ArrayXd::Constant(sides.in(), -point.log_t);
    } else {
      const PairPoint &a = points[static_cast<std::size_t>(i - 2)], &b = points.back();
      point.log_m = 2 * b.log_m - a.log_m;
      point.log_x = 2 * b.log_x - a.log_x;
      point.log_y = 2 * b.log_y - a.log_y;
      point.fixed.echo = b.fixed.echo;
    }
    equation.solve(point);
    points.push_back(std::move(point));
    const PairPoint& at = points.back();
    if ((rows > columns || all_below(at.log_x, at.log_t, of_rows)) &&
        (columns > rows || all_below(at.log_y, at.log_t, of_columns)))
      break;
    const double held = (sides.rows * (1 - (at.log_x + at.log_t).exp())).sum();
    if (rank < std::min(rows, columns) && held > (1 - kFilled) * rank) break;
  }
  return points;
}

/// 2/pi dt of a node of t among `count`, nodes `apart` in log t, of those beyond both ends too:
/// there sums are geometric.
double weight_of(double log_t, double apart, bool end) {
  return 2 / std::numbers::pi * apart * std::exp(log_t) * (end ? 1 / -std::expm1(-apart) : 1);
}

/// Rows, or columns, in which something is correlated.
std::vector<Index> correlated_rows(const ArrayXXd& correlation, double least) {
  std::vector<Index> rows;
  for (Index i = 0; i < correlation.rows(); ++i)
    if (correlation.row(i).abs().maxCoeff() >= least) rows.push_back(i);
  return rows;
}

/// On the nodes that sums over two grids of t take, of these rows and columns.
GridRoots roots_of(const TwoSidedResolvent& of, const std::vector<Index>& rows,
                   const std::vector<Index>& columns) {
  const Index count = of.log_t.size(), stride = of.sides.rough ? 2 : 1;
  std::vector<Index> nodes;
  GridRoots roots;
  for (Index k = 0; k < count; k += stride) {
    nodes.push_back(k);
    roots.weight.push_back(stride == 1 ? of.weight[k]
                                       : weight_of(of.log_t[k],
                                                   apart(of.sides) * static_cast<double>(stride),
                                                   k == 0 || k + stride >= count));
    roots.root.emplace_back(of.root[static_cast<std::size_t>(k)](rows, columns));
  }
  roots.x = (0.5 * of.log_x(rows, nodes)).exp();
  roots.y = (0.5 * of.log_y(columns, nodes)).exp();
  return roots;
}

/// Over both grids of t: sum of weights sqrt(x x') [R (1 - S S^T)^(-1) S] sqrt(y y'), R = S S^T of
/// the rest alone, 1 of all. The same grid twice: of half of the pairs.
ArrayXXd over_both(const TwoSidedResolvent& now, const TwoSidedResolvent& then,
                   const ArrayXXd& correlation, bool rest) {
  const TwoSides& sides = now.sides;
  const double least = rest && sides.rough ? kNoRestRough : 0;
  const std::vector<Index> rows = correlated_rows(correlation, least),
                           columns = correlated_rows(correlation.transpose(), least);
  ArrayXXd result = ArrayXXd::Zero(sides.out(), sides.in());
  if (rows.empty() || columns.empty()) return result;
  const ArrayXXd counts =
      (sides.rows(rows).sqrt().matrix() * sides.columns(columns).sqrt().matrix().transpose())
          .array();
  result(rows, columns) = sum_over_both(roots_of(now, rows, columns), roots_of(then, rows, columns),
                                        correlation(rows, columns) * counts,
                                        {rest, rest || sides.rough, &now == &then}) /
                          counts;
  return result;
}

/// What t = 0 has, from 1 - c - d t at the last two nodes; no more than the rank.
ArrayXd held_at_last(const ArrayXXd& log_x, const ArrayXd& log_t, const ArrayXd& count,
                     double rank) {
  const Index n = log_t.size();
  const auto held = [&](Index k) -> ArrayXd { return 1 - (log_x.col(k) + log_t[k]).exp(); };
  if (n < 2) return held(n - 1);
  const double fall = std::exp(log_t[n - 1] - log_t[n - 2]);
  const ArrayXd at = ((held(n - 1) - fall * held(n - 2)) / (1 - fall)).max(0.0).min(1.0);
  if ((count * at).sum() <= rank) return at;
  // Where samples are fewer, what is left falls faster, and the last node may lie beyond.
  const ArrayXd last = held(n - 1);
  return last * std::min(1.0, rank / (count * last).sum());
}

void add_power(TwoSidedResolvent& result, const ArrayXd& variance, double rank,
               const TwoSidedResolvent* last) {
  const TwoSides& sides = result.sides;
  const auto shares = [](const ArrayXd& v) -> ArrayXd { return v / v.maxCoeff(); };
  const double same = sides.rough ? kSameShapeRough : kSameShape;
  if (last && last->shape &&
      ((shares(variance) - shares(last->shape->variance)).abs() < same * shares(variance)).all()) {
    result.shape = last->shape;
  } else {
    const ArrayXXd one = ArrayXXd::Constant(sides.out(), sides.in(), kAlmost);
    result.shape = std::make_shared<const TwoSidedResolvent::Shape>(TwoSidedResolvent::Shape{
        variance, over_both(result, result, one, false).max(0.0).reshaped()});
  }
  // In a row and column squares are as V, to first order.
  const ArrayXd moved =
      sides.rough ? ArrayXd(variance / result.shape->variance) : ArrayXd::Ones(sides.modes());
  result.power = with_sums(sides, as_pairs(sides, result.shape->power * moved),
                           held_at_last(result.log_x, result.log_t, sides.rows, rank),
                           held_at_last(result.log_y, result.log_t, sides.columns, rank))
                     .reshaped();
}

}  // namespace

ArrayXXd with_sums(const TwoSides& sides, ArrayXXd matrix, const ArrayXd& rows,
                   const ArrayXd& columns) {
  constexpr int most = 40;
  const double factor = (sides.columns * columns).sum() / (sides.rows * rows).sum();
  for (int i = 0; i < most; ++i) {
    const ArrayXd row = (matrix.matrix() * sides.columns.matrix()).array();
    matrix.colwise() *= (row > 0).select(factor * rows / row.max(1e-300), 0.0);
    const ArrayXd column = (matrix.matrix().transpose() * sides.rows.matrix()).array();
    const ArrayXd by = (column > 0).select(columns / column.max(1e-300), 0.0);
    matrix.rowwise() *= by.transpose();
    if ((by - 1).abs().maxCoeff() < 1e-6) break;
  }
  return matrix;
}

std::shared_ptr<TwoSidedResolvent> two_sided_resolvent(const TwoSides& sides, const NoiseLaw& noise,
                                                       double risk, double memory,
                                                       const FilteredGradient& gradient,
                                                       const ArrayXd& sampled,
                                                       const TwoSidedResolvent* last) {
  auto result = std::make_shared<TwoSidedResolvent>();
  result->sides = sides;
  result->tables =
      filter_tables(noise, risk, memory, gradient, {}, {}, last ? &last->tables : nullptr);
  const ArrayXd weight = (sides.sigma.matrix() * sides.lambda.matrix().transpose()).reshaped();
  const FilteredVariance variance(gradient, weight, sampled, result->tables,
                                  noise.variance / (2 * risk + noise.variance));
  const double rank = sides.batch * result->tables.gradients(gradient.momentum);
  const std::vector<PairPoint> points = pair_nodes(sides, variance, rank, last);
  const auto count = static_cast<Index>(points.size());
  for (ArrayXd* of : {&result->log_t, &result->log_m, &result->weight}) of->resize(count);
  result->log_x.resize(sides.out(), count);
  result->log_y.resize(sides.in(), count);
  result->slopes.clear(sides.modes());
  for (Index k = 0; k < count; ++k) {
    const PairPoint& at = points[static_cast<std::size_t>(k)];
    result->log_t[k] = at.log_t;
    result->log_m[k] = at.log_m;
    result->log_x.col(k) = at.log_x;
    result->log_y.col(k) = at.log_y;
    const double w = result->weight[k] =
        weight_of(at.log_t, apart(sides), k == 0 || k + 1 == count);
    const ArrayXXd pair = (at.log_x.exp().matrix() * at.log_y.exp().matrix().transpose()).array();
    result->root.emplace_back((pair * at.variance.array().max(0.0)).sqrt());
    const ArrayXXd& echo = at.fixed.echo;
    result->slopes.add(w * (pair * (1 + echo)).reshaped(), w * (pair * (1 - echo)).reshaped(),
                       at.factors, variance.heads());
    result->echo.push_back(at.fixed.echo);
  }
  add_power(*result, variance.unsaturated(), rank, last);
  return result;
}

ArrayXd two_sided_rest(const TwoSidedResolvent& now, const TwoSidedResolvent& then,
                       const ArrayXd& correlation) {
  // Third order in it.
  constexpr double nothing = 0.02;
  const TwoSides& sides = now.sides;
  if (correlation.abs().maxCoeff() < nothing) return ArrayXd::Zero(sides.modes());
  ArrayXd rest = over_both(now, then, as_pairs(sides, correlation.min(kAlmost).max(-kAlmost)), true)
                     .reshaped();
  if (now.rest_ratio.size() > 0) rest *= (now.rest_ratio * then.rest_ratio).max(0.0).sqrt();
  return rest;
}

}  // namespace riskcurve
