#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "integrate/leaper.hpp"
#include "integrate/recursion.hpp"
#include "integrate/watch.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kDiverged = 1e30;  // growth over the start that counts as divergence
constexpr long kLook = 256;         // steps between looks at the watch
constexpr double kLeapError = 1e-6, kLeapErrorFiltered = 2e-3;

/// What is recorded of a state: the risk, the averaged risk, then the observables.
class Log {
 public:
  Log(const Recursion& recursion, const ArrayXd& at, const SolveOptions& options)
      : recursion_(recursion), at_(at), options_(options) {}

  bool due(double t) const { return next() < at_.size() && at_[next()] <= t; }
  bool done() const { return next() == at_.size(); }
  /// The next of the times.
  double awaited() const { return at_[next()]; }

  void record(const BlockState& state) {
    rows_.push_back(numbers(state, at_[next()]));
    if (options_.keep_modes) modes_.push_back(recursion_.squares(state));
  }
  /// Times within the step before k: on the line between its ends.
  void record_within(const BlockState& before, double k, const BlockState& after) {
    if (!(next() < at_.size() && at_[next()] < k)) return;
    const ArrayXd from = numbers(before, k - 1), to = numbers(after, k);
    while (next() < at_.size() && at_[next()] < k) {
      const double x = at_[next()] - (k - 1);
      rows_.emplace_back((1 - x) * from + x * to);
      if (options_.keep_modes)
        modes_.emplace_back((1 - x) * recursion_.squares(before) + x * recursion_.squares(after));
    }
  }
  void finish(RiskCurve& curve) const {
    const Index count = next();
    const auto column = [&](Index i) {
      ArrayXd values(count);
      for (Index j = 0; j < count; ++j) values[j] = rows_[static_cast<std::size_t>(j)][i];
      return values;
    };
    curve.steps = at_.head(count);
    curve.risk = column(0);
    if (recursion_.blocks().report_at.size() > 0) curve.averaged_risk = column(1);
    Index i = 1;
    for (const auto& [name, observe] : recursion_.system().observable)
      curve.observable[name] = column(++i);
    curve.modes.resize(std::ssize(modes_), recursion_.system().modes());
    for (std::size_t j = 0; j < modes_.size(); ++j)
      curve.modes.row(static_cast<Index>(j)) = modes_[j].transpose();
  }

 private:
  Index next() const { return std::ssize(rows_); }

  ArrayXd numbers(const BlockState& state, double t) const {
    const ModeSystem& system = recursion_.system();
    ArrayXd row(2 + static_cast<Index>(system.observable.size()));
    row[0] = std::max(0.0, recursion_.risk(state));
    row[1] = std::max(0.0, recursion_.averaged_risk(state));
    if (system.observable.empty()) return row;
    const ArrayXd s = recursion_.squares(state);
    // Of the step that follows; after the last there is none.
    const double step = std::max(0.0, std::min(t, std::ceil(at_[at_.size() - 1]) - 1));
    Now now = recursion_.instant(step, 0, state).now;
    now.risk = row[0];
    now.state = &s;
    Index i = 1;
    for (const auto& [name, observe] : system.observable) row[++i] = observe(system, now, s);
    return row;
  }

  const Recursion& recursion_;
  const ArrayXd& at_;
  const SolveOptions& options_;
  std::vector<ArrayXd> rows_, modes_;
};

}  // namespace

RiskCurve solve_recursion(const ModeSystem& system, const Schedule& step, const ArrayXd& at,
                          const SolveOptions& options) {
  const Recursion recursion(system, step);
  BlockState state = recursion.start();
  return march(recursion, at, options, state, nullptr);
}

RiskCurve march(const Recursion& recursion, const ArrayXd& at, const SolveOptions& options,
                BlockState& state,
                const std::function<void(long k, double weights, const BlockState& state)>& visit) {
  const ModeSystem& system = recursion.system();
  const double horizon = at[at.size() - 1];
  const double leap_above = system.filtered ? kLeapAboveFiltered : kLeapAbove;
  const bool leaps = !visit && horizon > leap_above && Leaper::can(recursion);
  if (!(horizon <= kMostRecursionSteps) && !(options.until_risk > 0) && !leaps)
    throw InputError(
        "at, last", horizon,
        fmt::format("at most {:g}: the recursion takes one step at a time", kMostRecursionSteps));
  RiskCurve curve;
  curve.warnings = system.warnings;
  curve.message = "";
  if (options.averaged && recursion.blocks().report_at.size() == 0)
    throw InputError("averaged", "true", "a system with an average of its iterates");
  const auto aim = [&] {
    return options.averaged ? recursion.averaged_risk(state) : recursion.risk(state);
  };
  Log log(recursion, at, options);
  const double noise = std::isfinite(system.noise_variance) ? 0.5 * system.noise_variance : 0.0;
  const double reference = std::max(recursion.risk(state) + noise, 1e-250);
  try {
    double weights = 0;
    while (log.due(0)) log.record(state);
    Leaper leaper(recursion, system.filtered ? kLeapErrorFiltered : kLeapError, horizon);
    double plain = 0;          // steps to be taken one by one
    double longest = horizon;  // leap: short where the end is looked for
    for (double now = 0; !log.done();) {
      if (curve.accepted % kLook == 0 && options.progress && !options.progress(now / horizon))
        throw Stopped{RiskCurve::Status::interrupted, fmt::format("interrupted at step {:g}", now)};
      if (static_cast<double>(curve.accepted) >= kMostRecursionSteps)
        throw Stopped{RiskCurve::Status::failed,
                      fmt::format("more than {:g} steps of the recursion", kMostRecursionSteps)};
      if (visit) visit(static_cast<long>(now), weights, state);
      const BlockState before = log.due(now + 1) || options.until_risk > 0 ? state : BlockState{};
      double taken = 0;
      if (leaps && plain <= 0) {
        const double weights_before = weights;
        const double most =
            std::min({longest, std::floor(log.awaited()) - now, leaper.until_break(now)});
        taken = leaper.leap(now, most, weights, state);
        if (taken > 0 && options.until_risk > 0 && aim() <= options.until_risk) {
          state = before;
          weights = weights_before;
          longest = std::floor(0.5 * taken);
          continue;
        }
        if (taken == 0) plain = std::min(leaper.fewest(), std::max(most, 1.0));
      }
      if (taken == 0) {
        const BlockInstant instant = recursion.instant(now, weights, state);
        weights = instant.chain.weights;
        recursion.advance(instant, state);
        taken = 1;
        --plain;
      }
      now += taken - 1;  // the last of them
      ++curve.accepted;
      const double risk = recursion.risk(state);
      if (!std::isfinite(risk) || risk > kDiverged * reference)
        throw Stopped{
            RiskCurve::Status::diverged,
            fmt::format("the risk diverges: R = {:.3g} at step {:g}; the step size is too "
                        "large",
                        risk, now + 1)};
      log.record_within(before, now + 1, state);
      while (log.due(now + 1)) log.record(state);
      if (options.until_risk > 0 && aim() <= options.until_risk) {
        curve.reached = now + 1;
        break;
      }
      now += 1;
    }
    curve.status = RiskCurve::Status::ok;
    curve.message = "solved";
  } catch (const Stopped& stopped) {
    curve.status = stopped.status;
    curve.message = stopped.message;
  }
  curve.evaluations = curve.accepted;
  log.finish(curve);
  return curve;
}

}  // namespace riskcurve
