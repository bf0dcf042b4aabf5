#include "simulate/matrix_update.hpp"

namespace riskcurve {

MatrixUpdate sign_sgd_matrix_update(const Experiment& experiment) {
  return {read_sign_sgd(experiment.optimizer).batch, false, [](const MatrixBatch& batch) {
            Eigen::MatrixXd g = gradient(batch);
            for (double& entry : g.reshaped())
              entry = static_cast<double>((entry > 0) - (entry < 0));
            return g;
          }};
}

}  // namespace riskcurve
