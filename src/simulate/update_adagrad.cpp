#include "simulate/squares.hpp"

namespace riskcurve {

// As torch.optim.Adagrad.
Update update_of(const AdaGrad& of, const VectorProblem&) {
  return over_squares(1, 1, of.eps);
}

MatrixUpdate update_of(const AdaGrad& of, const MatrixProblem&) {
  return matrix_over_squares(1, 1, of.eps);
}

}  // namespace riskcurve
