#include "riskcurve/analysis/optimum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/few_modes.hpp"
#include "analysis/foretold_step.hpp"
#include "analysis/rest.hpp"
#include "analysis/shared_progress.hpp"
#include "analysis/walked_search.hpp"
#include "integrate/constant_steps.hpp"
#include "integrate/filtered_walk.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

/// One solve and sweep at a step size; its slope is +inf where the risk diverges.
struct Trial {
  double step, risk, steps, slope;
};

/// What ends a search before its time.
struct Stopped {
  std::string why;
};

Trial trial_of(const Sensitivity& at, double step, double horizon) {
  const RiskCurve& curve = at.curve;
  if (curve.status == RiskCurve::Status::diverged) return {step, INFINITY, horizon, INFINITY};
  if (curve.status != RiskCurve::Status::ok) throw Stopped{curve.message};
  if (!(at.risk > 0)) throw Stopped{fmt::format("the risk vanishes at step size {:.4g}", step)};
  const double slope = step / at.risk * (at.weight * at.gradient).sum();
  if (!std::isfinite(slope))
    throw Stopped{fmt::format("no finite derivative at step size {:.4g}", step)};
  return {step, at.risk, horizon, slope};
}

/// The slope between two steps at either side, where derivatives along the run are not known. A
/// parabola errs by its third derivative times kBetween^2/6, of which regret is the square.
constexpr double kBetween = 0.05, kNoCloser = 1e-3;
double risk_after(const ModeSystem& system, double step, double horizon,
                  const OptimumOptions& options) {
  const RiskCurve curve =
      solve(system, constant_schedule(step), Eigen::ArrayXd::Constant(1, horizon), options.solve);
  if (curve.status == RiskCurve::Status::diverged) return INFINITY;
  if (curve.status != RiskCurve::Status::ok) throw Stopped{curve.message};
  return options.solve.averaged ? curve.averaged_risk[0] : curve.risk[0];
}
Trial trial_between(const ModeSystem& system, double step, double horizon, OptimumOptions options) {
  options.solve = with_shared_progress(options.solve);
  double risk[2];
  std::atomic<bool> stop = false;
  parallel_for(2, 0, stop, [&](long side) {
    risk[side] = risk_after(system, step * std::exp((static_cast<double>(side) - 0.5) * kBetween),
                            horizon, options);
  });
  if (std::isinf(risk[0]) || std::isinf(risk[1])) return {step, INFINITY, horizon, INFINITY};
  if (!(risk[0] > 0 && risk[1] > 0))
    throw Stopped{fmt::format("the risk vanishes at step size {:.4g}", step)};
  return {step, std::sqrt(risk[0] * risk[1]), horizon, std::log(risk[1] / risk[0]) / kBetween};
}

/// Solves of a search are no finer than this, but for the last: slopes are then known to 1e-7.
constexpr double kRootTolerance = 1e-6;
constexpr double kNeighbourTolerance = 1e-7;
constexpr double kFlat = 1e-6;      // a slope that is none
constexpr double kUsualBend = 0.9;  // d2log R/dlog gamma2 at best steps, as they mostly are

/// The rtol of a search.
double rough(const ModeSystem& system, const SolveOptions& solve) {
  const bool exact = system.filtered || system.blocks || solve.method == Method::recursion;
  return exact ? solve.rtol : std::max(solve.rtol, kRootTolerance);
}

