#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/transfer.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

struct AdviseOptions {
  double rtol = 1e-8;  ///< relative error allowed in the risk
  int threads = 0;     ///< 0: all cores; changes no number
  /// Called by one thread at a time; false: stop, with a Failure.
  std::function<bool(double fraction)> progress;
};

/// A schedule of a shape that ends at 0, with the peak that is best for it.
struct BestShape {
  std::string kind;  ///< of the schedule: "linear", "cosine"
  double peak, risk;
};

/// What schedules leave of the risk, from the rates that searches take (Advice::small_signal).
struct ScheduleAdvice {
  double constant = 0;  ///< R of the best constant step
  double optimal = 0;   ///< R of optimal_schedule
  std::vector<BestShape> shapes;
  std::string skipped;  ///< one line: why it is not known
};

/// What one more constant, chosen together with the step size, is worth.
struct Change {
  std::string what;  ///< "momentum", "weight_decay", "averaging", "clipping"
  /// "step", and "momentum", "weight_decay", "decay" (of an exponential average); of clipping the
  /// best threshold of single samples at R(0), "threshold", and at the end, "last_threshold".
  std::map<std::string, double> value;
  double risk = 0;      ///< R*, of averaging that of the average
  double without = 0;   ///< R* of the experiment as it is, solved in the same way
  std::string skipped;  ///< one line: why it is not known
};

/// Where the least risk passes from one of `counterparts` to another.
struct Crossing {
  double horizon;
  std::size_t before, after;  ///< who leads up to it, and from it on
};

/// What to do with a problem, and how far to trust it: the answers of best_step, optimal_schedule,
/// step_scaling, counterparts and best_together at once. Source: ours; docs/advise.md.
struct Advice {
  double steps = 0;                   ///< the horizon T = run.steps
  Optimum best;                       ///< the best constant step
  Neighbours around;                  ///< what steps near it cost
  std::string own;                    ///< kind of the experiment's own schedule
  double own_step = 0, own_risk = 0;  ///< its step where it is constant, else nan; R(T) under it
  ScheduleAdvice schedule;
  std::vector<Scaling> scalings;  ///< of every transfer_quantities
  std::vector<Counterpart> counterparts;
  Eigen::ArrayXd horizons;  ///< T/4, T/2, .., 16 T, in whole steps, up to 20000 or T
  Eigen::ArrayXXd risk_at;  ///< R* of the counterparts, shape (horizons, counterparts); nan: none
  std::vector<Crossing> crossings;  ///< between these, by log R*'s ratio linear in log T
  std::vector<Change> changes;
  /// Whether all but `best`, `around` and `own_risk` take rates of small signals, though the
  /// experiment's are of any.
  bool small_signal = false;
  Trust trust;                        ///< at the best step
  std::vector<std::string> warnings;  ///< of the prediction at the best step
};

/// Who leads at each horizon and where that changes; a risk that is nan never leads. Shapes
/// (horizons), (horizons, optimizers).
std::vector<Crossing> crossings(const Eigen::ArrayXd& horizons, const Eigen::ArrayXXd& risk);

/// Parts that cannot be known say why, in `skipped`. Throws InputError where the experiment is
/// refused, Failure where no best step is found.
Advice advise(const Experiment& experiment, const AdviseOptions& options = {});

}  // namespace riskcurve
