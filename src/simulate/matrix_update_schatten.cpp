#include <cmath>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate schatten_update(const Experiment& experiment) {
  const SpectralOptimizer optimizer = read_spectral(experiment.optimizer);
  const SingularMap power{[q = optimizer.exponent](double s) { return std::pow(s, q); },
                          optimizer.exponent == 0};
  return {optimizer.batch, true,
          [power](const MatrixBatch& batch) { return map_singular_values(power, batch); }};
}

}  // namespace riskcurve
