// K = X^T X / n of the rows of a data file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "covariance_kinds.hpp"
#include "problem/data.hpp"
#include "problem/lanczos.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

constexpr int leading_count = 200, lanczos_steps = 64, probe_count = 16;

/// The eigenvectors of X^T X of eigenvalues > 0, from those of X X^T.
Eigen::MatrixXd right_vectors(const Eigen::MatrixXd& x, const Eigen::MatrixXd& left) {
  Eigen::MatrixXd right = x.transpose() * left;
  right.colwise().normalize();
  return right;
}

/// All eigenvalues from the n x n Gram matrix, where d x d would not fit.
void solve_by_rows(Covariance& result, const Eigen::MatrixXd& x) {
  const auto n = static_cast<double>(x.rows()), d = static_cast<double>(x.cols());
  const Eigenpairs pairs = eigenpairs(x * x.transpose() / n, "data");
  const Eigen::Index rank = (pairs.value > 0).count();
  std::vector<std::pair<double, double>> counts{{0.0, d - static_cast<double>(rank)}};
  for (Eigen::Index k = 0; k < rank; ++k) counts.emplace_back(pairs.value[k], 1);
  result.spectrum = spectrum_of_counts(std::move(counts));
  result.eigenvectors =
      std::make_shared<const Eigen::MatrixXd>(right_vectors(x, pairs.vector.leftCols(rank)));
  result.remark = fmt::format(
      "{} columns are too many to hold K: its spectrum is exact, its orientation taken as generic",
      x.cols());
}

/// Gives the quadrature the first moment `trace`, which is known, at the same count: by weights
/// tilted linearly in the node (a control variate), which leaves the nodes where they are, or,
/// where a weight would turn negative, by scaling the nodes. Returns the relative change of the
/// trace.
double match_trace(Quadrature& rule, double trace) {
  const double found = (rule.weight * rule.node).sum();
  if (!(found > 0)) return 0;
  const Eigen::ArrayXd offset = rule.node - found / rule.weight.sum();
  const double spread = (rule.weight * offset.square()).sum();
  const Eigen::ArrayXd tilt = 1 + (trace - found) / spread * offset;
  if (tilt.isFinite().all() && tilt.minCoeff() > 0)
    rule.weight *= tilt;
  else
    rule.node *= trace / found;
  return trace / found - 1;
}

void solve_by_krylov(Covariance& result, const Eigen::MatrixXd& x) {
  const auto n = static_cast<double>(x.rows()), d = static_cast<double>(x.cols());
  const bool wide = x.rows() < x.cols();
  const SymmetricOperator gram{std::min(x.rows(), x.cols()),
                               [&](const Eigen::VectorXd& v) -> Eigen::VectorXd {
                                 if (wide) return x * (x.transpose() * v) / n;
                                 return x.transpose() * (x * v) / n;
                               }};
  const LeadingPairs top = leading_pairs(gram, leading_count);
  Quadrature bulk = counting_quadrature(gram, lanczos_steps, probe_count, top.vector);
  const double moved = match_trace(bulk, std::max(0.0, x.squaredNorm() / n - top.value.sum()));
  std::vector<std::pair<double, double>> counts;
  for (const double value : top.value) counts.emplace_back(value, 1);
  for (Eigen::Index q = 0; q < bulk.node.size(); ++q)
    counts.emplace_back(bulk.node[q], bulk.weight[q]);
  if (wide) counts.emplace_back(0.0, d - n);
  result.spectrum = spectrum_of_counts(std::move(counts));
  // Runs of whole indices, so that a target can give each node its share of them.
  result.spectrum.first = result.spectrum.first.round().max(1);
  result.spectrum.last = result.spectrum.last.round().max(result.spectrum.first);
  result.eigenvectors =
      std::make_shared<const Eigen::MatrixXd>(wide ? right_vectors(x, top.vector) : top.vector);
  result.remark = fmt::format(
      "{} leading eigenvalues by Krylov iteration, the other {} by Lanczos quadrature from {} "
      "random "
      "probes, whose trace was moved by {:.2g} % to the known one; the orientation is taken as "
      "generic",
      top.value.size(), gram.size - top.value.size(), probe_count, 100 * moved);
}

}  // namespace

namespace {

Covariance of_rows(std::shared_ptr<const DataRows> rows, Eigen::Index dense_limit) {
  const Eigen::MatrixXd& x = rows->x;
  if (x.size() == 0) throw InputError("data", "no rows", "at least one row and one column");
  if (!x.allFinite()) throw InputError("data", "nan or inf", "finite numbers");
  if (!(x.squaredNorm() > 0) || !std::isfinite(x.squaredNorm()))
    throw InputError("data", "sum of squares " + number_text(x.squaredNorm()),
                     "columns that vary, within range");
  Covariance result;
  result.rows = rows;
  result.sample_rows = true;
  if (x.cols() <= dense_limit) {
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(x.cols(), x.cols());
    matrix.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose(),
                                                      1 / static_cast<double>(x.rows()));
    matrix.triangularView<Eigen::StrictlyUpper>() = matrix.transpose();
    Eigenpairs pairs = eigenpairs(matrix, "data");
    result.orientation = Orientation::given;
    result.spectrum = spectrum_of(pairs.value, "data");
    result.matrix = std::make_shared<const Eigen::MatrixXd>(std::move(matrix));
    result.eigenvectors = std::make_shared<const Eigen::MatrixXd>(std::move(pairs.vector));
  } else if (x.rows() <= dense_limit) {
    solve_by_rows(result, x);
  } else {
    solve_by_krylov(result, x);
  }
  return result;
}

}  // namespace

Covariance from_rows(std::shared_ptr<const DataRows> rows, Eigen::Index dense_limit) {
  DataCovariance kind;
  kind.entries = {std::shared_ptr<const Eigen::MatrixXd>(rows, &rows->x)};
  kind.center = false;  // they come as they are
  Covariance result = of_rows(std::move(rows), dense_limit);
  result.kind = kind.kind;
  result.made_from = kind;
  return result;
}

Covariance covariance_of(const DataCovariance& kind) {
  const bool held = static_cast<bool>(kind.entries);
  if (held == !kind.path.path.empty())
    throw InputError("path", held ? kind.path.path : "(missing)", "a file, or else entries");
  auto rows = std::make_shared<DataRows>();
  rows->source = kind.path.path;
  rows->x = held ? *kind.entries : read_matrix(rows->source, "path");
  if (!kind.columns.empty()) {
    const auto last = static_cast<double>(rows->x.cols());
    const std::vector<double>& columns = kind.columns;
    if (columns.size() != 2 || columns[1] < columns[0] || columns[1] > last)
      throw InputError("columns", number_text(columns.back()),
                       "[first, last] with 1 <= first <= last <= " + number_text(last));
    const auto first = static_cast<Eigen::Index>(columns[0]) - 1;
    rows->x = rows->x.middleCols(first, static_cast<Eigen::Index>(columns[1]) - first).eval();
  }
  rows->x *= kind.scale;
  if (kind.center) rows->x.rowwise() -= rows->x.colwise().mean().eval();
  Covariance result = of_rows(std::move(rows), 4096);
  result.sample_rows = kind.sample == DataCovariance::Sample::rows;
  return result;
}

}  // namespace riskcurve
