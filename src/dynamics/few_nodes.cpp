#include "dynamics/few_nodes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "dynamics/gauss_measure.hpp"
#include "dynamics/octaves.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

struct Side {
  Spectrum spectrum;
  ArrayXd error;
};

/// Eigenvalues of 0 become one node.
Side few_of(const Spectrum& spectrum, const ArrayXd& error, int nodes) {
  std::vector<double> value, count, share, first, last;
  const auto add = [&](double x, double n, double s, Index from, Index to) {
    value.push_back(x);
    count.push_back(n);
    share.push_back(s);
    first.push_back(spectrum.first[from]);
    last.push_back(spectrum.last[to]);
  };
  for (const auto& [from, size] : octaves(spectrum.value)) {
    Measures both{spectrum.value.segment(from, size), ArrayXXd(size, 2)};
    both.weight << spectrum.multiplicity.segment(from, size), error.segment(from, size);
    const Measures rule = common_rule(both, nodes);
    const bool same = rule.point.size() == size;
    for (Index q = rule.point.size() - 1; q >= 0; --q) {
      const Index at = same ? size - 1 - q : q;  // merged nodes increase
      add(rule.point[at], rule.weight(at, 0), rule.weight(at, 1), same ? from + at : from,
          same ? from + at : from + size - 1);
    }
  }
  const Index alive = (spectrum.value > 0).count(), all = spectrum.size();
  if (alive < all)
    add(0, spectrum.multiplicity.tail(all - alive).sum(), error.tail(all - alive).sum(), alive,
        all - 1);
  const auto array = [](const std::vector<double>& x) {
    return ArrayXd(Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)));
  };
  return {{array(value), array(count), array(first), array(last)}, array(share)};
}

bool by_eigenvalues(const Covariance& covariance) {
  const ArrayXd& value = covariance.spectrum.value;
  const Index n = value.size() - 1;
  return covariance.orientation != Orientation::given && (value.head(n) >= value.tail(n)).all();
}

Covariance on_nodes(Covariance covariance, Spectrum nodes) {
  covariance.spectrum = std::move(nodes);
  covariance.eigenvectors.reset();
  covariance.rows.reset();
  return covariance;
}

}  // namespace

std::optional<Product> product_of(const ArrayXXd& matrix) {
  ArrayXd rows = ArrayXd::Zero(matrix.rows()), columns(matrix.cols());
  for (Index j = 0; j < matrix.cols(); ++j) {
    columns[j] = matrix.col(j).sum();
    rows += matrix.col(j);
  }
  const double total = columns.sum();
  if (!(total > 0)) return {};
  Product product{rows / total, columns};
  double largest = 0, off = 0;
  for (Index j = 0; j < matrix.cols(); ++j) {
    largest = std::max(largest, matrix.col(j).maxCoeff());
    off = std::max(off, (matrix.col(j) - product.rows * columns[j]).abs().maxCoeff());
  }
  if (!(off < 1e-13 * largest)) return {};
  return product;
}

std::optional<MatrixProblem> few_nodes(const MatrixProblem& problem, int nodes) {
  const Covariance &out = problem.covariance_out, &in = problem.covariance_in;
  if (problem.initial.size() <= kManyPairs || problem.initial_error || !by_eigenvalues(out) ||
      !by_eigenvalues(in))
    return {};
  const auto error = product_of(problem.initial);
  if (!error) return {};
  const Side rows = few_of(out.spectrum, error->rows, nodes),
             columns = few_of(in.spectrum, error->columns, nodes);
  MatrixProblem few;
  few.covariance_out = on_nodes(out, rows.spectrum);
  few.covariance_in = on_nodes(in, columns.spectrum);
  few.noise = problem.noise;
  few.initial = (rows.error.matrix() * columns.error.matrix().transpose()).array();
  return few;
}

}  // namespace riskcurve
