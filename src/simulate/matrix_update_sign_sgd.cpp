#include "simulate/matrix_update.hpp"

namespace riskcurve {

MatrixUpdate update_of(const SignSgd&, const MatrixProblem&) {
  return {false, gradient, [](Eigen::MatrixXd& g) {
            for (double& entry : g.reshaped())
              entry = static_cast<double>((entry > 0) - (entry < 0));
          }};
}

}  // namespace riskcurve
