#include "dynamics/few_nodes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "dynamics/gauss_measure.hpp"
#include "dynamics/octaves.hpp"
#include "power_of_two.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

struct Side {
  Spectrum spectrum;
  ArrayXd error;
  bool even = true;  ///< FewOfMany::even
};

/// sum s^2/n
template <class Error, class Count>
double squares(const Error& error, const Count& count) {
  return (count > 0).select(error.square() / count.max(1e-300), 0.0).sum();
}

/// Eigenvalues of 0 become one node.
Side few_of(const Spectrum& spectrum, const ArrayXd& error, int nodes) {
  constexpr double alike = 1e-6;
  bool even = true;
  std::vector<double> value, count, share, first, last;
  const auto add = [&](double x, double n, double s, Index from, Index to) {
    value.push_back(x);
    count.push_back(n);
    share.push_back(s);
    first.push_back(spectrum.first[from]);
    last.push_back(spectrum.last[to]);
  };
  for (const auto& [from, size] : octaves(spectrum.value)) {
    const auto value_here = spectrum.value.segment(from, size),
               count_here = spectrum.multiplicity.segment(from, size),
               error_here = error.segment(from, size);
    Measures both;
    if (worth_thinning(size, 2, nodes)) {
      both = thinned(value_here, {count_here, error_here}, cells_for(nodes));
    } else {
      both = {value_here, ArrayXXd(size, 2)};
      both.weight << count_here, error_here;
    }
    const Measures rule = common_rule(both, nodes);
    if (rule.point.size() == both.point.size()) {
      for (Index k = from; k < from + size; ++k)
        add(spectrum.value[k], spectrum.multiplicity[k], error[k], k, k);
      continue;
    }
    const double before = squares(error_here, count_here);
    even = even &&
           std::abs(squares(rule.weight.col(1), rule.weight.col(0)) - before) <= alike * before;
    for (Index q = rule.point.size() - 1; q >= 0; --q)  // merged nodes increase
      add(rule.point[q], rule.weight(q, 0), rule.weight(q, 1), from, from + size - 1);
  }
  const Index alive = (spectrum.value > 0).count(), all = spectrum.size();
  if (alive < all)
    add(0, spectrum.multiplicity.tail(all - alive).sum(), error.tail(all - alive).sum(), alive,
        all - 1);
  const auto array = [](const std::vector<double>& x) {
    return ArrayXd(Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)));
  };
  return {{array(value), array(count), array(first), array(last)}, array(share), even};
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

std::optional<Product> product_of(const Pairs& pairs) {
  if (pairs.product()) return pairs.product();
  const ArrayXXd matrix = pairs.entries();
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

std::optional<FewOfMany<MatrixProblem>> few_nodes(const MatrixProblem& problem, int nodes) {
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
  few.initial = Product{rows.error, columns.error};
  return FewOfMany<MatrixProblem>{few, rows.even && columns.even};
}

double shared_by(const Spectrum& spectrum, const ArrayXd& initial) {
  const double unit = 1 / power_of_two((spectrum.value * initial).maxCoeff());
  const auto share = unit * spectrum.value * initial;
  const double total = share.sum(), squares = (share.square() / spectrum.multiplicity.max(1)).sum();
  return squares > 0 ? total * total / squares : 0;
}

std::optional<FewOfMany<VectorProblem>> few_nodes(const VectorProblem& problem, int nodes) {
  const Covariance& covariance = problem.covariance;
  if (covariance.spectrum.size() <= kManyNodes || problem.initial_error ||
      !by_eigenvalues(covariance))
    return {};
  Side side = few_of(covariance.spectrum, problem.initial, nodes);
  if (2 * side.spectrum.size() > covariance.spectrum.size()) return {};
  FewOfMany<VectorProblem> few;
  few.even = side.even;
  few.problem.noise = problem.noise;
  few.problem.covariance.kind = covariance.kind;
  few.problem.covariance.orientation = covariance.orientation;
  few.problem.covariance.spectrum = std::move(side.spectrum);
  few.problem.initial = std::move(side.error);
  return few;
}

}  // namespace riskcurve
