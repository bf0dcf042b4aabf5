#include "dynamics/sign_basis.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

SignBasis sign_basis(const VectorProblem& problem) {
  if (!problem.covariance.matrix || !problem.initial_error)
    throw InputError("problem.covariance.orientation", "given",
                     "a covariance matrix small enough to hold; use orientation = \"generic\"");
  const Eigen::MatrixXd& full = *problem.covariance.matrix;
  SignBasis basis;
  for (Eigen::Index j = 0; j < full.rows(); ++j)
    if (full(j, j) > 0) basis.alive.push_back(j);
  const Eigen::MatrixXd k = full(basis.alive, basis.alive);
  const Eigen::VectorXd root = k.diagonal().array().sqrt().sqrt();  // D^(1/2)
  const Eigen::VectorXd inverse = root.cwiseInverse();
  const Eigen::MatrixXd s = inverse.asDiagonal() * k * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(s);
  basis.value = solver.eigenvalues().array().max(0.0);
  basis.w = root.asDiagonal() * solver.eigenvectors();
  Eigen::MatrixXd rho = inverse.asDiagonal() * s * inverse.asDiagonal();
  rho.diagonal().setOnes();  // arcsin(1 - roundoff) would be off by the root of roundoff
  basis.noise = 2 / M_PI * rho.array().max(-1.0).min(1.0).asin().matrix();
  basis.error = basis.w.transpose() * (*problem.initial_error)(basis.alive);
  return basis;
}

}  // namespace riskcurve
