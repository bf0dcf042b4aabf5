#pragma once
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// As walk_filtered, with a look at the map at every leap of up to 0.2 of the steps before and 0.15
/// of log R, rates on the line through the last two looks: four times the looks, for maps of two
/// graded sides, where a step more than answers single entries that hold the risk. Between looks
/// further apart those swing (docs/theory/signal.md#many-steps-at-once). For systems that can_walk.
RiskCurve walk_by_leaps(const ModeSystem& system, double step, const Eigen::ArrayXd& at);

}  // namespace riskcurve
