#include "simulate/update.hpp"

namespace riskcurve {

Update sgd_update(const Experiment& experiment) {
  const Sgd sgd = read_sgd(experiment.optimizer);
  return {sgd.batch, true, [b = sgd.batch](double, const Batch& batch, Eigen::VectorXd& update) {
            update.noalias() = batch.x.transpose() * batch.residual;
            update /= b;
          }};
}

}  // namespace riskcurve
