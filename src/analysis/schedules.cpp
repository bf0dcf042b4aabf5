#include "riskcurve/analysis/schedules.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/few_modes.hpp"
#include "analysis/schedule_point.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kSearchTolerance = 1e-7;  // rtol of a search
constexpr Index kCoarse = 25;              // times that show the shape of a schedule
constexpr Index kFewest = 9, kFew = 17;    // of those whose every time costs two solves
constexpr double kByDifferences = 1e-3;    // what a decrement by them comes to

/// L-BFGS directions: the inverse Hessian built from the last steps on top of a diagonal one.
class Memory {
 public:
  void add(const ArrayXd& step, const ArrayXd& change) {
    const double curvature = (step * change).sum();
    if (!(curvature > 1e-12 * step.matrix().norm() * change.matrix().norm())) return;
    pairs_.push_back({step, change, curvature});
    if (pairs_.size() > 30) pairs_.erase(pairs_.begin());
  }
  ArrayXd direction(const ArrayXd& gradient, const ArrayXd& diagonal) const {
    ArrayXd d = -gradient;
    std::vector<double> share(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      share[i] = (pairs_[i].step * d).sum() / pairs_[i].curvature;
      d -= share[i] * pairs_[i].change;
    }
    d /= diagonal;
    if (!pairs_.empty()) {  // noise that feeds on the risk makes R stiffer than the diagonal knows
      const Pair& last = pairs_.back();
      d *= std::min(1.0, last.curvature / (last.change.square() / diagonal).sum());
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      d += (share[i] - (pairs_[i].change * d).sum() / pairs_[i].curvature) * pairs_[i].step;
    return d;
  }
  void clear() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }

 private:
  struct Pair {
    ArrayXd step, change;
    double curvature;
  };
  std::vector<Pair> pairs_;
};

/// `count` of the values, the first and the last among them, evenly.
ArrayXd thinned(const ArrayXd& values, Index count) {
  ArrayXd few(count);
  for (Index i = 0; i < count; ++i) few[i] = values[i * (values.size() - 1) / (count - 1)];
  return few;
}

/// The system from iteration time t0 on, in state s.
ModeSystem continued(const ModeSystem& system, double t0, const ArrayXd& s) {
  ModeSystem rest = system;
  rest.initial = s;
  rest.observable.clear();
  rest.breaks.clear();
  for (const double t : system.breaks)
    if (t > t0) rest.breaks.push_back(t - t0);
  rest.response = [response = system.response, t0](Now now) {
    now.time += t0;
    return response(now);
  };
  return rest;
}

double greedy_step(const ModeSystem& system, double t, const ArrayXd& s) {
  const Rates rates = system.rates(Now{t, 0, system.risk(s), system.extra_initial, &s});
  const auto [descent, injected] = flux(system, rates, s);
  return descent / injected;
}

ScheduleOptimum greedy_of(const ModeSystem& system, const ArrayXd& mesh,
                          const ScheduleOptions& options) {
  ScheduleOptimum result;
  SolveOptions solve_options = options.solve;
  solve_options.keep_modes = true;
  ArrayXd s = system.initial;
  result.parameters.resize(mesh.size());
  result.parameters[0] = greedy_step(system, 0, s);
  for (Index i = 1; i < mesh.size(); ++i) {
    const double length = mesh[i] - mesh[i - 1], from = result.parameters[i - 1];
    const ModeSystem rest = continued(system, mesh[i - 1], s);
    // What the state at the end of the interval asks for, given the step size there.
    const auto asked = [&](double to) {
      const RiskCurve curve = solve(rest, tabulated_schedule({0, length}, {from, to}),
                                    ArrayXd::Constant(1, length), solve_options);
      ++result.evaluations;
      if (curve.status != RiskCurve::Status::ok) throw Failure(curve.message);
      s = curve.modes.row(0).transpose();
      return greedy_step(system, mesh[i] * (1 - 4e-16), s);
    };
    // Secant on log asked(e^x) - x.
    double x = std::log(i > 1 ? from * from / result.parameters[i - 2] : from);
    double f = std::log(asked(std::exp(x))) - x, slope = -1;
    for (int round = 0; round < 20 && std::abs(f) > 1e-10; ++round) {
      const double move = std::clamp(-f / slope, -2.0, 2.0);
      const double next = std::log(asked(std::exp(x + move))) - (x + move);
      if (next != f) slope = std::min((next - f) / move, -0.5);
      x += move;
      f = next;
    }
    result.parameters[i] = std::exp(x);
  }
  result.schedule = tabulated_family(mesh).schedule(result.parameters);
  result.evaluations /= static_cast<int>(mesh.size() - 1);  // of the whole horizon
  const Sensitivity at = sensitivity(system, result.schedule, mesh[mesh.size() - 1], options.solve);
  ++result.evaluations;
  result.found = at.curve.status == RiskCurve::Status::ok;
  result.message = at.curve.message;
  result.risk = at.risk;
  result.gradient = NAN;  // greedy, not optimal
  return result;
}