/// The root of the slope by secants, within what is known to hold it: `evaluate` is called at step
/// sizes, with the rtol of the search and at last with the one asked for. A first move by `bend`,
/// the slope's slope where it is known, of `stride` in log step at most.
Optimum root(const std::function<Trial(double, const SolveOptions&)>& evaluate, double first,
             double stride, double bend, double rough_rtol, const OptimumOptions& options,
             const int& solves) {
  Optimum best;
  best.slope = INFINITY;
  SolveOptions solve = options.solve;
  solve.rtol = rough_rtol;
  const auto slope_at = [&](double x) {
    if (solves >= options.max_solves)
      throw Stopped{fmt::format("no optimum in {} solves", options.max_solves)};
    const Trial trial = evaluate(std::exp(x), solve);
    if (!(std::abs(trial.slope) < std::abs(best.slope))) return trial.slope;
    best.step = trial.step;
    best.risk = trial.risk;
    best.steps = trial.steps;
    best.slope = trial.slope;
    return trial.slope;
  };
  try {
    double x = std::log(first), low = -INFINITY, high = INFINITY;
    double last = NAN, at_last = HUGE_VAL, before = HUGE_VAL;  // of the last two
    for (;;) {
      const double at = slope_at(x);
      (at < 0 ? low : high) = x;
      const bool held = std::isfinite(low) && std::isfinite(high);
      if (std::isfinite(at_last)) bend = (at - at_last) / (x - last);
      double next = x - at / bend;
      const bool secant = bend > 0 && std::isfinite(next);
      if (std::abs(at) < kFlat || (secant && 4 * std::abs(next - x) < options.tolerance) ||
          (held && high - low < options.tolerance)) {
        if (solve.rtol == options.solve.rtol) break;
        solve.rtol = options.solve.rtol;  // once more, in full
        best.slope = before = INFINITY;
        low = -INFINITY, high = INFINITY;
        stride = options.tolerance;
        x = secant ? next : std::isfinite(at) ? x : low;
        continue;
      }
      if (!secant) next = x - std::copysign(std::min(stride, std::abs(at) / kUsualBend), at);
      next = std::clamp(next, x - stride, x + stride);
      // Halves where secants leave the bracket, or do not gain: towards an edge of stability too.
      if (held && !(next > low && next < high && std::abs(at) < 0.5 * std::abs(before)))
        next = 0.5 * (low + high);
      stride = 2 * std::abs(next - x);
      before = at_last;
      last = x, at_last = at;
      x = next;
    }
    best.found = true;
  } catch (const Stopped& stopped) {
    best.message = stopped.why;
  }
  best.evaluations = solves;
  return best;
}

void check(const ModeSystem& system) {
  validate(system);
  const double risk = system.risk(system.initial);
  if (!(risk > 0)) throw InputError("problem.target, initial risk", risk, "a number > 0");
}

/// R after the horizon, were responses all along what they are at that R.
double frozen_risk(const ModeSystem& system, double step, double horizon) {
  double risk = system.risk(system.initial), last = 0;
  for (int round = 0; round < 30 && std::abs(risk - last) > 1e-2 * risk; ++round) {
    const auto [a, c] = system.steady_rates(0.5 * horizon, step, risk);
    const Eigen::ArrayXd left = (-2 * step * horizon * a).exp();
    const Eigen::ArrayXd sustained =
        (a > 0).select(0.5 * step * (1 - left) / a, step * step * horizon) * c;
    last = risk;
    risk = 0.5 * (system.weight * (left * system.initial + sustained)).sum();
  }
  return std::isfinite(risk) ? risk : HUGE_VAL;
}

/// Where that is least, upwards or downwards from the guess.
double frozen_best(const ModeSystem& system, double horizon) {
  const double guess = guessed_step(system, horizon);
  double best = guess, least = frozen_risk(system, guess, horizon);
  for (const double factor : {1.4, 1 / 1.4}) {
    double risk = 0;
    for (int i = 0; i < 100 && best > 0; ++i, best *= factor, least = risk)
      if (!((risk = frozen_risk(system, best * factor, horizon)) < least)) break;
  }
  return best;
}

/// By walks, where that is far from the guess.
double walked_best(const ModeSystem& system, double horizon, double guess) {
  constexpr double far = 0.3;  // in log step: nearer, secants find it as soon
  try {
    const double x = WalkedSearch(system).from_afar(horizon, std::log(guess)).log_step;
    return std::abs(x - std::log(guess)) > far ? std::exp(x) : guess;
  } catch (const Failure&) {
    return guess;
  }
}

/// Of rates that know their past: where a long run no longer moves.
double risk_at_rest(const ModeSystem& system, double step) {
  double last = NAN;
  for (double steps = 1e3; steps < 1e10; steps *= 4) {
    const Eigen::ArrayXd at = Eigen::ArrayXd::Constant(1, steps);
    const RiskCurve curve = can_walk(system) ? walk_filtered(system, step, at)
                                             : solve(system, constant_schedule(step), at);
    if (curve.status != RiskCurve::Status::ok) return NAN;
    if (std::abs(curve.risk[0] - last) < kNoCloser * last) return curve.risk[0];
    last = curve.risk[0];
  }
  return last;
}

}  // namespace

