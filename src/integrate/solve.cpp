#include "riskcurve/integrate/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "integrate/exponential_stepper.hpp"
#include "integrate/flow.hpp"
#include "integrate/recorder.hpp"
#include "integrate/recursion.hpp"
#include "integrate/rosenbrock4.hpp"
#include "integrate/watch.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using State = std::vector<double>;
constexpr double kVanished = kVanishedRisk;
constexpr double kBlownUp = 1e30;  // growth over the start that counts as divergence

double risk_of(const ModeSystem& system, const State& x) {
  return system.risk(Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes()));
}

/// Throws Stopped where the state is beyond use.
void check_state(const ModeSystem& system, const State& x, double t, double reference) {
  for (std::size_t k = 0; k < x.size(); ++k)
    if (!std::isfinite(x[k]))
      throw Stopped{
          RiskCurve::Status::failed,
          fmt::format("the state left the finite numbers at step {:g}: s[{}] = {}", t, k, x[k])};
  const double risk = risk_of(system, x);
  if (risk > kBlownUp * reference)
    throw Stopped{
        RiskCurve::Status::diverged,
        fmt::format("the risk diverges: R = {:.3g} at step {:g}; the step size is too large", risk,
                    t)};
}

/// When the risk passed `level` within the stepper's last step.
template <class Stepper>
double crossing(Stepper& stepper, const ModeSystem& system, double level, double low) {
  State x(static_cast<std::size_t>(system.modes() + system.extra_initial.size()));
  const auto above = [&](double t) {
    stepper.calc_state(t, x);
    return risk_of(system, x) > level;
  };
  double high = stepper.current_time();
  for (int i = 0; i < 60 && high - low > 1e-14 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (above(middle) ? low : high) = middle;
  }
  return high;
}

/// A solve on its way. Times are local to the stretch (Flow) but for those of `at` and `curve`.
struct Course {
  const ModeSystem& system;
  const SolveOptions& options;
  Recorder& recorder;
  Watch& watch;
  RiskCurve& curve;
  State x;
  double reference;  ///< the risk that divergence is measured by
  double dt = 0;     ///< the step to try next; 0: to be guessed from the rates

  template <class Stepper, class DoStep>
  void drive(Stepper& stepper, DoStep do_step, const Flow& flow, double t0);
  void follow(const Flow& flow, double t0);
  void stay(const Flow& flow);
};

/// Drives any Odeint dense-output stepper from t0 to the end of the stretch.
template <class Stepper, class DoStep>
void Course::drive(Stepper& stepper, DoStep do_step, const Flow& flow, double t0) {
  double t1 = flow.length();
  const auto step_once = [&] {
    const long tries = watch.tries();
    watch.at(stepper.current_time());
    do_step();
    curve.rejected += std::max(0L, watch.tries() - tries - 1);
  };
  const auto cut = [&](double from, double to) {
    stepper.initialize(x, from, to - from);
    if (options.keep_panels && !curve.panels.empty() &&
        curve.panels.back().start == flow.start + from)
      curve.panels.pop_back();  // taken again, shorter
  };
  stepper.initialize(x, t0, std::min(dt, t1 - t0));
  while (t1 - stepper.current_time() > 1e-14 * t1) {
    const double before = stepper.current_time();
    const double tried = stepper.current_time_step();
    const bool cut_short = before + 1.0001 * tried > t1;
    if (cut_short) cut(before, t1);
    step_once();
    if (!(stepper.current_time() > before)) watch.no_step_length();
    ++curve.accepted;
    if (options.until_risk > 0 && risk_of(system, stepper.current_state()) <= options.until_risk) {
      t1 = crossing(stepper, system, options.until_risk, before);
      curve.reached = flow.start + t1;
      cut(before, t1);
      step_once();
    }
    const double now = stepper.current_time();
    dt = cut_short ? std::max(tried, stepper.current_time_step()) : stepper.current_time_step();
    x = stepper.current_state();
    check_state(system, x, flow.start + now, reference);
    const bool last = t1 - now <= 1e-14 * t1;
    recorder.record_within(stepper, flow.start, before, now);
    while (recorder.due(flow.start + (last ? t1 : now))) recorder.record(x);
    if (risk_of(system, x) < kVanished) {
      curve.warnings.push_back(
          fmt::format("the risk fell below {:g} at step {:g} and is reported as 0 from there",
                      kVanished, flow.start + now));
      x.assign(x.size(), 0.0);
      while (!recorder.done()) recorder.record(x);
      return;
    }
  }
}

