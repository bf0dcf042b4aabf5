#include "riskcurve/analysis/optimum.hpp"

#include <fmt/format.h>

#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "analysis/few_modes.hpp"
#include "analysis/rest.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/error.hpp"

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
/// parabola errs by its third derivative times kApart^2/6, of which regret is the square.
constexpr double kApart = 0.05, kNoCloser = 1e-3;
double risk_after(const ModeSystem& system, double step, double horizon,
                  const OptimumOptions& options) {
  const RiskCurve curve =
      solve(system, constant_schedule(step), Eigen::ArrayXd::Constant(1, horizon), options.solve);
  if (curve.status == RiskCurve::Status::diverged) return INFINITY;
  if (curve.status != RiskCurve::Status::ok) throw Stopped{curve.message};
  return options.solve.averaged ? curve.averaged_risk[0] : curve.risk[0];
}
Trial trial_between(const ModeSystem& system, double step, double horizon,
                    const OptimumOptions& options) {
  double risk[2];
  for (const int side : {0, 1}) {
    risk[side] = risk_after(system, step * std::exp((side - 0.5) * kApart), horizon, options);
    if (std::isinf(risk[side])) return {step, INFINITY, horizon, INFINITY};
  }
  if (!(risk[0] > 0 && risk[1] > 0))
    throw Stopped{fmt::format("the risk vanishes at step size {:.4g}", step)};
  return {step, std::sqrt(risk[0] * risk[1]), horizon, std::log(risk[1] / risk[0]) / kApart};
}

/// The root of the slope: `evaluate` is called at step sizes.
Optimum root(const std::function<Trial(double)>& evaluate, double first,
             const OptimumOptions& options, const int& solves) {
  Optimum best;
  best.slope = INFINITY;
  const auto slope_at = [&](double x) {
    if (solves >= options.max_solves)
      throw Stopped{fmt::format("no optimum in {} solves", options.max_solves)};
    const Trial trial = evaluate(std::exp(x));
    if (!(std::abs(trial.slope) < std::abs(best.slope))) return trial.slope;
    best.step = trial.step;
    best.risk = trial.risk;
    best.steps = trial.steps;
    best.slope = trial.slope;
    return trial.slope;
  };
  try {
    const double start = std::log(first);
    double low = start, high = start, stride = options.start > 0 ? 0.1 : 0.7;
    double at_low = slope_at(start), at_high = at_low;
    while (at_low > 0) {
      high = low, at_high = at_low;
      at_low = slope_at(low -= stride);
      stride *= 2;
    }
    while (at_high < 0) {
      low = high, at_low = at_high;
      at_high = slope_at(high += stride);
      stride *= 2;
    }
    while (!std::isfinite(at_high)) {  // towards the edge of stability
      const double middle = 0.5 * (low + high), slope = slope_at(middle);
      (slope < 0 ? low : high) = middle;
      (slope < 0 ? at_low : at_high) = slope;
      if (high - low < options.tolerance) break;
    }
    if (at_low < 0 && at_high > 0 && std::isfinite(at_high)) {
      boost::uintmax_t most = 60;
      boost::math::tools::toms748_solve(
          slope_at, low, high, at_low, at_high,
          [&](double a, double b) {
            return std::abs(b - a) < options.tolerance || std::abs(best.slope) < 1e-6;
          },
          most);
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

/// Of rates that know their past: where a long run no longer moves.
double risk_at_rest(const ModeSystem& system, double step) {
  double last = NAN;
  for (double steps = 1e3; steps < 1e10; steps *= 4) {
    const RiskCurve curve =
        solve(system, constant_schedule(step), Eigen::ArrayXd::Constant(1, steps));
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
  if (system.filtered) options.tolerance = std::max(asked.tolerance, kNoCloser);
  if (!(horizon > 0) || !std::isfinite(horizon))
    throw InputError("horizon", horizon, "a finite number of steps > 0");
  int solves = 0;
  FewModes modes(system, horizon);
  const auto evaluate = [&](double step) {
    ++solves;
    if (system.filtered) {
      ++solves;
      return trial_between(system, step, horizon, options);
    }
    const Schedule schedule = constant_schedule(step);
    return trial_of(sensitivity(modes.under(schedule), schedule, horizon, options.solve), step,
                    horizon);
  };
  Optimum best = root(evaluate, options.start > 0 ? options.start : guessed_step(system, horizon),
                      options, solves);
  // Between two steps lies more than what they stand beside.
  if (best.found && system.filtered) best.risk = risk_after(system, best.step, horizon, options);
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
  const auto evaluate = [&](double step) {
    const Schedule schedule = constant_schedule(step);
    SolveOptions reach = options.solve;
    reach.until_risk = risk;
    ++solves;
    const RiskCurve curve = solve(system, schedule, Eigen::ArrayXd::Constant(1, longest), reach);
    if (curve.status == RiskCurve::Status::diverged)
      return Trial{step, INFINITY, longest, INFINITY};
    if (curve.status != RiskCurve::Status::ok) throw Stopped{curve.message};
    const double steps = std::isfinite(curve.reached) ? curve.reached : longest;
    ++solves;
    if (system.filtered) return trial_between(system, step, steps, options);
    FewModes modes(system, steps);
    return trial_of(sensitivity(modes.under(schedule), schedule, steps, options.solve), step,
                    steps);
  };
  // At first the step that goes furthest in one step size of time.
  Optimum best =
      root(evaluate, options.start > 0 ? options.start : guessed_step(system, 1), options, solves);
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
  for (Eigen::Index i = 0; i < around.factor.size(); ++i) {
    const Schedule schedule = constant_schedule(around.factor[i] * best.step);
    const RiskCurve curve =
        solve(modes.under(schedule), schedule, Eigen::ArrayXd::Constant(1, best.steps), options);
    around.risk[i] = std::numeric_limits<double>::infinity();
    if (curve.status == RiskCurve::Status::ok)
      around.risk[i] = options.averaged ? curve.averaged_risk[0] : curve.risk[0];
    if (curve.status == RiskCurve::Status::interrupted) throw Failure(curve.message);
    if (curve.status != RiskCurve::Status::failed) continue;
    around.risk[i] = std::numeric_limits<double>::quiet_NaN();
    if (around.failure.empty())
      around.failure = fmt::format("prediction failed at step size {:.6g}: {}",
                                   around.factor[i] * best.step, curve.message);
  }
  return around;
}

}  // namespace riskcurve
