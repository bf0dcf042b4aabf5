#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const RegularizedSvd& regularized_svd, const MatrixProblem&) {
  const SingularMap regularized{
      [epsilon = regularized_svd.epsilon](double s) { return s / std::hypot(s, epsilon); }};
  return {true, [regularized](const MatrixBatch& batch) {
            return map_singular_values(regularized, batch);
          }};
}

}  // namespace riskcurve