/// Odeint's error checker, made to see NaN, to weigh by risk and to count: it is asked once a try.
struct RiskErrorChecker {
  const ModeSystem* system = nullptr;
  double rtol = 0, atol = 0;
  Watch* watch = nullptr;
  template <class Algebra>
  double error(Algebra&, const State& x, const State&, State& x_error, double) const {
    watch->attempt();
    return step_error(*system, x.data(), x_error.data(), rtol, atol);
  }
};

/// A hundredth of the fastest time at t; where the schedule starts from nothing, of the fastest
/// that it comes to.
double first_step(const Flow& flow, const State& x, double t) {
  const ModeSystem& system = *flow.system;
  const Eigen::ArrayXd s = Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes());
  Now now = flow.at(x.data(), s, t);
  now.risk = std::max(now.risk, kVanished);
  const double fastest = system.rates(flow.response(now)).drift.maxCoeff();
  double gamma = now.gamma;
  for (int i = 1; i <= 8 && now.gamma == 0; ++i)
    gamma = std::max(gamma, flow.gamma(t + 0.125 * i * (flow.length() - t)));
  return gamma * fastest > 0 ? 1e-2 / (gamma * fastest) : 1.0;
}

Panel panel_of(const DenseExponential& stepper, double start, Eigen::Index modes) {
  const double from = stepper.previous_time(), length = stepper.current_time() - from;
  Panel panel{start + from, length, {}};
  panel.modes.resize(modes, kStepNodes);
  State x;
  for (int j = 0; j < kStepNodes; ++j) {
    stepper.calc_state(from + step_basis().node[j] * length, x);
    panel.modes.col(j) = Eigen::Map<const Eigen::ArrayXd>(x.data(), modes);
  }
  return panel;
}

void Course::follow(const Flow& flow, double t0) {
  namespace odeint = boost::numeric::odeint;
  if (dt == 0) dt = first_step(flow, x, t0);
  if (options.method == Method::exponential) {
    DenseExponential stepper(system, options.rtol);
    const long evaluations = curve.evaluations;
    return drive(
        stepper,
        [&] {
          stepper.do_step(flow, [&] { watch.attempt(); });
          curve.evaluations = evaluations + stepper.evaluations();
          if (options.keep_panels && stepper.current_time() > stepper.previous_time())
            curve.panels.push_back(panel_of(stepper, flow.start, system.modes()));
        },
        flow, t0);
  }
  if (options.method == Method::dopri5) {
    using Error = odeint::runge_kutta_dopri5<State>;
    using Controlled = odeint::controlled_runge_kutta<Error, RiskErrorChecker>;
    odeint::dense_output_runge_kutta<Controlled> stepper(
        Controlled(RiskErrorChecker{&system, options.rtol, options.atol, &watch}));
    return drive(
        stepper,
        [&] {
          stepper.do_step([&](const State& y, State& dydt, double t) {
            ++curve.evaluations;
            flow(y, dydt, t);
          });
        },
        flow, t0);
  }
  const double scale = *std::max_element(x.begin(), x.end());
  Rosenbrock4 stepper(
      x.size(), [&](const double* y, double* dydt, double t) { flow.rate(y, dydt, t); },
      [&](const double* y, double* m, double* f, double t) {
        watch.attempt();  // one Jacobian a try
        flow.jacobian(y, m, f, t);
      },
      options.rtol, std::max(options.atol, options.rtol * 1e-3 * scale));
  const long evaluations = curve.evaluations;
  drive(
      stepper,
      [&] {
        stepper.do_step();
        curve.evaluations = evaluations + stepper.evaluations();
      },
      flow, t0);
}

/// No step, no change. A risk of zero leaves no panel: responses may be infinite there.
void Course::stay(const Flow& flow) {
  while (recorder.due(flow.end)) recorder.record(x);
  if (options.keep_panels && risk_of(system, x) > 0)
    curve.panels.push_back(
        {flow.start, flow.length(),
         Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes()).replicate(1, kStepNodes)});
}

/// From R = 0, or what noise buries at once, only noise acts at first, and responses may be
/// infinite: one explicit instant.
double leave_zero(const Flow& flow, State& x) {
  const ModeSystem& system = *flow.system;
  const double t = 1e-6 * std::min(1.0, flow.length());
  const Rates first =
      system.rates(flow.response(Now{0, flow.gamma(0), kVanished, system.extra_initial}));
  const auto square = [&](double at) { return flow.gamma(at) * flow.gamma(at); };
  const double clock = t / 6 * (square(0) + 4 * square(0.5 * t) + square(t));
  for (Eigen::Index k = 0; k < system.modes(); ++k)
    x[static_cast<std::size_t>(k)] = clock * first.diffusion[k];
  return t;
}

