#include "simulate/update.hpp"

namespace riskcurve {

Update update_of(const SignSgd&, const VectorProblem&) {
  return {false, mean_gradient, [](Eigen::VectorXd& gradient) {
            for (double& g : gradient) g = static_cast<double>((g > 0) - (g < 0));
          }};
}

}  // namespace riskcurve
