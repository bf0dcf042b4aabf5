#include "dynamics/gauss_measure.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <utility>
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

/// Moments of a measure about the centre of a cell, in halves of its width.
using Moments = Eigen::Array<double, 6, 1>;

/// The Gauss rule of these: three nodes, or as few as roundoff leaves.
Measure rule_of(const Moments& moments) {
  const double total = moments[0];
  if (!(total > 0)) return {};
  const Moments m = moments / total;
  const double mean = std::clamp(m[1], -1.0, 1.0), mean2 = mean * mean;
  // About the mean.
  const double c2 = m[2] - mean2, c3 = m[3] - mean * (3 * m[2] - 2 * mean2),
               c4 = m[4] - mean * (4 * m[3] - 6 * mean * m[2] + 3 * mean * mean2),
               c5 = m[5] -
                    mean * (5 * m[4] - 10 * mean * m[3] + 10 * mean2 * m[2] - 4 * mean2 * mean2);
  constexpr double least = 1e-14;
  Eigen::Vector3d diagonal(mean, 0, 0);
  Eigen::Vector2d square(std::max(c2, 0.0), 0);
  Index nodes = 1;
  if (c2 > least) {
    const double a = c3 / c2, next = c4 - c3 * a - c2 * c2;  // of p_2 = v^2 - a v - c_2
    diagonal[1] = mean + a;
    nodes = 2;
    if (next > least * c2) {
      square[1] = next / c2;
      diagonal[2] = mean + (c5 - 2 * a * c4 + (a * a - 2 * c2) * c3 + 2 * a * c2 * c2) / next;
      nodes = 3;
    }
  }
  for (;; --nodes) {  // what roundoff puts outside goes
    if (nodes == 1) return {ArrayXd::Constant(1, mean), ArrayXd::Constant(1, total)};
    Eigen::SelfAdjointEigenSolver<MatrixXd> solver;
    solver.computeFromTridiagonal(diagonal.head(nodes), square.head(nodes - 1).cwiseSqrt());
    const ArrayXd node = solver.eigenvalues().array();
    if (node[0] >= -1 && node[nodes - 1] <= 1)
      return {node, total * solver.eigenvectors().row(0).transpose().array().square()};
  }
}

}  // namespace

Measures thinned(const Eigen::Ref<const ArrayXd>& point,
                 const std::vector<Eigen::Ref<const ArrayXd>>& weights, int cells) {
  const double low = point.minCoeff(), high = point.maxCoeff(), half = 0.5 * (high - low) / cells;
  const auto measures = std::ssize(weights);
  std::vector<Moments> moments(static_cast<std::size_t>(cells * measures), Moments::Zero());
  const auto cell_of = [&](double x) {
    return std::clamp(static_cast<Index>((x - low) / (2 * half)), Index{0}, Index{cells - 1});
  };
  for (Index first = 0; first < point.size();) {  // a run of points in one cell
    const Index cell = cell_of(point[first]);
    const double from = low + 2 * half * static_cast<double>(cell),
                 to = low + 2 * half * static_cast<double>(cell + 1);
    Index last = first + 1;
    while (last < point.size() && point[last] >= from && point[last] < to) ++last;
    for (Index of = 0; of < measures; ++of) {
      const double* const w = weights[static_cast<std::size_t>(of)].data();
      Moments sum = Moments::Zero();
      for (Index k = first; k < last; ++k) {
        const double u = (point[k] - from) / half - 1;
        double term = w[k];
        for (double& moment : sum) {
          moment += term;
          term *= u;
        }
      }
      moments[static_cast<std::size_t>(cell * measures + of)] += sum;
    }
    first = last;
  }
  std::vector<double> node;
  std::vector<std::pair<Index, double>> weight;  // of which measure, and how much
  for (Index cell = 0; cell < cells; ++cell)
    for (Index of = 0; of < measures; ++of) {
      const Measure rule = rule_of(moments[static_cast<std::size_t>(cell * measures + of)]);
      for (Index q = 0; q < rule.point.size(); ++q) {
        node.push_back(low + half * (2 * static_cast<double>(cell) + 1 + rule.point[q]));
        weight.emplace_back(of, rule.weight[q]);
      }
    }
  const auto count = std::ssize(node);
  Measures few{Eigen::Map<const ArrayXd>(node.data(), count),
               Eigen::ArrayXXd::Zero(count, measures)};
  for (Index k = 0; k < count; ++k) {
    const auto [of, much] = weight[static_cast<std::size_t>(k)];
    few.weight(k, of) = much;
  }
  return few;
}

Measure gauss_rule(const ArrayXd& point, const ArrayXd& weight, int n) {
  const double total = weight.sum();
  if (!(total > 0)) return {};
  if (point.size() <= n) return {point, weight};
  if (alike(point))
    return {ArrayXd::Constant(1, 0.5 * (point.minCoeff() + point.maxCoeff())),
            ArrayXd::Constant(1, total)};
  if (worth_thinning(point.size(), 1, n)) {
    const Measures few = thinned(point, {weight}, cells_for(n));
    return gauss_rule(few.point, few.weight.col(0), n);
  }
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
