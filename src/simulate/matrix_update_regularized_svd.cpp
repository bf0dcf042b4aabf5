#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate regularized_svd_update(const Experiment& experiment) {
  const SpectralOptimizer optimizer = read_spectral(experiment.optimizer);
  const SingularMap regularized{
      [epsilon = optimizer.epsilon](double s) { return s / std::hypot(s, epsilon); }};
  return {optimizer.batch, true, [regularized](const MatrixBatch& batch) {
            return map_singular_values(regularized, batch);
          }};
}

}  // namespace riskcurve
