#pragma once
#include <cstdint>
#include <functional>

#include "riskcurve/run/ensemble.hpp"
#include "run/progress.hpp"

namespace riskcurve {

/// One run in flight.
struct Trajectory {
  /// Goes on from the time `from` to `to`, counting every part of the work; false where it left
  /// off before the end because it was told to stop.
  std::function<bool(double from, double to, Progress& progress)> advance;
  std::function<double()> risk;                ///< R now; not finite once the run has diverged
  std::function<double()> averaged_risk = {};  ///< that of an average; for all runs, or for none
};

/// Performs the runs in parallel, each from `begin(run)`, and records R at the times `at`; `parts`
/// is what each counts on the way. What a run does may depend on its number alone, so that threads
/// change nothing.
/// Throws InputError unless the times are finite, increasing and >= 0, and the options good, and
/// what a run throws.
Ensemble run_ensemble(const Eigen::ArrayXd& at, double parts, const EnsembleOptions& options,
                      const std::function<Trajectory(std::uint64_t run)>& begin);

/// What run_ensemble asks of its times (of which `field` is the name) and options.
void check_ensemble(const Eigen::ArrayXd& at, const char* field, const EnsembleOptions& options);

}  // namespace riskcurve