double guessed_step(const ModeSystem& system, double horizon) {
  const Now start = system.start();
  const Rates rates = system.steady_rates(0, 0, start.risk);
  const auto [descent, injected] = flux(system, rates, system.initial);
  return std::min(descent / injected, 4 * start.risk / (descent * horizon));
}

Optimum best_step(const ModeSystem& system, double horizon, const OptimumOptions& asked) {
  check(system);
  OptimumOptions options = asked;
  const bool differs = knows_the_past(system);
  if (differs) options.tolerance = std::max(asked.tolerance, kNoCloser);
  if (!(horizon > 0) || !std::isfinite(horizon))
    throw InputError("horizon", horizon, "a finite number of steps > 0");
  int solves = 0;
  FewModes modes(system, horizon);
  const auto evaluate = [&](double step, const SolveOptions& solve) {
    ++solves;
    const Schedule schedule = constant_schedule(step);
    if (differs) {
      ++solves;
      return trial_between(modes.under(schedule), step, horizon, options);
    }
    return trial_of(sensitivity(modes.under(schedule), schedule, horizon, solve), step, horizon);
  };
  const bool known = options.start > 0;
  double start = known ? options.start : frozen_best(system, horizon), stride = known ? 0.1 : 0.3,
         bend = NAN, rtol = rough(system, options.solve);
  if (!known && !options.solve.averaged && can_walk(system))
    start = walked_best(system, horizon, start);
  if (!options.solve.averaged && options.solve.method == Method::exponential)
    if (const auto foretold =
            foretold_step(modes.under(constant_schedule(start)), horizon, start, stride)) {
      start = foretold->step;
      bend = foretold->curvature;
      rtol = options.solve.rtol;
    }
  Optimum best = root(evaluate, start, stride, bend, rtol, options, solves);
  // Between two steps lies more than what they stand beside.
  if (best.found && differs) best.risk = risk_after(system, best.step, horizon, options);
  return best;
}

Optimum fastest_step(const ModeSystem& system, double risk, double longest,
                     const OptimumOptions& options) {
  check(system);
  const double start = system.risk(system.initial);
  if (!(risk > 0 && risk < start))
    throw InputError("target risk", risk,
                     fmt::format("between 0 and the initial risk {:.6g}", start));
  int solves = 0;
  const auto evaluate = [&](double step, const SolveOptions& solve_options) {
    const Schedule schedule = constant_schedule(step);
    SolveOptions reach = solve_options;
    reach.until_risk = risk;
    ++solves;
    const RiskCurve curve = solve(system, schedule, Eigen::ArrayXd::Constant(1, longest), reach);
    if (curve.status == RiskCurve::Status::diverged)
      return Trial{step, INFINITY, longest, INFINITY};
    if (curve.status != RiskCurve::Status::ok) throw Stopped{curve.message};
    const double steps = std::isfinite(curve.reached) ? curve.reached : longest;
    ++solves;
    FewModes modes(system, steps);
    if (knows_the_past(system)) return trial_between(modes.under(schedule), step, steps, options);
    return trial_of(sensitivity(modes.under(schedule), schedule, steps, solve_options), step,
                    steps);
  };
  // At first the step that goes furthest in one step size of time.
  const bool known = options.start > 0;
  Optimum best = root(evaluate, known ? options.start : guessed_step(system, 1), known ? 0.1 : 0.7,
                      NAN, rough(system, options.solve), options, solves);
  if (best.found && best.steps >= longest && best.risk > risk * (1 + 1e-9)) {
    best.found = false;
    best.message = fmt::format(
        "no constant step reaches R = {:.6g} in {:.6g} steps: the least is "
        "{:.6g}, at step size {:.4g}",
        risk, longest, best.risk, best.step);
  }
  return best;
}

