#pragma once
#include <Eigen/Core>

namespace riskcurve {

// What a step of exponential collocation (docs/integrator.md), forward or adjoint, is made of: the
// five Chebyshev-Lobatto nodes of a step, and a linear mode's exact answer to a polynomial source.

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
StepNodes relaxation_moments(double z, double decay);

}  // namespace riskcurve
