#include "dynamics/gauss_measure.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <vector>

#include "dynamics/octaves.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

/// Lanczos on diag(point) from sqrt(weight): columns of `basis` are orthonormal polynomials at the
/// points times that root, those of `vectors` at the nodes times the roots of their weights.
struct Lanczos {
  double total;  // of weight
  MatrixXd basis, vectors;
  ArrayXd node;
};

/// More than n points, not all alike, of positive total weight.
Lanczos lanczos(const ArrayXd& point, const ArrayXd& weight, int n) {
  const double low = point.minCoeff(), high = point.maxCoeff();
  const double middle = 0.5 * (low + high), half = 0.5 * (high - low);
  Lanczos l{weight.sum(), MatrixXd(point.size(), n), {}, {}};
  const ArrayXd x = (point - middle) / half;
  MatrixXd& basis = l.basis;
  Eigen::VectorXd alpha(n), beta(n - 1);
  basis.col(0) = (weight / l.total).sqrt().matrix();
  int steps = n;
  for (int k = 0; k < n; ++k) {
    Eigen::VectorXd next = (x * basis.col(k).array()).matrix();
    alpha[k] = basis.col(k).dot(next);
    if (k + 1 == n) break;
    for (int sweep = 0; sweep < 2; ++sweep)  // keep the basis orthogonal to roundoff
      next -= basis.leftCols(k + 1) * (basis.leftCols(k + 1).transpose() * next);
    beta[k] = next.norm();
    if (beta[k] < 1e-13) {  // the measure has k + 1 points
      steps = k + 1;
      break;
    }
    basis.col(k + 1) = next / beta[k];
  }
  basis.conservativeResize(Eigen::NoChange, steps);
  Eigen::SelfAdjointEigenSolver<MatrixXd> solver;
  solver.computeFromTridiagonal(alpha.head(steps), beta.head(std::max(0, steps - 1)));
  l.node = middle + half * solver.eigenvalues().array();
  l.vectors = solver.eigenvectors();
  return l;
}

bool alike(const ArrayXd& point) {
  const double low = point.minCoeff(), high = point.maxCoeff();
  return !(0.5 * (high - low) > 1e-15 * std::abs(0.5 * (low + high)));
}

}  // namespace

Measure gauss_rule(const ArrayXd& point, const ArrayXd& weight, int n) {
  const double total = weight.sum();
  if (!(total > 0)) return {};
  if (point.size() <= n) return {point, weight};
  if (alike(point))
    return {ArrayXd::Constant(1, 0.5 * (point.minCoeff() + point.maxCoeff())),
            ArrayXd::Constant(1, total)};
  const Lanczos l = lanczos(point, weight, n);
  return {l.node, total * l.vectors.row(0).transpose().array().square()};
}

Measures common_rule(const Measures& measures, int n) {
  const ArrayXd& point = measures.point;
  const Eigen::ArrayXXd& weight = measures.weight;
  if (point.size() <= n) return measures;
  if (alike(point))
    return {ArrayXd::Constant(1, 0.5 * (point.minCoeff() + point.maxCoeff())),
            weight.colwise().sum()};
  ArrayXd mean = ArrayXd::Zero(point.size());
  for (Index k = 0; k < weight.cols(); ++k)
    if (const double total = weight.col(k).sum(); total > 0) mean += weight.col(k) / total;
  if (!(mean > 0).all()) return measures;
  const Lanczos l = lanczos(point, mean, n);
  // Of each the polynomials' means, and with them its weights at the nodes.
  const MatrixXd moments =
      l.basis.transpose() * (weight.colwise() / (mean / l.total).sqrt()).matrix();
  const MatrixXd at_nodes = l.vectors.row(0).asDiagonal() * (l.vectors.transpose() * moments);
  if ((at_nodes.array() < 0).any()) return measures;
  return {l.node, at_nodes};
}

Measure octave_rule(const ArrayXd& point, const ArrayXd& weight, int n, int width) {
  std::vector<double> nodes, weights;
  for (const auto& [first, count] : octaves(point, width)) {
    const Measure rule = gauss_rule(point.segment(first, count), weight.segment(first, count), n);
    nodes.insert(nodes.end(), rule.point.begin(), rule.point.end());
    weights.insert(weights.end(), rule.weight.begin(), rule.weight.end());
  }
  const auto array = [](const std::vector<double>& x) {
    return Eigen::Map<const ArrayXd>(x.data(), std::ssize(x));
  };
  return {array(nodes), array(weights)};
}

}  // namespace riskcurve
