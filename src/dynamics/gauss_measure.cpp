#include "dynamics/gauss_measure.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace riskcurve {

Measure gauss_rule(const Eigen::ArrayXd& point, const Eigen::ArrayXd& weight, int n) {
  const double total = weight.sum();
  if (!(total > 0)) return {};
  if (point.size() <= n) return {point, weight};
  const double low = point.minCoeff(), high = point.maxCoeff();
  const double middle = 0.5 * (low + high), half = 0.5 * (high - low);
  if (!(half > 1e-15 * std::abs(middle))) {
    return {Eigen::ArrayXd::Constant(1, middle), Eigen::ArrayXd::Constant(1, total)};
  }
  const Eigen::ArrayXd x = (point - middle) / half;
  Eigen::MatrixXd basis(point.size(), n);
  Eigen::VectorXd alpha(n), beta(n - 1);
  basis.col(0) = (weight / total).sqrt().matrix();
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
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(alpha.head(steps), beta.head(std::max(0, steps - 1)));
  return {middle + half * solver.eigenvalues().array(),
          total * solver.eigenvectors().row(0).transpose().array().square()};
}

}  // namespace riskcurve
