#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const MixedSvd& mixed, const MatrixProblem&) {
  SingularMap map;
  map.all = [share = mixed.share](Eigen::VectorXd& s) {
    s = ((1 - share) + share / s.stableNorm() * s.array()).matrix().eval();
  };
  return update_by(map);
}

}  // namespace riskcurve
