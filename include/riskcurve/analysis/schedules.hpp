#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"

namespace riskcurve {

/// gamma(t; parameters), every parameter > 0, with dgamma(t)/dlog(parameter).
struct ScheduleFamily {
  std::string kind;
  std::vector<std::string> names;  ///< of the parameters, as a problem file calls them
  std::function<Schedule(const Eigen::ArrayXd& parameters)> schedule;
  std::function<Eigen::ArrayXd(const Eigen::ArrayXd& parameters, double t)> derivative;
  bool logarithmic = true;  ///< searched in log(parameters); else in the parameters themselves
};
/// step
ScheduleFamily constant_family();
/// step (1 + k/delay)^(-exponent); above kExponential an exponential, exp(-k exponent/delay).
ScheduleFamily power_decay_family();
inline constexpr double kExponential = 20;
/// Linear warm-up over `warmup` steps, then cosine from `step` to 0 at the horizon.
ScheduleFamily cosine_family(double horizon);
/// step (1 - k/horizon)^exponent
ScheduleFamily polynomial_family(double horizon);
/// step times a schedule of peak 1, which keeps its own parameters.
ScheduleFamily peak_family(const Schedule& shape);
/// Linear between the step sizes at these times: with many of them, any schedule.
ScheduleFamily tabulated_family(const Eigen::ArrayXd& at);

/// `count` times from 0 to the horizon, spaced geometrically from either end, from the larger of
/// half a step and horizon/10^6 on: what optimal schedules need, which change fastest at the ends.
Eigen::ArrayXd schedule_mesh(double horizon, int count = 97);

/// A schedule of a family that is best for some horizon.
struct ScheduleOptimum {
  bool found = false;
  std::string message;        ///< one line: why not, or how the search ended
  Eigen::ArrayXd parameters;  ///< for a tabulated schedule: gamma at the mesh
  Schedule schedule;
  double risk = 0;      ///< R(horizon)
  double gradient = 0;  ///< |dlog R/dlog parameters|, Euclidean: 0 at an optimum
  int evaluations = 0;  ///< solves of the mode system
};

struct ScheduleOptions {
  double tolerance =
      1e-6;  ///< on the Newton decrement, whose half square is about log R's distance
  int max_solves = 400;
  SolveOptions solve;
};

/// Minimises log R(horizon) over the family from `start`, by L-BFGS; the gradient and the diagonal
/// it is scaled by come from one adjoint sweep a solve.
/// A local minimum, never above the start. Source: docs/theory/optima.md#schedules.
ScheduleOptimum best_schedule(const ModeSystem& system, double horizon,
                              const ScheduleFamily& family, const Eigen::ArrayXd& start,
                              const ScheduleOptions& options = {});

/// As `kind` of schedule is searched for: greedy, and with it a table of all, by the rates of small
/// signals where the experiment leaves the choice, since at any size greedy_schedule is not known.
Experiment searched_for(const std::string& kind, const Experiment& experiment);

/// The greedy schedule gamma(t) = argmin dR/dt = sum h a s/sum h c at the times of the mesh,
/// linear between them. Source: docs/theory/optima.md#greedy.
ScheduleOptimum greedy_schedule(const ModeSystem& system, const Eigen::ArrayXd& mesh,
                                const ScheduleOptions& options = {});

/// The optimal schedule (Pontryagin): best_schedule over tabulated_family(mesh), started from the
/// best constant step or the greedy schedule, whichever is better, so never worse than either. At
/// the optimum gamma(t) = sum p a s/sum p c, greedy with the adjoint for weights.
ScheduleOptimum optimal_schedule(const ModeSystem& system, const Eigen::ArrayXd& mesh,
                                 const ScheduleOptions& options = {});

/// The best schedule of a kind, "greedy", "optimal", "power_decay", "polynomial" or "cosine" (with
/// warm-up), from a first guess by the best constant step. Throws InputError for another kind.
ScheduleOptimum schedule_of_kind(const std::string& kind, const ModeSystem& system,
                                 const Optimum& constant, const Eigen::ArrayXd& mesh,
                                 const ScheduleOptions& options = {});

/// What the shape of a schedule is worth: each with its best peak (and its other numbers, where it
/// has some), and the exponent of R(T) ~ T^-x between T/2 and T = horizon, each horizon with its
/// own best.
struct ShapeOptimum {
  std::string shape;  ///< of schedule_shapes()
  ScheduleOptimum best;
  double step = 0;  ///< the peak
  double horizon_exponent = 0;
};
/// "constant", "wsd" (the last fifth linear to 0), "1 - sqrt" (of k/T), "linear" and "cosine" to 0,
/// "polynomial" (1 - k/T)^exponent and "power_decay" with their best exponents, "optimal".
std::vector<std::string> schedule_shapes();
/// The best schedule of one of them; its peak is the value at step 0. `constant`: best_step of the
/// horizon. Throws InputError for an unknown shape.
ScheduleOptimum best_of_shape(const std::string& shape, const ModeSystem& system,
                              const Optimum& constant, const ScheduleOptions& options = {});
/// best_of_shape of each, in their order; not found are those the search fails at. Source: ours,
/// docs/theory/schedules.md#what-a-shape-loses.
std::vector<ShapeOptimum> compare_shapes(
    const ModeSystem& system, const Optimum& constant, const ScheduleOptions& options = {},
    const std::vector<std::string>& shapes = schedule_shapes());

}  // namespace riskcurve