void check(const ModeSystem& system, const Eigen::ArrayXd& at, const SolveOptions& options) {
  validate(system);
  if (at.size() == 0) throw InputError("at", "[]", "at least one time");
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    if (!std::isfinite(at[i]) || at[i] < 0)
      throw InputError(fmt::format("at[{}]", i), at[i], "a finite time >= 0");
    if (i > 0 && !(at[i] > at[i - 1]))
      throw InputError(fmt::format("at[{}]", i), at[i], "increasing times");
  }
  check_rtol(options.rtol, "rtol");
  if (!(options.atol >= 0) || !std::isfinite(options.atol))
    throw InputError("atol", options.atol, "a finite tolerance >= 0");
  if (options.keep_panels && options.method != Method::exponential)
    throw InputError("keep_panels", "with another method", "the exponential method");
  if (options.method == Method::rosenbrock4 && system.modes() > 400)
    throw InputError("method", "rosenbrock4",
                     fmt::format("at most 400 modes for a dense solver, not {}", system.modes()));
}

}  // namespace

void check_rtol(double rtol, const std::string& field) {
  if (!(rtol >= 1e-13 && rtol < 1)) throw InputError(field, rtol, "a number >= 1e-13 and < 1");
}

const char* name(RiskCurve::Status status) {
  switch (status) {
    case RiskCurve::Status::not_run:
      return "not run";
    case RiskCurve::Status::ok:
      return "ok";
    case RiskCurve::Status::diverged:
      return "diverged";
    case RiskCurve::Status::failed:
      return "failed";
    case RiskCurve::Status::interrupted:
      return "interrupted";
  }
  return "unknown";
}

RiskCurve solve(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
                const SolveOptions& options) {
  check(system, at, options);
  if (system.blocks && options.method == Method::dopri5)
    return solve_block_flow(system, step, at, options);
  if (system.blocks || options.method == Method::recursion)
    return solve_recursion(system, step, at, options);
  RiskCurve curve;
  curve.warnings = system.warnings;
  curve.message = "";
  const double horizon = at[at.size() - 1], initial_risk = system.risk(system.initial);
  const double noise = std::isfinite(system.noise_variance) ? 0.5 * system.noise_variance : 0.0;
  Recorder recorder(system, step, at, options, curve);
  Watch watch(options, horizon);
  Course course{system,
                options,
                recorder,
                watch,
                curve,
                State(system.initial.begin(), system.initial.end()),
                std::max(initial_risk + noise, 1e-250)};
  State& x = course.x;
  x.insert(x.end(), system.extra_initial.begin(), system.extra_initial.end());
  if (initial_risk > 0 && initial_risk < kVanished) {
    curve.warnings.push_back(fmt::format("the initial risk {:.6g} is below {:g} and is taken as 0",
                                         initial_risk, kVanished));
    std::fill_n(x.begin(), system.modes(), 0.0);
  }
  if (recorder.due(0)) recorder.record(x);

  std::vector<double> ends = step.breaks;
  ends.insert(ends.end(), system.breaks.begin(), system.breaks.end());
  ends.insert(ends.end(), options.stops.begin(), options.stops.end());
  ends.push_back(horizon);
  std::sort(ends.begin(), ends.end());

  const auto checked = [&](double t) {
    const double gamma = step(t);
    if (!std::isfinite(gamma) || gamma < 0)
      throw InputError("step size at step " + number_text(t), gamma, "a finite number >= 0");
    return gamma;
  };
  try {
    double t = 0;
    for (const double end : ends) {
      if (recorder.done() || end > horizon) break;
      if (!(end > t)) continue;
      const Flow flow{&system, checked, t, end};
      watch.enter(t, flow.length());
      double from = 0;
      bool still = flow.gamma(0.5 * flow.length()) == 0;
      const double risk = risk_of(system, x);
      if (!still && risk <= 1e-100 * course.reference) {
        State risen = x;
        from = leave_zero(flow, risen);
        const double lifted = risk_of(system, risen);
        still = risk == 0 && !(lifted > 10 * kVanished);
        if (!still && risk <= 1e-16 * lifted)
          x = risen;
        else
          from = 0;
      }
      if (still)
        course.stay(flow);
      else
        course.follow(flow, from);
      t = end;
      if (std::isfinite(curve.reached)) break;
    }
    curve.status = RiskCurve::Status::ok;
    curve.message = "solved";
  } catch (const Stopped& stopped) {
    curve.status = stopped.status;
    curve.message = stopped.message;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    curve.status = RiskCurve::Status::failed;
    curve.message = fmt::format("the integrator gave up: {}", error.what());
  }
  recorder.finish();
  return curve;
}

}  // namespace riskcurve
