#include <cmath>
#include <memory>

#include "simulate/source.hpp"
#include "simulate/update.hpp"

namespace riskcurve {
namespace {

/// K^(exponent - 1) in the coordinates of the samples: its eigenvalues, and its eigenvectors where
/// those are not the coordinates.
struct Preconditioner {
  Eigen::VectorXd scale;
  std::shared_ptr<const Eigen::MatrixXd> vectors;

  void apply(Eigen::VectorXd& g) const {
    if (!vectors) {
      g.array() *= scale.array();
      return;
    }
    Eigen::VectorXd along = vectors->transpose() * g;
    along.array() *= scale.array();
    g.noalias() = *vectors * along;
  }
};

Preconditioner preconditioner(const Covariance& covariance, double exponent) {
  const Eigen::ArrayXd lambda =
      eigenvalues_to_sample(covariance, "covariance", 1e5,
                            "at most 100000 for Monte Carlo, which draws every coordinate");
  const Eigen::ArrayXd scale =
      lambda.unaryExpr([exponent](double x) { return x > 0 ? std::pow(x, exponent - 1) : 0.0; });
  if (!covariance.sample_rows) return {scale.matrix(), nullptr};  // drawn in the eigenbasis
  const auto& vectors = covariance.eigenvectors;
  if (!vectors)
    throw InputError("problem.covariance.sample", "\"rows\"",
                     "\"gaussian\": these data are too large to hold their eigenvectors");
  return {scale.head(vectors->cols()).matrix(), vectors};
}

}  // namespace

Update update_of(const PreconditionedSgd& preconditioned, const VectorProblem& problem) {
  const auto k = std::make_shared<const Preconditioner>(
      preconditioner(problem.covariance, preconditioned.exponent));
  return {true, [k](double step, const Batch& batch, Eigen::VectorXd& update) {
            mean_gradient(step, batch, update);
            k->apply(update);
          }};
}

}  // namespace riskcurve
