#include "simulate/squares.hpp"

namespace riskcurve {

// As torch.optim.RMSprop: no correction of the start.
Update update_of(const RmsProp& of, const VectorProblem&) {
  return over_squares(of.alpha, 1 - of.alpha, of.eps);
}

MatrixUpdate update_of(const RmsProp& of, const MatrixProblem&) {
  return matrix_over_squares(of.alpha, 1 - of.alpha, of.eps);
}

}  // namespace riskcurve
