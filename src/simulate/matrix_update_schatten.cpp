#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const Schatten& schatten, const MatrixProblem&) {
  const SingularMap power{[q = schatten.exponent](double s) { return std::pow(s, q); },
                          schatten.exponent == 0};
  return {true, [power](const MatrixBatch& batch) { return map_singular_values(power, batch); }};
}

}  // namespace riskcurve
