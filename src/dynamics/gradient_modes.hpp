#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// What SGD and clipped SGD share: h = lambda, a = lambda, c = lambda/b, in K's eigenbasis.
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

}  // namespace riskcurve
