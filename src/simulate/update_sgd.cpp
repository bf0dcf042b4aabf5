#include "simulate/update.hpp"

namespace riskcurve {

Update update_of(const Sgd& sgd, const VectorProblem&) {
  return {sgd.batch, true, [b = sgd.batch](double, const Batch& batch, Eigen::VectorXd& update) {
            update.noalias() = batch.x.transpose() * batch.residual;
            update /= b;
          }};
}

}  // namespace riskcurve
