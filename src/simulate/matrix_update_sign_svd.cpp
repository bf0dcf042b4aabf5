#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate sign_svd_update(const Experiment& experiment) {
  const SingularMap sign{[](double) { return 1.0; }, true};
  return {read_spectral(experiment.optimizer).batch, true,
          [sign](const MatrixBatch& batch) { return map_singular_values(sign, batch); }};
}

}  // namespace riskcurve
