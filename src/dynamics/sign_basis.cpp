#include "dynamics/sign_basis.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <memory>
#include <mutex>

#include "dynamics/filtered_sign.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

/// All but the error.
SignBasis basis_of(const Covariance& covariance) {
  const Eigen::MatrixXd& full = *covariance.matrix;
  SignBasis basis;
  for (Eigen::Index j = 0; j < full.rows(); ++j)
    if (full(j, j) > 0) basis.alive.push_back(j);
  const Eigen::MatrixXd k = full(basis.alive, basis.alive);
  const Eigen::VectorXd root = k.diagonal().array().sqrt().sqrt();  // D^(1/2)
  const Eigen::VectorXd inverse = root.cwiseInverse();
  basis.scale = root.cwiseAbs2();
  const Eigen::MatrixXd s = inverse.asDiagonal() * k * inverse.asDiagonal();
  if (const auto& known = covariance.eigenvectors;
      known && known->cols() == s.rows() && (root.array() == root[0]).all()) {
    basis.value = covariance.spectrum.expand() / basis.scale[0];  // D is a number: K's own
    basis.w = root[0] * *known;
  } else {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(s);
    basis.value = solver.eigenvalues().array().max(0.0);
    basis.w = root.asDiagonal() * solver.eigenvectors();
  }
  Eigen::MatrixXd rho = inverse.asDiagonal() * s * inverse.asDiagonal();
  rho.diagonal().setOnes();  // arcsin(1 - roundoff) would be off by the root of roundoff
  basis.noise = 2 / M_PI * rho.array().max(-1.0).min(1.0).asin().matrix();
  basis.diffusion =
      basis.w.cwiseProduct(basis.noise * basis.w).colwise().sum().transpose().array().max(0.0);
  return basis;
}

/// Of the covariance asked for last, while it lives: a system asks several times.
std::shared_ptr<const SignBasis> last_basis(const Covariance& covariance) {
  static std::mutex lock;
  static std::weak_ptr<const Eigen::MatrixXd> of;
  static std::shared_ptr<const SignBasis> basis;
  const std::lock_guard<std::mutex> hold(lock);
  if (!basis || of.lock() != covariance.matrix) {
    basis = std::make_shared<const SignBasis>(basis_of(covariance));
    of = covariance.matrix;
  }
  return basis;
}

}  // namespace

SignBasis sign_basis(const VectorProblem& problem) {
  if (!problem.covariance.matrix || !problem.initial_error)
    throw InputError("problem.covariance.orientation", "given",
                     "a covariance matrix small enough to hold; use orientation = \"generic\"");
  SignBasis basis = *last_basis(problem.covariance);
  basis.error = basis.w.transpose() * (*problem.initial_error)(basis.alive);
  return basis;
}

Eigen::ArrayXd between_coordinates(const SignBasis& basis,
                                   const std::function<double(double theta)>& f, int points) {
  // Cubics between values over theta, smooth past pi/2, where the last ones end.
  const double step = M_PI / 2 / points;
  Eigen::ArrayXd table(points + 3);
  for (int i = 0; i < table.size(); ++i) table[i] = f(i * step);
  const auto value = [&](double theta) {
    const double at = between_wholes(std::abs(theta) / step, [&](double whole) {
      return table[static_cast<Eigen::Index>(whole)];
    });
    return std::copysign(at, theta);
  };
  const Eigen::MatrixXd between =
      basis.noise.unaryExpr([&](double noise) { return value(M_PI / 2 * noise); });
  return basis.w.cwiseProduct(between * basis.w).colwise().sum().transpose().array().max(0.0);
}

}  // namespace riskcurve
