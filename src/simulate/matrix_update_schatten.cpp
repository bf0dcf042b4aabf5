#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const Schatten& schatten, const MatrixProblem&) {
  return update_by(
      {[q = schatten.exponent](double s) { return std::pow(s, q); }, schatten.exponent == 0});
}

}  // namespace riskcurve
