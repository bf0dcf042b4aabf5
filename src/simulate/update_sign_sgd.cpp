#include "simulate/signs.hpp"
#include "simulate/update.hpp"

namespace riskcurve {

Update update_of(const SignSgd&, const VectorProblem&) {
  return {false, mean_gradient, [] { return take_signs<Eigen::VectorXd>; }};
}

}  // namespace riskcurve
