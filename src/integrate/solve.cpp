#include "riskcurve/integrate/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "integrate/at_times.hpp"
#include "integrate/exponential_stepper.hpp"
#include "integrate/flow.hpp"
#include "integrate/rosenbrock4.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using State = std::vector<double>;
constexpr double kVanished = kVanishedRisk;
constexpr double kBlownUp = 1e30;  // growth over the start that counts as divergence

/// Writes the requested times into the curve and watches over the state.
class Recorder {
 public:
  Recorder(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
           const SolveOptions& options, RiskCurve& curve)
      : system_(system), step_(step), at_(at), options_(options), curve_(curve) {
    curve.steps.resize(0);
    rows_.reserve(static_cast<std::size_t>(at.size()));
  }
  bool due(double t) const { return next_ < at_.size() && at_[next_] <= t; }
  bool done() const { return next_ == at_.size(); }

  void record(const State& x) {
    push(numbers(x, at_[next_]));
    if (options_.keep_modes)
      modes_.emplace_back(Eigen::Map<const Eigen::ArrayXd>(x.data(), system_.modes()));
  }
  /// All that is due from a step from t0 up to, and without, t1.
  template <class Stepper>
  void record_within(Stepper& stepper, double t0, double t1) {
    const Eigen::Index end = std::lower_bound(at_.begin() + next_, at_.end(), t1) - at_.begin();
    State x(static_cast<std::size_t>(system_.modes() + system_.extra_initial.size()));
    const auto numbers_at = [&](double t) {
      stepper.calc_state(t, x);
      return numbers(x, t);
    };
    if (options_.keep_modes)
      for (; next_ < end;) {
        stepper.calc_state(at_[next_], x);
        record(x);
      }
    else
      at_times(numbers_at, t0, t1, at_, next_, end, [&](const Eigen::ArrayXd& row) { push(row); });
  }
  void finish() {
    const auto count = static_cast<Eigen::Index>(rows_.size());
    curve_.steps = at_.head(count);
    curve_.risk = Eigen::Map<const Eigen::ArrayXd>(rows_.data(), count);
    for (const auto& [key, values] : observed_)
      curve_.observable[key] = Eigen::Map<const Eigen::ArrayXd>(values.data(), count);
    curve_.modes.resize(static_cast<Eigen::Index>(modes_.size()), system_.modes());
    for (std::size_t i = 0; i < modes_.size(); ++i)
      curve_.modes.row(static_cast<Eigen::Index>(i)) = modes_[i].transpose();
  }
  /// Progress counts decades of time as much as time: long horizons are log-like.
  bool progress(double t) {
    if (!options_.progress) return true;
    const double horizon = at_[at_.size() - 1];
    return options_.progress(horizon > 0 ? std::log1p(t) / std::log1p(horizon) : 1.0);
  }

 private:
  /// The risk and the observables at time t.
  Eigen::ArrayXd numbers(const State& x, double t) const {
    const Eigen::ArrayXd s = Eigen::Map<const Eigen::ArrayXd>(x.data(), system_.modes());
    Eigen::ArrayXd row(1 + static_cast<Eigen::Index>(system_.observable.size()));
    row[0] = system_.risk(s);
    const Now now{
        t, step_(t), row[0],
        Eigen::Map<const Eigen::ArrayXd>(x.data() + system_.modes(), system_.extra_initial.size()),
        &s};
    Eigen::Index i = 0;
    for (const auto& [key, observe] : system_.observable) row[++i] = observe(system_, now, s);
    return row;
  }
  void push(const Eigen::ArrayXd& row) {
    rows_.push_back(row[0]);
    Eigen::Index i = 0;
    for (const auto& [key, observe] : system_.observable) observed_[key].push_back(row[++i]);
    ++next_;
  }

  const ModeSystem& system_;
  const Schedule& step_;
  const Eigen::ArrayXd& at_;
  const SolveOptions& options_;
  RiskCurve& curve_;
  Eigen::Index next_ = 0;
  std::vector<double> rows_;
  std::vector<Eigen::ArrayXd> modes_;
  std::map<std::string, std::vector<double>> observed_;
};

void stop(RiskCurve& curve, RiskCurve::Status status, std::string message) {
  curve.status = status;
  curve.message = std::move(message);
}

double risk_of(const ModeSystem& system, const State& x) {
  return system.risk(Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes()));
}

