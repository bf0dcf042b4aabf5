#include "analysis/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Names = std::vector<std::string>;

JointOptimum together(const Experiment& experiment, const Names& over, bool averaged,
                      const SolveOptions& options) {
  if (experiment.run.steps > kLongest)
    throw Failure(fmt::format("not asked: more than {:.6g} steps, one by one", kLongest));
  JointOptions joint;
  joint.over = over;
  joint.averaged = averaged;
  joint.solve = options;
  JointOptimum best = best_together(experiment, experiment.run.steps, joint);
  if (!best.found) throw Failure(best.message);
  return best;
}

void take(const JointOptimum& best, Change& change) {
  change.value = best.value;
  change.risk = best.risk;
}

double least_risk(const Experiment& experiment, const SolveOptions& options) {
  return together(experiment, {"step"}, false, options).risk;
}

void of_momentum(const Experiment& own, const SolveOptions& options, Change& change) {
  if (own.run.steps > kLongestOfAnySignal && mode_system(own).filtered)
    throw Failure(fmt::format("not asked: more than {:.6g} steps with a signal of any size",
                              kLongestOfAnySignal));
  const JointOptimum best = together(own, {"step", "momentum"}, false, options);
  take(best, change);
  // Beside rates that are of any signal for the momentum's sake stand others of any.
  Experiment without = with_small_signal(own);
  if (without.signal != own.signal && mode_system(best.experiment).filtered)
    without.signal = Signal::full;
  change.without = least_risk(without, options);
}

void of_weight_decay(const Experiment& own, const SolveOptions& options, Change& change) {
  const Experiment experiment = with_small_signal(own);
  take(together(experiment, {"step", "weight_decay"}, false, options), change);
  change.without = least_risk(experiment, options);
}

void of_averaging(const Experiment& own, const SolveOptions& options, Change& change) {
  Experiment experiment = with_small_signal(own);
  change.without = least_risk(experiment, options);
  // At first over the last tenth of the run.
  if (!experiment.chain.average)
    experiment.chain.average = EmaAverage{std::max(0.1, 1 - 10 / experiment.run.steps)};
  const bool exponential = std::holds_alternative<EmaAverage>(*experiment.chain.average);
  take(together(experiment, exponential ? Names{"step", "decay"} : Names{"step"}, true, options),
       change);
}

/// Of a map that is the gradient's mean, clipped or not: its best step under the best threshold of
/// every moment.
void of_clipping(const Experiment& own, const SolveOptions& options, Change& change) {
  if (!std::holds_alternative<Sgd>(own.optimizer) &&
      !std::holds_alternative<ClippedSgd>(own.optimizer))
    throw Failure("derived for sgd alone");
  if (own.is_matrix()) throw Failure("derived for vectors alone");
  if (!own.chain.empty())
    throw Failure("best thresholds are derived without momentum, decay and averages");
  OptimumOptions optimum;
  optimum.solve = options;
  const auto best_of = [&](const ModeSystem& system) {
    const Optimum best = best_step(compress(system), own.run.steps, optimum);
    if (!best.found) throw Failure(best.message);
    return best;
  };
  ModeSystem clipped = optimally_clipped_sgd(own.vector(), batch_of(own.optimizer));
  clipped.observable.clear();
  const Optimum best = best_of(clipped);
  const ClippingCurve ends =
      optimal_clipping(ResidualLaw(own.noise()), Eigen::Array2d(own.initial_risk(), best.risk));
  change.value = {
      {"step", best.step}, {"threshold", ends.threshold[0]}, {"last_threshold", ends.threshold[1]}};
  change.risk = best.risk;
  change.without = best_of(mode_system(own)).risk;
}

}  // namespace

Change change(const std::string& what, const Experiment& experiment, const SolveOptions& options) {
  Change change;
  change.what = what;
  try {
    if (what == "momentum")
      of_momentum(experiment, options, change);
    else if (what == "weight_decay")
      of_weight_decay(experiment, options, change);
    else if (what == "averaging")
      of_averaging(experiment, options, change);
    else
      of_clipping(experiment, options, change);
  } catch (const std::runtime_error& error) {
    change.skipped = error.what();
  }
  return change;
}

}  // namespace riskcurve
