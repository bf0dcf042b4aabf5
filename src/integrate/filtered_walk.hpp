#pragma once
#include <vector>

#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Whether walk_filtered knows the system: a FilteredMap with nothing around it.
bool can_walk(const ModeSystem& system);

/// Where a walk was, at the ends of its parts.
struct WalkTrace {
  std::vector<double> time, risk;
  std::vector<double> left;  ///< of the risk, what is left of the start and no noise
};

/// solve() at a constant step of a FilteredMap with nothing around it, y <- y - gamma f: from look
/// to look at the map's answer, parts of n steps,
///
///     m <- A_m^n m,   C <- A^2n C + (1 - A^2n)/(1 - A^2) [gamma^2 (noise + rest) - 2 gamma A E y
///     rho],
///
/// A = 1 - gamma h fresh. Rates are in units of what they are of small signals at the same risk,
/// which parts follow; what they are in these units is on a line between the looks at either end,
/// of which the first pass foretells the second (docs/theory/signal.md#many-steps-at-once). 20 to
/// 50 looks up to 10^6 steps; 3e-3 of R in the mean, 1e-2 where it falls by decades.
RiskCurve walk_filtered(const ModeSystem& system, double step, const Eigen::ArrayXd& at,
                        WalkTrace* trace = nullptr);

}  // namespace riskcurve
