#pragma once
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Whether walk_filtered knows the system: a FilteredMap with nothing around it.
bool can_walk(const ModeSystem& system);

/// solve() at a constant step of a FilteredMap with nothing around it, y <- y - gamma f: steps one
/// by one at first, then so many at once that R and what the map does change little,
///
///     m <- A_m^n m,   C <- A^2n C + (1 - A^2n)/(1 - A^2) [gamma^2 (noise + rest) - 2 gamma A E y
///     rho],
///
/// A = 1 - gamma h fresh, with rates on the line through the last two answers at the middle of the
/// n steps (one step, half of it, of modes with A < 0): one answer each, in place of the
/// recursion's six. 1e-3 of R, less where it rises or falls fast (docs/theory/signal.md#recursion).
RiskCurve walk_filtered(const ModeSystem& system, double step, const Eigen::ArrayXd& at);

}  // namespace riskcurve
