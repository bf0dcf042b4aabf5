#pragma once
#include <Eigen/Core>

namespace riskcurve {

// The five Chebyshev-Lobatto nodes of a step of exponential collocation
// (docs/theory/integrator.md), forward or adjoint.

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
/// Of the polynomials that are 1 at one node u_l and 0 at the others, by column.
StepMatrix cardinal(const StepNodes& u);

}  // namespace riskcurve