/// False, with the reason in `curve`, where the state is beyond use.
bool sound(const ModeSystem& system, const State& x, double t, double initial_risk,
           RiskCurve& curve) {
  for (std::size_t k = 0; k < x.size(); ++k)
    if (!std::isfinite(x[k])) {
      stop(curve, RiskCurve::Status::failed,
           fmt::format("the state left the finite numbers at step {:g}: s[{}] = {}", t, k, x[k]));
      return false;
    }
  const double risk = risk_of(system, x);
  const double reference =
      initial_risk + (std::isfinite(system.noise_variance) ? 0.5 * system.noise_variance : 0.0);
  if (risk > kBlownUp * std::max(reference, 1e-250)) {
    stop(curve, RiskCurve::Status::diverged,
         fmt::format("the risk diverges: R = {:.3g} at step {:g}; the step size is too large", risk,
                     t));
    return false;
  }
  return true;
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

/// Drives any Odeint dense-output stepper from t0 to t1; dt is the first step to try, and then the
/// next. False: stopped for good, reason in curve.
template <class Stepper, class DoStep>
bool drive(Stepper& stepper, DoStep do_step, const ModeSystem& system, State& x, double t0,
           double t1, double& dt, double initial_risk, const SolveOptions& options,
           Recorder& recorder, RiskCurve& curve) {
  int crawling = 0;  // accepted steps in a row that barely move the time
  const auto cut = [&](double from, double to) {
    stepper.initialize(x, from, to - from);
    if (options.keep_panels && !curve.panels.empty() && curve.panels.back().start == from)
      curve.panels.pop_back();  // taken again, shorter
  };
  stepper.initialize(x, t0, std::min(dt, t1 - t0));
  while (t1 - stepper.current_time() > 1e-14 * t1) {
    const double before = stepper.current_time();
    const double tried = stepper.current_time_step();
    const bool cut_short = before + 1.0001 * tried > t1;
    if (cut_short) cut(before, t1);
    do_step();
    ++curve.accepted;
    if (options.until_risk > 0 && risk_of(system, stepper.current_state()) <= options.until_risk &&
        stepper.current_time() > before) {
      t1 = curve.reached = crossing(stepper, system, options.until_risk, before);
      cut(before, t1);
      do_step();
    }
    const double now = stepper.current_time();
    dt = cut_short ? std::max(tried, stepper.current_time_step()) : stepper.current_time_step();
    crawling = now - before < 1e-11 * std::max(now, 1e-3) ? crawling + 1 : 0;
    if (!(now > before) || crawling > 200) {
      stop(curve, RiskCurve::Status::failed,
           fmt::format("no acceptable step length at step {:g}: the response is not finite or not "
                       "smooth there, or rtol is too small",
                       before));
      return false;
    }
    x = stepper.current_state();
    if (!sound(system, x, now, initial_risk, curve)) return false;
    const bool last = t1 - now <= 1e-14 * t1;
    recorder.record_within(stepper, before, now);
    while (recorder.due(last ? t1 : now)) recorder.record(x);
    if (curve.accepted + curve.rejected > options.max_steps) {
      stop(curve, RiskCurve::Status::failed,
           fmt::format("more than max_steps = {} steps, at step {:g}", options.max_steps, now));
      return false;
    }
    if (!recorder.progress(now)) {
      stop(curve, RiskCurve::Status::interrupted, fmt::format("interrupted at step {:g}", now));
      return false;
    }
    if (risk_of(system, x) < kVanished) {
      curve.warnings.push_back(fmt::format(
          "the risk fell below {:g} at step {:g} and is reported as 0 from there", kVanished, now));
      x.assign(x.size(), 0.0);
      while (!recorder.done()) recorder.record(x);
      return true;
    }
  }
  return true;
}

/// Odeint's error checker, made to see NaN and to weigh by risk.
struct RiskErrorChecker {
  const ModeSystem* system = nullptr;
  double rtol = 0, atol = 0;
  template <class Algebra>
  double error(Algebra&, const State& x, const State&, State& x_error, double) const {
    return step_error(*system, x.data(), x_error.data(), rtol, atol);
  }
};

double first_step(const Flow& flow, const State& x, double t) {
  const ModeSystem& system = *flow.system;
  const Eigen::ArrayXd s = Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes());
  Now now = flow.at(x.data(), s, t);
  now.risk = std::max(now.risk, kVanished);
  const double rate = now.gamma * system.rates(now).drift.maxCoeff();
  return rate > 0 ? 1e-2 / rate : 1.0;
}

Panel panel_of(const DenseExponential& stepper, Eigen::Index modes) {
  Panel panel{stepper.previous_time(), stepper.current_time() - stepper.previous_time(), {}};
  panel.modes.resize(modes, kStepNodes);
  State x;
  for (int j = 0; j < kStepNodes; ++j) {
    stepper.calc_state(panel.start + step_basis().node[j] * panel.length, x);
    panel.modes.col(j) = Eigen::Map<const Eigen::ArrayXd>(x.data(), modes);
  }
  return panel;
}

