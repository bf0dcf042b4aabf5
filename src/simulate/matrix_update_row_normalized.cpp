#include "simulate/matrix_update.hpp"

namespace riskcurve {
namespace {

void normalize_rows(Eigen::MatrixXd& gradient) {
  for (auto row : gradient.rowwise())
    if (const double norm = row.stableNorm(); norm > 0) row /= norm;
}

}  // namespace

MatrixUpdate update_of(const RowNormalizedSgd&, const MatrixProblem&) {
  return {false, gradient, [] { return normalize_rows; }};
}

}  // namespace riskcurve
