#include "riskcurve/analysis/advise.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "analysis/changes.hpp"
#include "analysis/counterparts.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// Parts that several threads work on, and the wish to stop them.
class Parts {
 public:
  explicit Parts(const AdviseOptions& options) : options_(options) {}

  std::function<bool(double)> hook() {
    return [this](double) {
      if (options_.progress && reporting_.try_lock()) {
        const std::lock_guard<std::mutex> release(reporting_, std::adopt_lock);
        if (!options_.progress(static_cast<double>(done_) / static_cast<double>(total_)))
          stop_ = true;
      }
      return !stop_;
    };
  }
  void add(std::function<void()> part) {
    parts_.push_back(std::move(part));
    total_ = std::ssize(parts_) + 1;
  }
  void work() {
    done_ = 1;
    parallel_for(std::ssize(parts_), options_.threads, stop_, [&](long i) {
      try {
        parts_[static_cast<std::size_t>(i)]();
      } catch (const Failure&) {
        if (!stop_) throw;  // else it is only that all stop
      }
      ++done_;
    });
    check();
  }
  void check() const {
    if (stop_) throw Failure("interrupted");
  }

 private:
  const AdviseOptions& options_;
  std::vector<std::function<void()>> parts_;
  std::mutex reporting_;
  std::atomic<long> done_ = 0, total_ = 1;
  std::atomic<bool> stop_ = false;
};

/// The system of the experiment as searches take it.
ModeSystem searched(const Experiment& experiment) {
  ModeSystem system = mode_system(experiment);
  system.observable.clear();
  return compress(system);
}

/// best_step where there is one.
Optimum found_step(const ModeSystem& system, double horizon, const SolveOptions& options) {
  OptimumOptions optimum;
  optimum.solve = options;
  Optimum best = best_step(system, horizon, optimum);
  if (!best.found) throw Failure(best.message);
  return best;
}

void add_step(Advice& advice, const Experiment& experiment, const SolveOptions& options) {
  const ModeSystem system = searched(experiment);
  advice.best = found_step(system, advice.steps, options);
  advice.around = neighbours(system, advice.best, options);

  const auto* const constant = std::get_if<ConstantSchedule>(&experiment.schedule.shape);
  advice.own = experiment.schedule.kind;
  advice.own_step = constant && experiment.schedule.warmup == 0 ? experiment.schedule(0) : NAN;
  const RiskCurve own =
      solve(system, experiment.schedule, ArrayXd::Constant(1, advice.steps), options);
  advice.own_risk = own.status == RiskCurve::Status::ok         ? own.risk[0]
                    : own.status == RiskCurve::Status::diverged ? INFINITY
                                                                : NAN;
  Experiment at_best = experiment;
  at_best.schedule = constant_schedule(advice.best.step);
  Prediction prediction = predict(at_best, options);
  advice.trust = prediction.trust;
  advice.warnings = std::move(prediction.curve.warnings);
  advice.small_signal =
      system.filtered && with_small_signal(experiment).signal != experiment.signal;
}

ScheduleAdvice best_schedules(const Experiment& experiment, const SolveOptions& options) {
  ScheduleAdvice found;
  try {
    const double horizon = experiment.run.steps;
    const ModeSystem system = searched(with_small_signal(experiment));
    const Optimum constant = found_step(system, horizon, options);
    found.constant = constant.risk;
    ScheduleOptions schedules;
    schedules.solve = options;
    const auto best_of = [&](const std::string& shape) {
      ScheduleOptimum best = best_of_shape(shape, system, constant, schedules);
      if (!best.found) throw Failure(best.message);
      return best;
    };
    found.optimal = best_of("optimal").risk;
    for (const char* shape : {"linear", "cosine"}) {
      const ScheduleOptimum best = best_of(shape);
      found.shapes.push_back({shape, best.schedule(0), best.risk});
    }
  } catch (const std::runtime_error& error) {
    found = {};
    found.skipped = error.what();
  }
  return found;
}