/// Of what another search starts from.
ScheduleOptions rough_of(ScheduleOptions options) {
  options.tolerance = std::max(1e-3, options.tolerance);
  options.solve.rtol = std::max(options.solve.rtol, kSearchTolerance);
  return options;
}

}  // namespace

ScheduleOptimum best_schedule(const ModeSystem& system, double horizon,
                              const ScheduleFamily& family, const ArrayXd& start,
                              const ScheduleOptions& options) {
  if (!(start > 0).all() || !start.isFinite().all())
    throw InputError("start", "of the schedule's parameters", "finite numbers > 0");
  ScheduleOptimum best;
  std::optional<FewModes> modes;
  const bool differs = knows_the_past(system);
  const ModeSystem few = differs ? compress(system) : ModeSystem{};
  if (!differs) modes.emplace(system, horizon);
  const double tolerance =
      differs ? std::max(options.tolerance, kByDifferences) : options.tolerance;
  SolveOptions solve = options.solve;
  const auto at = [&](const ArrayXd& logs) {
    SchedulePoint point = modes ? point_by_sweep(*modes, horizon, family, logs, solve)
                                : point_by_differences(few, horizon, family, logs, solve);
    best.evaluations += point.evaluations;
    return point;
  };
  // The noise in R makes the curvature of gamma(t), its own response apart: a scale that is right
  // for each time, and changes as the schedule does.
  const auto diagonal_at = [&](const SchedulePoint& p) {
    ArrayXd diagonal = p.curvature.max(1e-12 * p.curvature.maxCoeff());
    if (family.logarithmic) diagonal = diagonal.max(1e-3 * p.gradient.abs());
    return diagonal;
  };
  const auto decrement_of = [&](const SchedulePoint& p) {
    return std::sqrt((p.gradient.square() / diagonal_at(p)).sum());
  };
  const auto within_reach = [&](const SchedulePoint& p, const ArrayXd& direction) -> ArrayXd {
    if (!family.logarithmic) return direction.max(-0.9 * p.x);  // stays positive
    const double largest = direction.abs().maxCoeff();
    return direction / std::max(1.0, largest);  // at most a factor e at once
  };
  Memory memory;
  SchedulePoint now;
  now.x = family.logarithmic ? ArrayXd(start.log()) : start;
  // Far from the optimum rougher solves point the same way; the last steps are taken in full.
  if (modes) solve.rtol = std::max(options.solve.rtol, kSearchTolerance);
  for (bool last = false; !last; solve.rtol = options.solve.rtol) {
    last = solve.rtol == options.solve.rtol;
    now = at(now.x);
    best.found = std::isfinite(now.value);
    best.message = now.message;
    if (!best.found) return best;
    double decrement = decrement_of(now);
    while (decrement > tolerance && best.evaluations < options.max_solves) {
      const ArrayXd diagonal = diagonal_at(now);
      ArrayXd direction = within_reach(now, memory.direction(now.gradient, diagonal));
      if (!((direction * now.gradient).sum() < 0)) {
        memory.clear();
        direction = within_reach(now, memory.direction(now.gradient, diagonal));
      }
      const double descent = (direction * now.gradient).sum();
      bool moved = false;
      for (double share = 1; share > 1e-6 && best.evaluations < options.max_solves; share *= 0.3) {
        SchedulePoint next = at(now.x + share * direction);
        if (!std::isfinite(next.value)) continue;
        const double next_decrement = decrement_of(next);
        const bool lower = next.value <= now.value + 1e-4 * share * descent;
        // Near the optimum the decrease drowns in roundoff, and the gradient decides.
        const bool flat =
            std::abs(next.value - now.value) < 1e-9 && next_decrement < 0.9 * decrement;
        if (!lower && !flat) continue;
        memory.add(next.x - now.x, next.gradient - now.gradient);
        now = std::move(next);
        decrement = next_decrement;
        moved = true;
        break;
      }
      if (moved) continue;
      if (memory.empty()) break;
      memory.clear();
    }
  }
  best.parameters = now.parameters;
  best.schedule = family.schedule(best.parameters);
  best.risk = std::exp(now.value);
  const ArrayXd by_logs = family.logarithmic ? now.gradient : ArrayXd(now.gradient * now.x);
  best.gradient = by_logs.matrix().norm();
  best.message = fmt::format("|dlog R/dlog parameters| = {:.2g} after {} solves", best.gradient,
                             best.evaluations);
  return best;
}

