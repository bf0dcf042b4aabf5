#include "riskcurve/dynamics/amplitudes.hpp"

#include <Eigen/Cholesky>
#include <vector>

#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

/// L with L L^T = matrix, by Cholesky with pivots; columns of vanishing pivots (the rank's worth of
/// roundoff) are left out.
Eigen::MatrixXd factor(const Eigen::MatrixXd& matrix) {
  const Eigen::LDLT<Eigen::MatrixXd> cholesky(matrix);
  const Eigen::VectorXd pivot = cholesky.vectorD();
  const double least = 1e-14 * static_cast<double>(pivot.size()) * pivot.maxCoeff();
  std::vector<Eigen::Index> kept;
  for (Eigen::Index j = 0; j < pivot.size(); ++j)
    if (pivot[j] > least) kept.push_back(j);
  const Eigen::MatrixXd lower = cholesky.matrixL();
  const Eigen::MatrixXd scaled = lower(Eigen::all, kept) * pivot(kept).cwiseSqrt().asDiagonal();
  return cholesky.transpositionsP().transpose() * scaled;
}

}  // namespace

Amplitudes amplitudes(const Experiment& experiment) {
  Amplitudes result;
  if (spectral_of(experiment)) {
    result.system =
        spectral(experiment.matrix(), read_spectral(experiment.optimizer), Grids::whole);
    return result;
  }
  result.system = mode_system(experiment);
  if (experiment.optimizer.text("name") != "sign_sgd") return result;
  if (experiment.is_matrix()) {
    const MatrixProblem& problem = experiment.matrix();
    if (problem.covariance_out.orientation == Orientation::given ||
        problem.covariance_in.orientation == Orientation::given)
      result.system.warnings.push_back(
          "the noise of SignSGD in different modes is taken as independent: the spread of the risk "
          "leaves out its correlations");
    return result;
  }
  if (experiment.vector().covariance.orientation != Orientation::given) return result;
  const SignBasis basis = sign_basis(experiment.vector());
  result.initial = basis.error;
  result.correlation = basis.w.transpose() * factor(basis.noise);
  for (Eigen::Index k = 0; k < result.correlation.rows(); ++k) {
    const double norm = result.correlation.row(k).norm();
    if (norm > 0) result.correlation.row(k) /= norm;
  }
  return result;
}

}  // namespace riskcurve
