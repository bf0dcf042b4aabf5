#include <algorithm>
#include <memory>
#include <string>

#include "riskcurve/problem/error.hpp"
#include "simulate/source.hpp"

namespace riskcurve {

Source row_source(const VectorProblem& problem) {
  const Covariance& covariance = problem.covariance;
  if (!covariance.rows) throw InputError("Monte Carlo on rows needs the rows of a data file");
  if (!problem.initial_error && !covariance.eigenvectors)
    throw InputError(
        "Monte Carlo on these rows needs a target fitted to labels or read from a file: the data "
        "are too large to hold their eigenvectors");
  if (!problem.initial_error)
    eigenvalues_to_sample(covariance, "covariance", 1e5,
                          "at most 100000 without a target in coordinates");
  // A row is drawn whole: row after row in memory, not column after column.
  const auto rows = std::make_shared<const RowMatrix>(covariance.rows->x);
  if (problem.row_residuals && problem.row_residuals->size() != rows->rows())
    throw InputError("row residuals", std::to_string(problem.row_residuals->size()),
                     "one for each of the " + std::to_string(rows->rows()) + " rows");

  Source source;
  source.dimension = source.latent = rows->cols();
  source.draw = [rows, residuals = problem.row_residuals, sample = problem.noise.sample](
                    Random& samples, Random& noise, Eigen::Index first, Eigen::Index count,
                    RowMatrix& x, Eigen::VectorXd& epsilon) {
    const auto n = static_cast<double>(rows->rows());
    for (Eigen::Index i = first; i < first + count; ++i) {
      const auto row = std::min(static_cast<Eigen::Index>(samples.uniform() * n), rows->rows() - 1);
      x.row(i) = rows->row(row);
      epsilon[i] = residuals ? (*residuals)[row] : sample(noise);
    }
  };
  source.risk = [rows, matrix = covariance.matrix](const Eigen::VectorXd& delta) -> double {
    if (matrix) return 0.5 * delta.dot(*matrix * delta);
    return 0.5 * (*rows * delta).squaredNorm() / static_cast<double>(rows->rows());
  };
  source.initial = [problem](Random& random) -> Eigen::VectorXd {
    if (problem.initial_error) return *problem.initial_error;
    // Eigenvectors of eigenvalue 0 may be missing; errors along them change no residual.
    const Eigen::MatrixXd& vectors = *problem.covariance.eigenvectors;
    return vectors * initial_coefficients(problem, random).head(vectors.cols());
  };
  if (problem.theta_start) source.theta_start = *problem.theta_start;
  return source;
}

}  // namespace riskcurve
