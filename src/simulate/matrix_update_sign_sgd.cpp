#include "simulate/matrix_update.hpp"
#include "simulate/signs.hpp"

namespace riskcurve {

MatrixUpdate update_of(const SignSgd&, const MatrixProblem&) {
  return {false, gradient, [] { return take_signs<Eigen::MatrixXd>; }};
}

}  // namespace riskcurve
