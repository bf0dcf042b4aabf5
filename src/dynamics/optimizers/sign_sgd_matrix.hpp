#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The modes of SignSGD on a matrix problem whose sides are diagonal or given in coordinates
/// (optimizers.hpp): all of its mode system but responses.
ModeSystem exact_sign_modes(const MatrixProblem& problem);

}  // namespace riskcurve
