#include "simulate/update.hpp"

namespace riskcurve {

void mean_gradient(double, const Batch& batch, Eigen::VectorXd& gradient) {
  gradient.noalias() = batch.x.transpose() * batch.residual;
  gradient /= static_cast<double>(batch.residual.size());
}

Update update_of(const Sgd&, const VectorProblem&) {
  return {true, mean_gradient};
}

}  // namespace riskcurve