Experiment searched_for(const std::string& kind, const Experiment& experiment) {
  return kind == "greedy" || kind == "all" ? with_small_signal(experiment) : experiment;
}

ScheduleOptimum greedy_schedule(const ModeSystem& system, const ArrayXd& mesh,
                                const ScheduleOptions& options) {
  validate(system);
  if (system.filtered)
    throw InputError("schedule", "greedy",
                     "another kind: at any size of the signal the fastest descent of one step is "
                     "not known");
  if (system.blocks)
    throw InputError("schedule", "greedy",
                     "another kind: beside momentum, decay or averages the fastest descent of one "
                     "step is not known");
  const double horizon = mesh[mesh.size() - 1];
  FewModes modes(system, horizon);
  Schedule guess = constant_schedule(greedy_step(system, 0, system.initial));
  for (;;) {
    const ModeSystem few = modes.under(guess);
    ScheduleOptimum result = greedy_of(few, mesh, options);
    guess = result.schedule;
    if (!result.found || modes.under(guess).modes() <= few.modes()) return result;
  }
}

namespace {

/// optimal_schedule, the best constant step of the horizon being known.
ScheduleOptimum optimal_beside(const ModeSystem& system, const Optimum& constant,
                               const ArrayXd& mesh, const ScheduleOptions& options) {
  const double horizon = mesh[mesh.size() - 1];
  int evaluations = constant.evaluations;
  double least = HUGE_VAL;
  ArrayXd start;
  const auto take = [&](double risk, const Schedule& schedule) {
    if (!(risk < least)) return;
    least = risk;
    start = mesh.unaryExpr([&](double t) {  // searches start from steps above 0
      return std::max(schedule(std::min(t, horizon * (1 - 1e-12))),
                      std::numeric_limits<double>::min());
    });
  };
  const auto found = [&](const ScheduleOptimum& one) {
    evaluations += one.evaluations;
    if (one.found) take(one.risk, one.schedule);
  };
  if (constant.found) {
    take(constant.risk, constant_schedule(constant.step));
    // A tail that ends softly is nearer to the best one than either, over long horizons.
    found(schedule_of_kind("polynomial", system, constant, mesh, rough_of(options)));
  }
  if (!system.blocks && !system.filtered) found(greedy_schedule(system, mesh, rough_of(options)));
  if (start.size() == 0) {
    ScheduleOptimum none;
    none.message = constant.message;
    none.evaluations = evaluations;
    return none;
  }
  if (knows_the_past(system)) {
    const Index few = std::min(kFew, mesh.size());
    const ArrayXd times = thinned(mesh, few), first = thinned(start, few);
    if (few == kFew)
      found(best_schedule(system, horizon, tabulated_family(thinned(times, kFewest)),
                          thinned(first, kFewest), rough_of(options)));
    ScheduleOptimum best =
        best_schedule(system, horizon, tabulated_family(times), thinned(start, few), options);
    best.evaluations += evaluations;
    best.parameters = mesh.unaryExpr([&](double t) { return best.schedule(t); });
    return best;
  }
  if (mesh.size() >= 2 * kCoarse)  // the shape first, from a few times
    found(best_schedule(system, horizon, tabulated_family(thinned(mesh, kCoarse)),
                        thinned(start, kCoarse), rough_of(options)));
  ScheduleOptimum best = best_schedule(system, horizon, tabulated_family(mesh), start, options);
  best.evaluations += evaluations;
  return best;
}

}  // namespace

ScheduleOptimum optimal_schedule(const ModeSystem& system, const ArrayXd& mesh,
                                 const ScheduleOptions& options) {
  OptimumOptions constant;
  constant.solve = options.solve;
  return optimal_beside(system, best_step(system, mesh[mesh.size() - 1], constant), mesh, options);
}

ScheduleOptimum schedule_of_kind(const std::string& kind, const ModeSystem& system,
                                 const Optimum& constant, const ArrayXd& mesh,
                                 const ScheduleOptions& options) {
  const double horizon = constant.steps;
  if (kind == "greedy") return greedy_schedule(system, mesh, options);
  if (kind == "optimal") return optimal_beside(system, constant, mesh, options);
  if (kind == "power_decay")
    return best_schedule(system, horizon, power_decay_family(),
                         Eigen::Array3d(constant.step, 0.5, 0.1 * horizon), options);
  if (kind == "cosine")
    return best_schedule(system, horizon, cosine_family(horizon),
                         Eigen::Array2d(1.5 * constant.step, std::max(2.0, 0.01 * horizon)),
                         options);
  if (kind == "polynomial")
    return best_schedule(system, horizon, polynomial_family(horizon),
                         Eigen::Array2d(1.5 * constant.step, 1), options);
  throw InputError("kind", kind, "greedy, optimal, power_decay, polynomial or cosine");
}

}  // namespace riskcurve