double stationary_risk(const ModeSystem& system, double step, double t) {
  check(system);
  if (!(step > 0) || !std::isfinite(step)) throw InputError("step", step, "a finite number > 0");
  if (system.filtered) return risk_at_rest(system, step);
  // log of the risk that noise sustains over R.
  const auto excess = [&](double x) {
    const double risk = std::exp(x);
    if (system.blocks) return std::log(sustained_risk(system, step, t, risk)) - x;
    const auto [a, c] = system.rates(Now{t, step, risk, system.extra_initial});
    const Eigen::ArrayXd share = (a > 0).select(
        0.25 * step * system.weight * c / a,
        (c > 0 && system.weight > 0)
            .select(std::numeric_limits<double>::infinity(), 0.5 * system.weight * system.initial));
    return std::log(share.sum()) - x;
  };
  const double start = std::log(system.risk(system.initial));
  double from = start, at_from = excess(from);
  if (at_from == 0) return std::exp(from);
  const double direction = at_from > 0 ? 1 : -1;
  for (double stride = 0.5; std::abs(from - start) < 500; stride *= 1.5) {
    double to = from + direction * stride;
    double at_to = excess(to);
    if (at_to * direction > 0) {
      from = to;
      at_from = at_to;
      continue;
    }
    if (direction < 0) std::swap(from, to), std::swap(at_from, at_to);
    boost::uintmax_t most = 100;
    const auto [low, high] = boost::math::tools::toms748_solve(
        excess, from, to, at_from, at_to, boost::math::tools::eps_tolerance<double>(48), most);
    return std::exp(0.5 * (low + high));
  }
  return direction > 0 ? std::numeric_limits<double>::infinity() : 0;
}

Neighbours neighbours(const ModeSystem& system, const Optimum& best, const SolveOptions& options) {
  Neighbours around;
  around.factor = (std::log(2.0) * Eigen::ArrayXd::LinSpaced(9, -2, 2)).exp();
  around.risk.resize(around.factor.size());
  FewModes modes(system, best.steps);
  SolveOptions rough = with_shared_progress(options);
  rough.rtol = std::max(options.rtol, kNeighbourTolerance);
  // One system for all: slow modes are those of the largest step.
  std::optional<ConstantSteps> at_once;
  if (!options.averaged && options.method == Method::exponential)
    if (const ModeSystem& few = modes.under(constant_schedule(4 * best.step));
        ConstantSteps::knows(few))
      at_once.emplace(few, rough.rtol);
  const auto put = [&](Eigen::Index i, const RiskCurve& curve) {
    around.risk[i] = std::numeric_limits<double>::infinity();
    if (curve.status == RiskCurve::Status::ok)
      around.risk[i] = options.averaged ? curve.averaged_risk[0] : curve.risk[0];
    if (curve.status == RiskCurve::Status::interrupted) throw Failure(curve.message);
    if (curve.status != RiskCurve::Status::failed) return;
    around.risk[i] = std::numeric_limits<double>::quiet_NaN();
    if (around.failure.empty())
      around.failure = fmt::format("prediction failed at step size {:.6g}: {}",
                                   around.factor[i] * best.step, curve.message);
  };
  const auto curve_at = [&](Eigen::Index i, const ModeSystem& of) {
    return solve(of, constant_schedule(around.factor[i] * best.step),
                 Eigen::ArrayXd::Constant(1, best.steps), rough);
  };
  // Solved step by step, of a system that stays as it is.
  std::vector<RiskCurve> curves(system.filtered ? around.factor.size() : 0);
  std::atomic<bool> stop = false;
  parallel_for(std::ssize(curves), 0, stop, [&](long i) {
    if (around.factor[i] != 1) curves[static_cast<std::size_t>(i)] = curve_at(i, system);
  });
  for (Eigen::Index i = 0; i < around.factor.size(); ++i) {
    if (around.factor[i] == 1) {
      around.risk[i] = best.risk;
      continue;
    }
    if (at_once) {
      if (options.progress && !options.progress(1)) throw Failure("interrupted");
      around.risk[i] = at_once->risk_after(best.steps, around.factor[i] * best.step);
      if (!std::isnan(around.risk[i])) continue;
    }
    const Schedule schedule = constant_schedule(around.factor[i] * best.step);
    put(i,
        curves.empty() ? curve_at(i, modes.under(schedule)) : curves[static_cast<std::size_t>(i)]);
  }
  return around;
}

}  // namespace riskcurve
