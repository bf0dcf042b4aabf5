#pragma once
#include <optional>

#include "riskcurve/analysis/bands.hpp"
#include "riskcurve/analysis/trust.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// A predicted curve with what is needed to judge it.
struct Prediction {
  RiskCurve curve;  ///< its warnings include those of `trust` and of an unstable step size
  Trust trust;
  double noise_variance = 0;       ///< P = R + noise_variance/2; may be +inf
  double largest_stable_step = 0;  ///< raw step size
  std::optional<Bands> bands;      ///< if asked for
};

/// Fills the experiment's mode system, compresses it where it is large (unless modes are kept), and
/// solves it at the times of experiment.run. Bands that are missing leave a warning; they are
/// withheld where trust.signal is above its limit, and the mean of runs moves by more than they
/// scatter. Throws InputError as mode_system and solve do.
Prediction predict(const Experiment& experiment, const SolveOptions& options = {},
                   bool with_bands = false);

}  // namespace riskcurve
