#include <cmath>

#include "riskcurve/analysis/budget.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

ModeSystem of_batch(Experiment experiment, int batch) {
  experiment.optimizer = with_batch(experiment.optimizer, batch);
  experiment.chain.batch.reset();
  return mode_system(experiment);
}

/// Whether twice the batch halves the noise and leaves the drift as it is.
bool only_noise_falls(const ModeSystem& one, const ModeSystem& two) {
  if (one.filtered || one.blocks || two.modes() != one.modes()) return false;
  const Now now{0, 0, one.risk(one.initial), one.extra_initial, &one.initial};
  const Rates a = one.rates(now), b = two.rates(now);
  const auto alike = [](const ArrayXd& x, const ArrayXd& y) {
    return ((x - y).abs() <= 1e-9 * x.abs().maxCoeff()).all();
  };
  return alike(a.drift, b.drift) && alike(a.diffusion, 2 * b.diffusion);
}

}  // namespace

BatchRamp best_batch_ramp(const Experiment& experiment, double samples, double steps, int count,
                          const ScheduleOptions& options) {
  if (!(samples >= 10) || !std::isfinite(samples))
    throw InputError("samples", samples, "a finite number >= 10");
  check_range("steps", steps, Range::positive());
  const ModeSystem full = of_batch(experiment, 1);
  if (!only_noise_falls(full, of_batch(experiment, 2)))
    throw InputError("optimizer.name", name_of(experiment.optimizer),
                     "one whose drift does not depend on the batch, without momentum or averages: "
                     "for others a batch is more than a step size");
  const ModeSystem system = compress(full);
  OptimumOptions constant_options;
  constant_options.solve = options.solve;
  const Optimum constant = best_step(system, samples, constant_options);
  const ArrayXd mesh = schedule_mesh(samples, count);
  const ScheduleOptimum best = optimal_schedule(system, mesh, options);
  BatchRamp ramp;
  ramp.evaluations = constant.evaluations + best.evaluations;
  ramp.found = constant.found && best.found;
  ramp.message = constant.found ? best.message : constant.message;
  if (!ramp.found) return ramp;
  // eta is linear between the times of the mesh, which are samples; where it turns, 1/eta is not.
  const Index spaces = mesh.size() - 1, between = 4;
  ArrayXd eta(between * spaces + 1), drift = ArrayXd::Zero(between * spaces + 1);
  eta[0] = best.parameters[0];
  for (Index i = 0; i < spaces; ++i) {
    const double length = (mesh[i + 1] - mesh[i]) / between;
    for (Index j = i * between + 1; j <= (i + 1) * between; ++j) {
      const double share = static_cast<double>(j - i * between) / between;
      eta[j] = (1 - share) * best.parameters[i] + share * best.parameters[i + 1];
      drift[j] = drift[j - 1] + 0.5 * (eta[j] + eta[j - 1]) * length;
    }
  }
  const double total = drift[between * spaces], longest = total / eta.maxCoeff();
  if (steps > longest)
    throw InputError("steps", steps,
                     "at most " + number_text(std::floor(longest)) +
                         ": in longer runs the best batches are smaller than one sample");
  ramp.step = total / steps;
  ramp.at = drift / ramp.step;
  ramp.batch = ramp.step / eta;
  ramp.risk = best.risk;
  ramp.constant_risk = constant.risk;
  return ramp;
}

}  // namespace riskcurve
