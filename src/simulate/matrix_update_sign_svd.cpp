#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const SignSvd&, const MatrixProblem&) {
  const SingularMap sign{[](double) { return 1.0; }, true};
  return {true,
          [sign](const MatrixBatch& batch) { return map_singular_values(sign, batch); },
          {},
          [sign](Eigen::MatrixXd& momentum) { map_singular_values(sign, momentum); }};
}

}  // namespace riskcurve
