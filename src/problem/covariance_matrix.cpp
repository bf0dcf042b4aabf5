// Covariances given as a matrix, whose eigenvectors are kept.
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "covariance_kinds.hpp"
#include "problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

/// Of any symmetric matrix, increasing.
Eigenpairs solved(const Eigen::MatrixXd& symmetric, const std::string& field) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  if (solver.info() != Eigen::Success)
    throw Failure(field + ": the eigenvalue solver did not converge");
  return {solver.eigenvalues().array(), solver.eigenvectors()};
}

/// Of a matrix that is the same from behind: its eigenvectors are even or odd, (u, m, +-Ju), those
/// of two matrices of half the size, which take a quarter of the time. Their first entries are
/// positive.
Eigenpairs solved_by_halves(const Eigen::MatrixXd& matrix, const std::string& field) {
  const Eigen::Index n = matrix.rows(), half = n / 2, even = n - half;
  if (half == 0) return solved(matrix, field);
  const Eigen::MatrixXd left = matrix.topLeftCorner(half, half),
                        turned = matrix.topRightCorner(half, half).rowwise().reverse();
  Eigen::MatrixXd sum = matrix.topLeftCorner(even, even);
  sum.topLeftCorner(half, half) += turned;
  if (even > half) {
    sum.row(half).head(half) *= std::numbers::sqrt2;
    sum.col(half).head(half) *= std::numbers::sqrt2;
  }
  const Eigenpairs of_sum = solved(sum, field), of_difference = solved(left - turned, field);
  std::vector<std::pair<double, Eigen::Index>> order;
  for (Eigen::Index k = 0; k < even; ++k) order.emplace_back(of_sum.value[k], k);
  for (Eigen::Index k = 0; k < half; ++k) order.emplace_back(of_difference.value[k], even + k);
  std::sort(order.begin(), order.end());
  Eigenpairs all{Eigen::ArrayXd(n), Eigen::MatrixXd::Zero(n, n)};
  for (Eigen::Index j = 0; j < n; ++j) {
    const auto [value, k] = order[static_cast<std::size_t>(j)];
    const bool odd = k >= even;
    const auto u = odd ? of_difference.vector.col(k - even) : of_sum.vector.col(k);
    const double sign = u[0] < 0 ? -1 : 1, share = sign / std::numbers::sqrt2;
    all.value[j] = value;
    all.vector.col(j).head(half) = share * u.head(half);
    all.vector.col(j).tail(half) = (odd ? -share : share) * u.head(half).reverse();
    if (!odd && even > half) all.vector(half, j) = sign * u[half];
  }
  return all;
}

/// Decreasing, of a covariance.
Eigenpairs checked(const Eigenpairs& pairs, const std::string& field) {
  Eigenpairs result{pairs.value.reverse(), pairs.vector.rowwise().reverse()};
  const double largest = result.value.abs().maxCoeff();
  const double least = result.value[result.value.size() - 1];
  if (least < -1e-8 * largest)
    throw InputError(field, "smallest eigenvalue " + number_text(least),
                     "a positive semi-definite matrix");
  if (!(largest > 0)) throw InputError(field, "all zero", "a covariance with some variance");
  const double roundoff =
      static_cast<double>(pairs.value.size()) * std::numeric_limits<double>::epsilon() * largest;
  result.value = (result.value < roundoff).select(0.0, result.value);
  return result;
}

Covariance from_symmetric(Eigen::MatrixXd matrix, Eigenpairs pairs, const std::string& field) {
  Covariance result;
  result.orientation = Orientation::given;
  result.spectrum = spectrum_of(pairs.value, field);
  result.matrix = std::make_shared<const Eigen::MatrixXd>(std::move(matrix));
  result.eigenvectors = std::make_shared<const Eigen::MatrixXd>(std::move(pairs.vector));
  return result;
}

Covariance symmetric_toeplitz(const Eigen::ArrayXd& first_row, const std::string& field) {
  const Eigen::Index n = first_row.size();
  if (n == 0) throw InputError(field, "an empty matrix", "at least one entry");
  if (static_cast<double>(n) > kHeldDimension.high)
    throw InputError(field, std::to_string(n) + " numbers", "at most 8192 numbers");
  if (!first_row.isFinite().all()) throw InputError(field, "nan or inf", "finite numbers");
  Eigen::MatrixXd matrix(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) matrix(i, j) = first_row[std::abs(i - j)];
  Eigenpairs pairs = checked(solved_by_halves(matrix, field), field);
  return from_symmetric(std::move(matrix), std::move(pairs), field);
}

}  // namespace

Eigenpairs eigenpairs(const Eigen::MatrixXd& symmetric, const std::string& field) {
  if (symmetric.size() == 0) throw InputError(field, "an empty matrix", "at least one entry");
  return checked(solved(symmetric, field), field);
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
  if (static_cast<double>(matrix.rows()) > kHeldDimension.high)
    throw InputError(field, std::to_string(matrix.rows()) + " rows", "at most 8192 rows");
  Eigen::MatrixXd even = 0.5 * (matrix + matrix.transpose());
  Eigenpairs pairs = eigenpairs(even, field);
  return from_symmetric(std::move(even), std::move(pairs), field);
}

}  // namespace riskcurve
