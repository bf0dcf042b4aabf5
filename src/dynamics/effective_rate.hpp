#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// Gives a system SignSGD's response, drift phi_b(R) and diffusion 1, and the observables
/// effective_learning_rate and noise_compression.
void add_sign_response(ModeSystem& system, const NoiseLaw& noise, int batch);

}  // namespace riskcurve
