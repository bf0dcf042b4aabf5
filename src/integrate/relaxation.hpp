#pragma once
#include <Eigen/Core>
#include <array>
#include <cmath>

namespace riskcurve {

// What a step of exponential collocation (docs/theory/integrator.md), forward or adjoint, is made
// of: the five Chebyshev-Lobatto nodes of a step, and a linear mode's exact answer to a polynomial
// source.

constexpr int kStepNodes = 5;
using StepNodes = Eigen::Array<double, kStepNodes, 1>;
using StepMatrix = Eigen::Matrix<double, kStepNodes, kStepNodes>;

struct StepBasis {
  StepNodes node;            ///< c_j on [0, 1], increasing
  StepMatrix to_monomial;    ///< values at the nodes -> coefficients of 1, x, .., x^4
  StepMatrix integrate;      ///< values at the nodes -> integrals from 0 to each node
  StepNodes last_chebyshev;  ///< values -> coefficient of T_4
};
const StepBasis& step_basis();

/// Coefficients in powers of u of the polynomial through (u_j, f_j).
StepNodes monomials(const StepNodes& u, StepNodes f);

/// int_0^1 e^(-z(1-v)) v^m dv for m = 0..4, z >= 0, given e^(-z).
inline StepNodes relaxation_moments(double z, double decay) {
  static constexpr auto inverse = [] {
    std::array<double, 32> of{};
    for (int n = 1; n < 32; ++n) of[n] = 1.0 / n;
    return of;
  }();
  constexpr int n = kStepNodes;
  StepNodes moment;
  if (z > 2) {
    const double by = 1 / z;
    moment[0] = (1 - decay) * by;
    for (int m = 1; m < n; ++m) moment[m] = (1 - m * moment[m - 1]) * by;
  } else {
    // Series for the highest moment, then downwards, where the recurrence is stable.
    double term = inverse[n], sum = term;
    for (int k = 1; k < 24 && std::abs(term) > 1e-17 * sum; ++k) sum += term *= -z * inverse[n + k];
    moment[n - 1] = sum;
    for (int m = n - 1; m > 0; --m) moment[m - 1] = (1 - z * moment[m]) * inverse[m];
  }
  return moment;
}

/// The same for a block of modes at once, shape (modes, moments), in vector instructions.
constexpr int kBlock = 16;
using Block = Eigen::Array<double, kBlock, 1>;
using BlockMoments = Eigen::Array<double, kBlock, kStepNodes>;
BlockMoments relaxation_moments(const Block& z, const Block& decay);

}  // namespace riskcurve
