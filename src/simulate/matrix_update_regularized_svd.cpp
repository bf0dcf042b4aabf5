#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const RegularizedSvd& regularized_svd, const MatrixProblem&) {
  return update_by(
      {[epsilon = regularized_svd.epsilon](double s) { return s / std::hypot(s, epsilon); }});
}

}  // namespace riskcurve
