// Covariances given as a matrix, whose eigenvectors are kept.
#include <Eigen/Eigenvalues>
#include <cmath>

#include "covariance_kinds.hpp"
#include "riskcurve/problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

constexpr double largest_matrix = 8192;

Covariance from_symmetric(const std::string& kind, Eigen::MatrixXd matrix,
                          const std::string& field) {
  if (static_cast<double>(matrix.rows()) > largest_matrix)
    throw InputError(field, std::to_string(matrix.rows()) + " rows", "at most 8192 rows");
  Eigenpairs pairs = eigenpairs(matrix, field);
  Covariance result;
  result.kind = kind;
  result.orientation = Orientation::given;
  result.spectrum = spectrum_of(pairs.value, field);
  result.matrix = std::make_shared<const Eigen::MatrixXd>(std::move(matrix));
  result.eigenvectors = std::make_shared<const Eigen::MatrixXd>(std::move(pairs.vector));
  return result;
}

Covariance symmetric_toeplitz(const std::string& kind, const Eigen::ArrayXd& first_row,
                              const std::string& field) {
  const Eigen::Index n = first_row.size();
  if (static_cast<double>(n) > largest_matrix)
    throw InputError(field, std::to_string(n) + " numbers", "at most 8192 numbers");
  if (!first_row.isFinite().all()) throw InputError(field, "nan or inf", "finite numbers");
  Eigen::MatrixXd matrix(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) matrix(i, j) = first_row[std::abs(i - j)];
  return from_symmetric(kind, std::move(matrix), field);
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
    throw InputError(field, "smallest eigenvalue " + std::to_string(least),
                     "a positive semi-definite matrix");
  if (!(largest > 0)) throw InputError(field, "all zero", "a covariance with some variance");
  const double roundoff =
      static_cast<double>(symmetric.rows()) * std::numeric_limits<double>::epsilon() * largest;
  result.value = (result.value < roundoff).select(0.0, result.value);
  return result;
}

Covariance ar1(Eigen::Index dimension, double correlation) {
  if (dimension < 1 || static_cast<double>(dimension) > largest_matrix)
    throw InputError("dimension", std::to_string(dimension), "a whole number from 1 to 8192");
  if (!(std::abs(correlation) < 1))
    throw InputError("correlation", std::to_string(correlation), "a number > -1 and < 1");
  Eigen::ArrayXd row(dimension);
  for (Eigen::Index j = 0; j < dimension; ++j)
    row[j] = std::pow(correlation, static_cast<double>(j));
  return symmetric_toeplitz("ar1", row, "correlation");
}

Covariance toeplitz(const Eigen::ArrayXd& first_row) {
  return symmetric_toeplitz("toeplitz", first_row, "first_row");
}

Covariance from_matrix(const Eigen::MatrixXd& matrix, const std::string& field) {
  if (matrix.rows() != matrix.cols() || matrix.rows() == 0)
    throw InputError(field, std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols()),
                     "a square matrix");
  if (!matrix.allFinite()) throw InputError(field, "nan or inf in the matrix", "finite numbers");
  const double asymmetry = (matrix - matrix.transpose()).cwiseAbs().maxCoeff();
  if (asymmetry > 1e-8 * matrix.cwiseAbs().maxCoeff())
    throw InputError(field, "differs from its transpose by " + std::to_string(asymmetry),
                     "a symmetric matrix");
  return from_symmetric("matrix", 0.5 * (matrix + matrix.transpose()), field);
}

Covariance read_ar1(const Fields& fields) {
  Range open = Range::within(-1, 1);
  open.open_low = open.open_high = true;
  return ar1(
      static_cast<Eigen::Index>(fields.integer("dimension", Range::within(1, largest_matrix))),
      fields.number("correlation", open));
}

Covariance read_toeplitz(const Fields& fields) {
  return symmetric_toeplitz("toeplitz", numbers_or_file(fields, "first_row"),
                            fields.name("first_row"));
}

Covariance read_matrix_covariance(const Fields& fields) {
  return from_matrix(read_matrix(fields.path("path"), fields.name("path")), fields.name("path"));
}

}  // namespace riskcurve
