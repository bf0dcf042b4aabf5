#pragma once
#include <string>
#include <vector>

#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"

namespace riskcurve {

/// The best that one batch makes of a number of samples.
struct BudgetPoint {
  int batch = 1;
  double steps = 0;  ///< floor(samples/batch)
  JointOptimum best;
};

struct BudgetOptimum {
  bool found = false;
  std::string message;  ///< one line: why not
  BudgetPoint best;     ///< best.best.experiment: the one given, with all of it and its steps
  std::vector<BudgetPoint> scan;  ///< the powers of two from 1 that were looked at
  int evaluations = 0;            ///< solves of the mode system, of all batches
};

/// argmin over whole batches b of the risk after floor(samples/b) steps, at constant values of the
/// step size and of what else options.over names that are best for this b (joint.hpp: solved step
/// by step, so that a large batch's large steps count as they are). Powers of two first, until the
/// risk is half as much again as the least; between the neighbours of the best of them a
/// golden-section search in whole numbers, and at its end every batch within four of it. At least
/// 10 steps are taken. With no power of two solved, `message` is that of the last. Throws
/// InputError as best_together does, and unless samples >= 10. Source: ours;
/// docs/theory/optima.md#a-number-of-samples.
BudgetOptimum best_batch(const Experiment& experiment, double samples,
                         const JointOptions& options = {});

/// What steps and samples a risk costs, batch by batch, each at its fastest constant step.
struct CriticalBatch {
  bool found = false;
  std::string message;                  ///< one line: why not
  double risk = 0;                      ///< that is reached
  double batch = 0;                     ///< the critical one
  Eigen::ArrayXd at;                    ///< batches: 1, 2, 4, ..
  Eigen::ArrayXd step, steps, samples;  ///< shape of `at`; samples = batch steps
  /// -dlog steps/dlog batch between a batch and the next, shape (at.size() - 1): 1 where doubling
  /// halves the steps, 0 where it gains nothing.
  Eigen::ArrayXd saving;
  int evaluations = 0;
};

/// The batch where doubling stops paying: where the saving has fallen to 1/2, as for steps ~ 1 +
/// b/batch it is at b = batch. From batches 1, 2, 4, .. until the saving is below 1/4, or fewer
/// than 10 steps are left; between their middles (in log b) by a straight line. Steps are exact in
/// the step size, one by one. Not found where the saving does not fall to 1/2 before that;
/// `message` says so, and the arrays hold what was found. Throws InputError unless 0 < risk < R(0).
/// Source: ours; docs/theory/optima.md#a-number-of-samples.
CriticalBatch critical_batch(const Experiment& experiment, double risk,
                             const OptimumOptions& options = {});

/// A batch that changes along a run of one constant step size.
struct BatchRamp {
  bool found = false;
  std::string message;       ///< one line: why not
  double step = 0;           ///< gamma
  Eigen::ArrayXd at, batch;  ///< m (no whole numbers) at steps 0 .. T, linear between them
  double risk = 0;           ///< R(T)
  double constant_risk = 0;  ///< that of the batch samples/T, at its own best constant step
  int evaluations = 0;       ///< solves of the mode system
};

/// argmin of R(T), T = `steps`, over the constant step gamma and the batch m(k) with int_0^T m dk =
/// samples. Where the drift does not depend on the batch and the diffusion falls as 1/m, a sample
/// moves by gamma/m and adds the noise of (gamma/m)^2: the pair is a schedule eta = gamma/m of
/// steps of one sample. So m = gamma/eta, eta the optimal schedule over `samples` steps, and its
/// risk, at any T: gamma = int eta dn/T. Longer than T = int eta dn/max eta batches would fall
/// below one. `count`: times of the schedule it comes from, whose spaces the table divides by four.
/// In the limit of small steps. Throws InputError for optimizers whose drift depends on the batch,
/// with momentum or averages, for steps that are too many, and unless samples >= 10. Source: ours;
/// m ~ (1 - k/T)^(1/(4 alpha) - 1) on power laws is Bordelon and Mori's (arXiv 2602.04774);
/// docs/theory/schedules.md#batch-ramps.
BatchRamp best_batch_ramp(const Experiment& experiment, double samples, double steps,
                          int count = 97, const ScheduleOptions& options = {});

}  // namespace riskcurve
