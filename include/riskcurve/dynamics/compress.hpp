#pragma once
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// The same risk curve from fewer modes. The risk depends on the modes only through the measures
/// h s(0) and h c over the rate a, and on those only through integrals of e^(-2 a tau), analytic in
/// log a. So each octave of a keeps, of each measure, the Gauss rule with `nodes` points: positive
/// weights, exact to degree 2 nodes - 1 (8 nodes: about 1e-13 of R at every tau). Octaves with
/// fewer modes keep them as they are; cost after it does not depend on the dimension. Rates below
/// `slow` share one rule: on clocks tau up to 1/(4 slow) they have not decayed enough to differ (5
/// nodes: 1e-9 of R).
/// In the result h = 1: s_k is twice the mode's share of the risk.
/// Systems with several drift products, or fewer modes than it would leave, come back unchanged.
/// Observables indexed by the original modes turn nan; drift_loss and correlation are left out.
/// Source: docs/theory/integrator.md#compression; ours.
ModeSystem compress(const ModeSystem& system, int nodes = 8, double slow = 0);

}  // namespace riskcurve