/// T/4, .., 16 T in whole steps, those beyond T up to kLongest.
ArrayXd horizons_around(double steps) {
  constexpr double factors[] = {0.25, 0.5, 1, 2, 4, 8, 16};
  std::vector<double> at;
  for (const double factor : factors)
    if (const double horizon = factor == 1 ? steps : std::round(factor * steps);
        horizon >= 1 && (at.empty() || horizon > at.back()) && horizon <= std::max(steps, kLongest))
      at.push_back(horizon);
  return ArrayXd::Map(at.data(), std::ssize(at));
}

}  // namespace

std::vector<Crossing> crossings(const ArrayXd& horizons, const ArrayXXd& risk) {
  const ArrayXXd value = risk.isNaN().select(HUGE_VAL, risk);
  std::vector<Crossing> found;
  for (Index i = 0; i + 1 < horizons.size(); ++i) {
    Index before, after;
    value.row(i).minCoeff(&before);
    value.row(i + 1).minCoeff(&after);
    if (before == after) continue;
    const ArrayXd ahead = (value.col(after) / value.col(before)).log();
    const double from = ahead[i], to = ahead[i + 1];
    const double share = std::isfinite(from) && std::isfinite(to) ? from / (from - to) : 0.5;
    found.push_back({horizons[i] * std::pow(horizons[i + 1] / horizons[i], share),
                     static_cast<std::size_t>(before), static_cast<std::size_t>(after)});
  }
  return found;
}

Advice advise(const Experiment& experiment, const AdviseOptions& options) {
  Parts parts(options);
  SolveOptions solve;
  solve.rtol = options.rtol;
  solve.progress = parts.hook();
  Advice advice;
  advice.steps = experiment.run.steps;
  // Where searches of constants begin.
  Experiment from_best = experiment;
  try {
    const ModeSystem quick = searched(with_small_signal(experiment));
    from_best.schedule = constant_schedule(found_step(quick, advice.steps, solve).step);
  } catch (const Failure&) {
    parts.check();
    throw;
  }
  const std::vector<std::string> quantities = transfer_quantities(experiment.is_matrix());
  TransferOptions transfer;
  transfer.rtol = options.rtol;
  transfer.progress = parts.hook();
  advice.horizons = horizons_around(advice.steps);
  Index own_horizon;
  (advice.horizons - advice.steps).abs().minCoeff(&own_horizon);
  const std::vector<Experiment> others = counterpart_experiments(experiment);
  std::vector<std::vector<Counterpart>> standing(others.size());
  advice.changes.resize(std::size(kChanges));
  advice.scalings.resize(quantities.size());
  // The longest first, so that no thread is left with one at the end.
  parts.add([&] { add_step(advice, experiment, solve); });
  for (std::size_t j = others.size(); j-- > 0;)
    parts.add([&, j] {
      standing[j] = counterpart_at(with_small_signal(others[j]), j > 0, advice.horizons,
                                   own_horizon, transfer, kLongest);
    });
  for (std::size_t i = 0; i < advice.changes.size(); ++i)
    parts.add([&, i] { advice.changes[i] = change(kChanges[i], from_best, solve); });
  parts.add([&] { advice.schedule = best_schedules(experiment, solve); });
  for (std::size_t i = 0; i < quantities.size(); ++i)
    parts.add([&, i] {
      advice.scalings[i] = step_scaling(with_small_signal(experiment), quantities[i], transfer);
    });
  parts.work();

  advice.risk_at.resize(advice.horizons.size(), std::ssize(others));
  for (std::size_t j = 0; j < others.size(); ++j) {
    for (std::size_t i = 0; i < standing[j].size(); ++i)
      advice.risk_at(static_cast<Index>(i), static_cast<Index>(j)) = standing[j][i].risk;
    Counterpart& now = standing[j][static_cast<std::size_t>(own_horizon)];
    now.ratio = now.step / (j > 0 ? advice.counterparts.front().step : now.step);
    advice.counterparts.push_back(std::move(now));
  }
  advice.crossings = crossings(advice.horizons, advice.risk_at);
  return advice;
}

}  // namespace riskcurve
