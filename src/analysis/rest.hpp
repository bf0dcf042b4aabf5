#pragma once
#include "riskcurve/analysis/preconditioning.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// R of a system with blocks that rests under the rates of risk R: sum_k h_k v^T S_k v/2 at the
/// fixed point of S_k, from S_k(0) (theta* stays, +inf where a block grows). nan for blocks that
/// change for ever (schedule-free averages, workers that meet).
double sustained_risk(const ModeSystem& system, double step, double t, double risk);

/// largest_stable_step (predict.hpp): where the noise that a large risk makes sustains that risk,
/// or a block grows by itself.
double largest_stable_step_of_blocks(const ModeSystem& system);

/// ModeRates::noise of a system.
NoiseMemory noise_memory(const ModeSystem& system, double t, double risk);

}  // namespace riskcurve
