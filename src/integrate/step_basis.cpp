#include "integrate/step_basis.hpp"

#include <Eigen/LU>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {
constexpr int kN = kStepNodes;

StepBasis make_basis() {
  StepBasis basis;
  for (int j = 0; j < kN; ++j)
    basis.node[j] = 0.5 * (1 - std::cos(std::numbers::pi * j / (kN - 1)));
  StepMatrix vandermonde, powers;
  for (int j = 0; j < kN; ++j)
    for (int m = 0; m < kN; ++m) {
      vandermonde(j, m) = std::pow(basis.node[j], m);
      powers(j, m) = std::pow(basis.node[j], m + 1) / (m + 1);
    }
  basis.to_monomial = vandermonde.inverse();
  basis.integrate = powers * basis.to_monomial;
  // T_4(2x-1) = 128 x^4 - ..
  basis.last_chebyshev = basis.to_monomial.row(kN - 1).transpose().array() / 128;
  return basis;
}
}  // namespace

const StepBasis& step_basis() {
  static const StepBasis instance = make_basis();
  return instance;
}

StepNodes monomials(const StepNodes& u, StepNodes f) {  // Newton's divided differences
  for (int level = 1; level < kN; ++level)
    for (int j = kN - 1; j >= level; --j) f[j] = (f[j] - f[j - 1]) / (u[j] - u[j - level]);
  for (int level = kN - 2; level >= 0; --level)
    for (int j = level; j < kN - 1; ++j) f[j] -= u[level] * f[j + 1];
  return f;
}

StepMatrix cardinal(const StepNodes& u) {
  StepMatrix polynomial;
  for (int l = 0; l < kN; ++l) {
    StepNodes one = StepNodes::Zero();
    one[l] = 1;
    polynomial.col(l) = monomials(u, one);
  }
  return polynomial;
}

}  // namespace riskcurve
