#include "integrate/relaxation.hpp"

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

BlockMoments relaxation_moments(const Block& z, const Block& decay) {
  constexpr int terms = 22;            // 2^22 4!/27! is below 1e-19
  static constexpr auto series = [] {  // M_4 = sum_k (-z)^k 4!/(5+k)!
    std::array<double, terms> of{};
    double term = 1.0 / kN;
    for (int k = 0; k < terms; ++k) {
      of[k] = term;
      term /= -(kN + k + 1);
    }
    return of;
  }();
  BlockMoments low, high;
  const bool any_low = z.minCoeff() <= 2, any_high = z.maxCoeff() > 2;
  if (any_low) {
    const Block x = z.min(2.0);
    // Few terms where all rates are slow.
    const double largest = x.maxCoeff();
    int k = largest < 0.02 ? 8 : largest < 0.3 ? 13 : terms;
    Block sum = Block::Constant(series[--k]);
    while (k > 0) sum = sum * x + series[--k];
    low.col(kN - 1) = sum;
    for (int m = kN - 1; m > 0; --m) low.col(m - 1) = (1 - x * low.col(m)) * (1.0 / m);
    if (!any_high) return low;
  }
  const Block by = z.max(2.0).inverse();
  high.col(0) = (1 - decay) * by;
  for (int m = 1; m < kN; ++m) high.col(m) = (1 - m * high.col(m - 1)) * by;
  if (!any_low) return high;
  for (int m = 0; m < kN; ++m) high.col(m) = (z > 2).select(high.col(m), low.col(m));
  return high;
}

StepNodes monomials(const StepNodes& u, StepNodes f) {  // Newton's divided differences
  for (int level = 1; level < kN; ++level)
    for (int j = kN - 1; j >= level; --j) f[j] = (f[j] - f[j - 1]) / (u[j] - u[j - level]);
  for (int level = kN - 2; level >= 0; --level)
    for (int j = level; j < kN - 1; ++j) f[j] -= u[level] * f[j + 1];
  return f;
}

}  // namespace riskcurve