/// dt: as in drive; 0 for a guess from the rates.
bool stretch(const Flow& flow, State& x, double t0, double t1, double& dt, double initial_risk,
             const SolveOptions& options, Recorder& recorder, RiskCurve& curve) {
  namespace odeint = boost::numeric::odeint;
  const ModeSystem& system = *flow.system;
  if (dt == 0) dt = first_step(flow, x, t0);
  const auto go = [&](auto& stepper, auto do_step) {
    return drive(stepper, do_step, system, x, t0, t1, dt, initial_risk, options, recorder, curve);
  };
  if (options.method == Method::exponential) {
    DenseExponential stepper(system, options.rtol);
    const auto rejected = curve.rejected, evaluations = curve.evaluations;
    return go(stepper, [&] {
      stepper.do_step(flow);
      curve.rejected = rejected + stepper.rejected();
      curve.evaluations = evaluations + stepper.evaluations();
      if (options.keep_panels && stepper.current_time() > stepper.previous_time())
        curve.panels.push_back(panel_of(stepper, system.modes()));
    });
  }
  if (options.method == Method::dopri5) {
    using Error = odeint::runge_kutta_dopri5<State>;
    using Controlled = odeint::controlled_runge_kutta<Error, RiskErrorChecker>;
    odeint::dense_output_runge_kutta<Controlled> stepper(
        Controlled(RiskErrorChecker{&system, options.rtol, options.atol}));
    return go(stepper, [&] {
      stepper.do_step([&](const State& y, State& dydt, double t) {
        ++curve.evaluations;
        flow(y, dydt, t);
      });
    });
  }
  const double scale = *std::max_element(x.begin(), x.end());
  Rosenbrock4 stepper(
      x.size(), [&](const double* y, double* dydt, double t) { flow.rate(y, dydt, t); },
      [&](const double* y, double* m, double* f, double t) { flow.jacobian(y, m, f, t); },
      options.rtol, std::max(options.atol, options.rtol * 1e-3 * scale));
  const long evaluations = curve.evaluations;
  return go(stepper, [&] {
    stepper.do_step();
    curve.evaluations = evaluations + stepper.evaluations();
  });
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
  RiskCurve curve;
  curve.warnings = system.warnings;
  curve.message = "";
  Recorder recorder(system, step, at, options, curve);

  State x(system.initial.begin(), system.initial.end());
  x.insert(x.end(), system.extra_initial.begin(), system.extra_initial.end());
  double initial_risk = system.risk(system.initial);
  if (initial_risk > 0 && initial_risk < kVanished) {
    curve.warnings.push_back("the initial risk " + number_text(initial_risk) + " is below " +
                             number_text(kVanished) + " and is taken as 0");
    std::fill_n(x.begin(), system.modes(), 0.0);
    initial_risk = 0;
  }
  if (recorder.due(0)) recorder.record(x);

  const double horizon = at[at.size() - 1];
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

  double t = 0, dt = 0;
  if (horizon > 0 && initial_risk == 0) {
    // From R = 0 only noise acts at first, and responses may be infinite: one explicit instant.
    t = 1e-6 * std::min(1.0, ends.front());
    const double gamma = checked(0);
    const Rates first = system.rates(Now{0, gamma, kVanished, system.extra_initial});
    for (Eigen::Index k = 0; k < system.modes(); ++k) x[k] = gamma * gamma * t * first.diffusion[k];
    if (!(system.risk(Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes())) > 10 * kVanished))
      while (!recorder.done()) recorder.record(State(x.size(), 0.0));
  }
  try {
    for (const double end : ends) {
      if (recorder.done() || end > horizon) break;
      if (!(end > t)) continue;
      const double inside = std::nextafter(end, 0.0);
      const Flow flow{&system, [&](double k) { return checked(std::min(k, inside)); }};
      const bool still = checked(0.5 * (t + end)) == 0;  // no step, no change
      if (still) {
        while (recorder.due(end)) recorder.record(x);
        if (options.keep_panels)
          curve.panels.push_back({t, end - t,
                                  Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes())
                                      .replicate(1, kStepNodes)});
      } else if (!stretch(flow, x, t, end, dt, initial_risk, options, recorder, curve)) {
        recorder.finish();
        return curve;
      }
      t = end;
      if (std::isfinite(curve.reached)) break;
    }
    stop(curve, RiskCurve::Status::ok, "solved");
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    stop(curve, RiskCurve::Status::failed, fmt::format("the integrator gave up: {}", error.what()));
  }
  recorder.finish();
  return curve;
}

}  // namespace riskcurve
