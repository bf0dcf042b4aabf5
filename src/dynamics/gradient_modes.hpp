#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

// What SGD and clipped SGD share: a = h, c = h/b a direction, in the eigenbasis of the covariances.

/// h = lambda.
inline ModeSystem gradient_modes(const VectorProblem& problem, int batch) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  ModeSystem system;
  system.weight = spectrum.value;
  system.drift = spectrum.value;
  system.diffusion = spectrum.value * spectrum.multiplicity / batch;
  system.initial = problem.initial;
  system.multiplicity = spectrum.multiplicity;
  system.noise_variance = problem.noise.variance;
  return system;
}

/// h = sigma_i lambda_j, in the order i + N_out j.
inline ModeSystem gradient_modes(const MatrixProblem& problem, int batch) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const auto outer = [](const Eigen::ArrayXd& a, const Eigen::ArrayXd& b) -> Eigen::ArrayXd {
    return (a.matrix() * b.matrix().transpose()).reshaped().array();
  };
  ModeSystem system;
  system.weight = outer(out.value, in.value);
  system.multiplicity = outer(out.multiplicity, in.multiplicity);
  system.drift = system.weight;
  system.diffusion = system.weight * system.multiplicity / batch;
  system.initial = problem.initial.entries().reshaped();
  system.noise_variance = problem.noise.variance;
  return system;
}

/// What every update has that is linear in the gradient: the responses g = 1 and n = 2P, and SGD's
/// shared noise, which enters through the residuals alone.
void add_gradient_response(ModeSystem& system, const NoiseLaw& noise, int batch);
/// Throws InputError about problem.noise unless its variance is finite.
void check_variance(const NoiseLaw& noise, const char* expected);

/// A warning where noise has no variance and is averaged over more steps than its mean settles in.
void warn_of_memory(ModeSystem& system, const NoiseLaw& noise, double steps);

/// Entries of a matrix behind a memory: E l^2 u_j^2 v_k^2 is 1 + 2 (rho_j + rho_k) R/P times what
/// it would be of independent factors, rho the shares of R in row j and in column k. Warns where
/// that is much (docs/theory/adaptive.md#matrices).
void warn_of_few_rows(ModeSystem& system, const MatrixProblem& problem);

}  // namespace riskcurve
