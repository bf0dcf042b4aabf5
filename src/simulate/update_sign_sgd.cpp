#include "simulate/update.hpp"

namespace riskcurve {

Update update_of(const SignSgd& sign_sgd, const VectorProblem&) {
  return {sign_sgd.batch, false, [](double, const Batch& batch, Eigen::VectorXd& update) {
            update.noalias() = batch.x.transpose() * batch.residual;
            for (double& g : update) g = static_cast<double>((g > 0) - (g < 0));
          }};
}

}  // namespace riskcurve
