#include "integrate/step_basis.hpp"

#include <Eigen/LU>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {

StepBasis make_basis() {
  StepBasis basis;
  for (int j = 0; j < kStepNodes; ++j)
    basis.node[j] = 0.5 * (1 - std::cos(std::numbers::pi * j / (kStepNodes - 1)));
  StepMatrix vandermonde, powers;
  for (int j = 0; j < kStepNodes; ++j)
    for (int m = 0; m < kStepNodes; ++m) {
      vandermonde(j, m) = std::pow(basis.node[j], m);
      powers(j, m) = std::pow(basis.node[j], m + 1) / (m + 1);
    }
  basis.to_monomial = vandermonde.inverse();
  basis.integrate = powers * basis.to_monomial;
  // T_4(2x-1) = 128 x^4 - ..
  basis.last_chebyshev = basis.to_monomial.row(kStepNodes - 1).transpose().array() / 128;
  return basis;
}
}  // namespace

const StepBasis& step_basis() {
  static const StepBasis instance = make_basis();
  return instance;
}

StepNodes monomials(const StepNodes& u, StepNodes f) {  // Newton's divided differences
  for (int level = 1; level < kStepNodes; ++level)
    for (int j = kStepNodes - 1; j >= level; --j) f[j] = (f[j] - f[j - 1]) / (u[j] - u[j - level]);
  for (int level = kStepNodes - 2; level >= 0; --level)
    for (int j = level; j < kStepNodes - 1; ++j) f[j] -= u[level] * f[j + 1];
  return f;
}

StepMatrix cardinal(const StepNodes& u) {
  StepMatrix polynomial;
  for (int l = 0; l < kStepNodes; ++l) {
    StepNodes one = StepNodes::Zero();
    one[l] = 1;
    polynomial.col(l) = monomials(u, one);
  }
  return polynomial;
}

}  // namespace riskcurve
