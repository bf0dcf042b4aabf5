#include "simulate/matrix_update.hpp"

namespace riskcurve {

MatrixUpdate update_of(const SignSgd& sign_sgd, const MatrixProblem&) {
  return {sign_sgd.batch, false, [](const MatrixBatch& batch) {
            Eigen::MatrixXd g = gradient(batch);
            for (double& entry : g.reshaped())
              entry = static_cast<double>((entry > 0) - (entry < 0));
            return g;
          }};
}

}  // namespace riskcurve
