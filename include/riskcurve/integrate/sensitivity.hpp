#pragma once
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// How R(T) answers to the step size at every earlier time, from one solve forwards and one sweep
/// back. With p_k(t) = dR(T)/ds_k(t),
///
///     dp_k/dt = 2 gamma a_k p_k - (h_k/2) mu(t),                        p_k(T) = h_k/2,
///     mu = sum_j p_j (-2 gamma s_j da_j/dR + gamma^2 dc_j/dR),
///     dR(T)/dgamma(t) = sum_k p_k (-2 a_k s_k + 2 gamma c_k).
///
/// The sweep takes the panels of the forward solve, each by the same exponential collocation: p
/// relaxes backwards as s does forwards, and mu at the nodes solves a linear 5x5 system. Towards T
/// the panels shrink geometrically, so that the layer in which fast modes forget is resolved.
/// A system with blocks, or Method::recursion, is differentiated step by step, exactly: nodes are
/// the steps, weights 1, and with P the adjoint of S
///
///     P <- A^T P A + (h/2) mu v v^T + ..,    dR(T)/dx_k = sum tr P (2 A_x S A^T + Q_x)
///
/// for x = gamma, momentum, weight decay at step k.
/// Source: docs/theory/optima.md#one-sweep-for-all-derivatives; the discretisation is ours.
struct Sensitivity {
  RiskCurve curve;  ///< at T, or at the time `reached`; look at its status first
  double risk = 0;  ///< R(T)
  double unit = 1;  ///< the power of two in (R(T)/2, R(T)]: R(T)^2 may be no double
  double rate = 0;  ///< dR/dt at T under the schedule

  // At the nodes of all panels, in increasing time:
  Eigen::ArrayXd time, step;  ///< t and gamma(t)
  Eigen::ArrayXd weight;      ///< quadrature weights: int_0^T f dt = sum weight f(time)
  Eigen::ArrayXd risk_at;     ///< R(t)
  Eigen::ArrayXd gradient;    ///< dR(T)/dgamma(t), per unit of t
  Eigen::ArrayXd curvature;   ///< 2 sum p c: its derivative by gamma(t) with p, s held
  Eigen::ArrayXd progress;    ///< sum p a s: the mean update moves R(T) by -2 gamma of it
  Eigen::ArrayXd injected;    ///< sum p c: and its noise by gamma^2 of it
  /// 4 sum p^2 s c/m / unit^2 over modes of multiplicity m (m = 0: none): gamma^2 of it is the
  /// variance of R(T) per step, of independent directions. Empty where multiplicities are unknown.
  Eigen::ArrayXd scatter;
  /// sum h a s/sum h c: the step size of fastest descent at t. Empty where the solve was step by
  /// step.
  Eigen::ArrayXd greedy;

  Eigen::ArrayXd initial;  ///< p_k(0) = dR(T)/ds_k(0)

  // Of systems with blocks, by what their chains hold; else empty:
  Eigen::ArrayXd momentum;      ///< dR(T)/d momentum(t)
  Eigen::ArrayXd weight_decay;  ///< dR(T)/d weight_decay(t)
  double average_decay = 0;     ///< dR(T)/d decay of an exponential moving average

  /// dR(T)/dtheta of a schedule gamma(t; theta), given dgamma/dtheta.
  template <class Direction>
  double along(const Direction& direction) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < time.size(); ++i)
      sum += weight[i] * gradient[i] * direction(time[i]);
    return sum;
  }
};

/// options.until_risk ends the curve, and so T, where the risk falls to it. Derivatives of the
/// responses by R are central differences of fourth order in log R (about 1e-11 relative).
/// Throws InputError as solve does, for another method than the exponential one, and for systems
/// with extra states.
Sensitivity sensitivity(const ModeSystem& system, const Schedule& step, double horizon,
                        SolveOptions options = {});

}  // namespace riskcurve
