// Covariances given as a matrix, whose eigenvectors are kept.
#include <Eigen/Eigenvalues>
#include <cmath>

#include "covariance_kinds.hpp"
#include "problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

Covariance from_symmetric(Eigen::MatrixXd matrix, const std::string& field) {
  if (static_cast<double>(matrix.rows()) > kHeldDimension.high)
    throw InputError(field, std::to_string(matrix.rows()) + " rows", "at most 8192 rows");
  Eigenpairs pairs = eigenpairs(matrix, field);
  Covariance result;
  result.orientation = Orientation::given;
  result.spectrum = spectrum_of(pairs.value, field);
  result.matrix = std::make_shared<const Eigen::MatrixXd>(std::move(matrix));
  result.eigenvectors = std::make_shared<const Eigen::MatrixXd>(std::move(pairs.vector));
  return result;
}

Covariance symmetric_toeplitz(const Eigen::ArrayXd& first_row, const std::string& field) {
  const Eigen::Index n = first_row.size();
  if (static_cast<double>(n) > kHeldDimension.high)
    throw InputError(field, std::to_string(n) + " numbers", "at most 8192 numbers");
  if (!first_row.isFinite().all()) throw InputError(field, "nan or inf", "finite numbers");
  Eigen::MatrixXd matrix(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) matrix(i, j) = first_row[std::abs(i - j)];
  return from_symmetric(std::move(matrix), field);
}

}  // namespace

Eigenpairs eigenpairs(const Eigen::MatrixXd& symmetric, const std::string& field) {
  if (symmetric.size() == 0) throw InputError(field, "an empty matrix", "at least one entry");
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  if (solver.info() != Eigen::Success)
    throw Failure(field + ": the eigenvalue solver did not converge");
  Eigenpairs result{solver.eigenvalues().reverse().array(),
                    solver.eigenvectors().rowwise().reverse()};
  const double largest = result.value.abs().maxCoeff();
  const double least = result.value[result.value.size() - 1];
  if (least < -1e-8 * largest)
    throw InputError(field, "smallest eigenvalue " + number_text(least),
                     "a positive semi-definite matrix");
  if (!(largest > 0)) throw InputError(field, "all zero", "a covariance with some variance");
  const double roundoff =
      static_cast<double>(symmetric.rows()) * std::numeric_limits<double>::epsilon() * largest;
  result.value = (result.value < roundoff).select(0.0, result.value);
  return result;
}

Covariance covariance_of(const Ar1Covariance& kind) {
  Eigen::ArrayXd row(static_cast<Eigen::Index>(kind.dimension));
  for (Eigen::Index j = 0; j < row.size(); ++j)
    row[j] = std::pow(kind.correlation, static_cast<double>(j));
  return symmetric_toeplitz(row, "correlation");
}

Covariance covariance_of(const ToeplitzCovariance& kind) {
  return symmetric_toeplitz(listed(kind.first_row, kind.path, "first_row"), "first_row");
}

Covariance covariance_of(const MatrixCovariance& kind) {
  const bool held = static_cast<bool>(kind.entries);
  if (held == !kind.path.path.empty())
    throw InputError("path", held ? kind.path.path : "(missing)", "a file, or else entries");
  const std::string field = held ? "entries" : "path";
  const Eigen::MatrixXd matrix = held ? *kind.entries : read_matrix(kind.path.path, field);
  if (matrix.rows() != matrix.cols() || matrix.rows() == 0)
    throw InputError(field, std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols()),
                     "a square matrix");
  if (!matrix.allFinite()) throw InputError(field, "nan or inf in the matrix", "finite numbers");
  const double asymmetry = (matrix - matrix.transpose()).cwiseAbs().maxCoeff();
  if (asymmetry > 1e-8 * matrix.cwiseAbs().maxCoeff())
    throw InputError(field, "differs from its transpose by " + number_text(asymmetry),
                     "a symmetric matrix");
  return from_symmetric(0.5 * (matrix + matrix.transpose()), field);
}

}  // namespace riskcurve
