#include "simulate/update.hpp"

namespace riskcurve {

Update sign_sgd_update(const Experiment& experiment) {
  const SignSgd sign_sgd = read_sign_sgd(experiment.optimizer);
  return {sign_sgd.batch, false, [](double, const Batch& batch, Eigen::VectorXd& update) {
            update.noalias() = batch.x.transpose() * batch.residual;
            for (double& g : update) g = static_cast<double>((g > 0) - (g < 0));
          }};
}

}  // namespace riskcurve
