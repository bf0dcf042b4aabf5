#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// phi_b(R): ResidualLaw::phi or ResidualLaw::matrix_phi. Inversely proportional to sqrt(2P) for a
/// Gaussian residual.
using SignRate = double (ResidualLaw::*)(double risk, int batch) const;

/// Gives a system SignSGD's response, drift phi_b(R) and diffusion 1, and the observables
/// effective_learning_rate and noise_compression.
void add_sign_response(ModeSystem& system, const NoiseLaw& noise, int batch, SignRate rate);

}  // namespace riskcurve
