#include "simulate/blas.hpp"
#include "simulate/matrix_update.hpp"

namespace riskcurve {

Eigen::MatrixXd gradient(const MatrixBatch& batch) {
  const Eigen::MatrixXd weighted = batch.out * batch.residual.asDiagonal();
  return multiply(weighted, Transpose::no, batch.in, Transpose::yes,
                  1 / static_cast<double>(batch.residual.size()));
}

MatrixUpdate update_of(const Sgd&, const MatrixProblem&) {
  return {true, gradient};
}

}  // namespace riskcurve
