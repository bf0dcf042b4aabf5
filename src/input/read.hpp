#pragma once
#include "input/fields.hpp"
#include "riskcurve/input/input.hpp"

namespace riskcurve {

/// With OtherKeys::allowed, [optimizer] may hold keys that belong to other optimizers.
enum class OtherKeys { refused, allowed };

/// The grid file of a sweep.
Sweep read_sweep(const Fields& grid);

/// The tables of a problem file. Each throws InputError with the whole name of the key.
Experiment read_experiment(const Fields& file, OtherKeys others = OtherKeys::refused);
Covariance read_covariance(const Fields& covariance);
NoiseLaw read_noise(const Fields& noise);
VectorProblem read_vector_problem(const Fields& problem);
MatrixProblem read_matrix_problem(const Fields& problem);
/// horizon: run.steps, of thresholds that do not say theirs.
Optimizer read_optimizer(const Fields& optimizer, double horizon,
                         OtherKeys others = OtherKeys::refused);
/// What stands around its update, in the same table.
Chain read_chain(const Fields& optimizer, double horizon);
/// Both, into the experiment.
void read_update(const Fields& optimizer, double horizon, Experiment& experiment,
                 OtherKeys others = OtherKeys::refused);
/// Values are named `step` (raw) or `scaled_step` (divided by `dimension`); `horizon` is the
/// default of kinds that have one.
Schedule read_schedule(const Fields& schedule, double dimension, double horizon);
/// A threshold: a number, or a table like [schedule] whose values are named `value`.
Schedule read_threshold(const Fields& optimizer, const std::string& key, double horizon);
Run read_run(const Fields& run);

}  // namespace riskcurve
