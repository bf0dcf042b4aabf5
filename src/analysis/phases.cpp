#include "riskcurve/analysis/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "analysis/least_risk.hpp"
#include "analysis/phase_rates.hpp"
#include "analysis/walked_search.hpp"
#include "dynamics/signal.hpp"
#include "integrate/constant_steps.hpp"
#include "integrate/filtered_walk.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kMargin = 0.01;  // of the risk: closer than this is a tie
/// Of the least risk, and rtol of its solves.
struct Accuracy {
  double least, rtol;
};
constexpr Accuracy kAtOnce{1e-5, 1e-6}, kSolved{1e-4, 1e-5}, kFiltered{1e-3, 1e-5};
constexpr int kNodes = 4;       // of compress: 1e-5 of the risk
constexpr int kBlockNodes = 8;  // of blocks, which may turn

Pairs target_of(const MatrixProblem& problem, double beta, Sides sides) {
  return matrix_power_law_target(problem.covariance_out.spectrum, problem.covariance_in.spectrum,
                                 beta, sides, 1);
}

/// j^(-2 alpha) by the Gauss nodes of the indices, one octave a panel: 1e-10 of any smooth sum,
/// with few enough nodes for a tensor grid of both sides.
IndexRule many_indices(double dimension) {
  return index_panels(dimension, 16, 2, 12);
}
/// For rates that see any signal. Both sides: 6 indices and two nodes for two octaves, about 1 % of
/// a risk; one: 8 and three for each, 2e-3.
IndexRule few_indices(double dimension, Sides sides) {
  return sides == Sides::both ? index_panels(dimension, 6, 4, 2) : index_panels(dimension, 8, 2, 3);
}
Covariance short_power_law(const IndexRule& rule, double alpha) {
  return from_spectrum({rule.index.pow(-2 * alpha), rule.weight, rule.index, rule.index});
}

/// log R(T) of a system at constant steps; +inf where it diverges, -inf where it vanishes.
class LogRisk {
 public:
  explicit LogRisk(const ModeSystem& system) : system_(system) {
    if (ConstantSteps::knows(system)) steps_.emplace(system, kAtOnce.rtol);
  }
  /// Whether many step sizes cost little more than one.
  bool at_once() const { return steps_.has_value(); }
  double accuracy() const {
    return (at_once() ? kAtOnce : system_.filtered ? kFiltered : kSolved).least;
  }
  double operator()(double log_step, double horizon) {
    const double step = std::exp(log_step);
    if (steps_)
      if (const double risk = steps_->risk_after(horizon, step); !std::isnan(risk))
        return std::log(risk);
    SolveOptions options;
    options.rtol = kSolved.rtol;
    const ArrayXd at = ArrayXd::Constant(1, horizon);
    const RiskCurve curve = solve(system_, constant_schedule(step), at, options);
    if (curve.status == RiskCurve::Status::diverged) return INFINITY;
    if (curve.status != RiskCurve::Status::ok) throw Failure(curve.message);
    return std::log(curve.risk[0]);
  }

 private:
  const ModeSystem& system_;
  std::optional<ConstantSteps> steps_;
};

/// The rates below which a solve at these steps has not begun to tell modes apart: the clock is at
/// most step * horizon * g(risk), responses being constant or growing as the risk falls.
double slow_rate(const ModeSystem& system, double step, double horizon, double risk) {
  const double response = system.steady_response(system.steady(0, step, risk)).drift[0],
               gain = system.blocks ? system.blocks->amplification : 1;
  return 0.25 / (step * horizon * response * gain);
}

double step_rate_along(const ModeSystem& full, const ModeSystem& system, const Schedule& schedule,
                       const ArrayXd& mesh) {
  const RiskCurve curve = solve(system, schedule, mesh);
  double rate = 0;
  for (Index i = 0; i < curve.risk.size(); ++i)  // nan stays
    rate = std::max(step_rate(full, schedule(mesh[i]), mesh[i], curve.risk[i]), rate);
  return rate;
}

Exponent decay(const ArrayXd& horizon, const ArrayXd& risk) {
  const double middle = std::sqrt(horizon[0] * horizon[horizon.size() - 1]);
  Index first = 0;
  while (first + 3 < horizon.size() && horizon[first] < middle * (1 - 1e-12)) ++first;
  const Index count = horizon.size() - first;
  if ((risk.tail(count) == 0).any()) return {NAN, NAN, NAN};
  Exponent fit = fit_exponent(horizon.tail(count), risk.tail(count));
  fit.value = -fit.value;
  return fit;
}

/// Step rates are of the fastest mode at the largest: at the end, the risk being least there, or
/// along a schedule.
BestRisks best_risks(const ModeSystem& full, const PhasePlan& plan) {
  const int nodes = full.blocks ? kBlockNodes : kNodes;
  const ModeSystem system = full.filtered ? full : compress(full, nodes);
  LogRisk whole(system);
  std::optional<WalkedSearch> walked;
  if (can_walk(system)) walked.emplace(system);
  const Index count = plan.horizon.size();
  const ArrayXd time = plan.horizon.log();
  ArrayXd risk(count), step(count);  // both as logarithms
  for (Index i = 0; i < count; ++i) {
    // Later guesses are on the line through the horizons before.
    double guess = i == 0 ? std::log(guessed_step(system, plan.horizon[0])) : 0;
    double lowest = -INFINITY;
    if (i > 0) {
      const double ahead = time[i] - time[i - 1];
      const auto slope = [&](const ArrayXd& x) {
        return (x[i - 1] - x[i - 2]) / (time[i - 1] - time[i - 2]);
      };
      guess = step[i - 1] + (i > 1 ? slope(step) : -0.5) * ahead;
      lowest = risk[i - 1] + (i > 1 ? 1.5 * slope(risk) - 0.5 : -3.0) * ahead;
    }
    if (walked) {
      const bool first = i == 0 && plan.sides == Sides::both;
      const Least found =
          first ? walked->from_afar(plan.horizon[i], guess) : (*walked)(plan.horizon[i], guess);
      step[i] = found.log_step;
      risk[i] = found.log_risk;
      continue;
    }
    const double margin = 1.5;
    const auto search = [&](double slow) {
      std::optional<ModeSystem> few;
      std::optional<LogRisk> of_few;
      if (slow > 0) {
        few = compress(system, nodes, slow);
        of_few.emplace(*few);
      }
      LogRisk& of = of_few ? *of_few : whole;
      const auto log_risk = [&](double log_step) { return of(log_step, plan.horizon[i]); };
      const Least found = least(log_risk, guess, i > 1 ? 0.25 : 0.7, of.accuracy());
      if (!system.blocks || system.filtered || i == 0) return found;
      // A memory swings, and R(T) has several dips: that nearest to `guess` need not be the lowest.
      const double start = std::log(guessed_step(system, plan.horizon[i]));
      const Least other = least(log_risk, start, 0.7, of.accuracy());
      return other.log_risk < found.log_risk ? other : found;
    };
    const bool bounded = !system.filtered && !whole.at_once() && std::isfinite(lowest);
    Least found = search(
        bounded ? slow_rate(system, std::exp(guess + margin), plan.horizon[i], std::exp(lowest))
                : 0);
    if (bounded && (found.log_step > guess + margin || found.log_risk < lowest)) found = search(0);
    step[i] = found.log_step;
    risk[i] = found.log_risk;
  }
  risk = risk.exp();
  ArrayXd rate(count);
  for (Index i = 0; i < count; ++i)
    rate[i] = step_rate(full, std::exp(step[i]), plan.horizon[i], risk[i]);
  if (plan.schedules) {
    ScheduleOptions options;
    options.solve.rtol = 1e-8;
    for (Index i = 0; i < count; ++i) {
      const ArrayXd mesh = schedule_mesh(plan.horizon[i], 33);
      const ScheduleOptimum best = optimal_schedule(system, mesh, options);
      if (!best.found || best.risk > risk[i]) continue;
      risk[i] = best.risk;
      rate[i] = step_rate_along(full, system, best.schedule, mesh);
    }
  }
  return {risk, rate, decay(plan.horizon, risk)};
}

Phase phase_of(const std::array<BestRisks, 2>& best) {
  const ArrayXd lead = (best[0].risk / best[1].risk).log();  // nan where both vanish
  const bool second = (lead > kMargin).any(), first = (lead < -kMargin).any();
  if (first && second) return Phase::trade_off;
  if (second) return Phase::second;
  return first ? Phase::first : Phase::tie;
}

void check(const PhasePlan& plan, double alpha, const ArrayXd& beta) {
  const auto require = [](bool good, const char* field, double value, const char* expected) {
    if (!good) throw InputError(field, value, expected);
  };
  require(plan.dimension >= 1 && plan.dimension <= 1e15, "dimension", plan.dimension,
          "a number between 1 and 1e15");
  require(plan.batch >= 1, "batch", plan.batch, "a whole number >= 1");
  for (const double m : plan.momentum)
    require(m >= 0 && m < 1, "momentum", m, "a number in [0, 1)");
  require(std::isfinite(alpha) && alpha >= 0, "alpha", alpha, "a finite number >= 0");
  for (const double b : beta) require(std::isfinite(b), "beta", b, "finite numbers");
  require(plan.horizon.size() >= 2, "horizon", static_cast<double>(plan.horizon.size()),
          "at least two horizons");
  for (Index i = 0; i < plan.horizon.size(); ++i)
    require(std::isfinite(plan.horizon[i]) && plan.horizon[i] > (i > 0 ? plan.horizon[i - 1] : 0),
            "horizon", plan.horizon[i], "increasing numbers of steps > 0");
}

MatrixProblem problem_of(const PhasePlan& plan, double alpha, double beta, const IndexRule& rule) {
  MatrixProblem problem;
  problem.covariance_in = short_power_law(rule, alpha);
  problem.covariance_out =
      plan.sides == Sides::both ? problem.covariance_in : isotropic(plan.dimension);
  problem.noise = no_noise();
  problem.initial = target_of(problem, beta, plan.sides);
  return problem;
}

/// One of the two on a problem.
struct Rival {
  Experiment experiment;
  ModeSystem system;
};
/// `problem`: that of alpha and beta.
Rival rival(const PhasePlan& plan, std::size_t which, double alpha, double beta,
            const MatrixProblem& problem) {
  Rival of{{problem, with_batch(plan.optimizers[which], plan.batch), constant_schedule(1), {}}, {}};
  if (plan.momentum[which] > 0)
    of.experiment.chain.momentum = constant_schedule(plan.momentum[which]);
  if (allows_any_signal(plan) && any_signal_is_known(problem, plan.optimizers[which])) {
    of.experiment.signal = Signal::full;
    of.experiment.problem = problem_of(plan, alpha, beta, few_indices(plan.dimension, plan.sides));
    of.system = mode_system(of.experiment, Grids::rough);
  }
  if (!of.system.filtered || plan.sides == Sides::in) of.experiment.problem = problem;
  if (!of.system.filtered) of.system = mode_system(of.experiment, Grids::whole);
  of.system.observable.clear();
  if (!of.system.filtered) of.system.signal = nullptr;  // of another target
  return of;
}
std::array<Rival, 2> rivals(const PhasePlan& plan, double alpha, double beta,
                            const MatrixProblem& problem) {
  return {rival(plan, 0, alpha, beta, problem), rival(plan, 1, alpha, beta, problem)};
}

/// Without what depends on steps, which are of each horizon.
Trust of_problem_only(const Trust& numbers) {
  Trust kept;
  kept.intrinsic_dimension = numbers.intrinsic_dimension;
  kept.intrinsic_dimension_out = numbers.intrinsic_dimension_out;
  kept.intrinsic_dimension_in = numbers.intrinsic_dimension_in;
  kept.participation = numbers.participation;
  kept.rank = numbers.rank;
  kept.step_rate = std::numeric_limits<double>::quiet_NaN();
  return kept;
}

}  // namespace

std::vector<PhasePoint> phase_column(const PhasePlan& plan, double alpha, const ArrayXd& beta) {
  check(plan, alpha, beta);
  MatrixProblem problem = problem_of(plan, alpha, 0, many_indices(plan.dimension));
  std::array<Rival, 2> pair = rivals(plan, alpha, 0, problem);
  const bool spectral = spectral_of(pair[0].experiment) || spectral_of(pair[1].experiment);
  const double noise = spectral ? noise_norm(problem, plan.batch, 1) : INFINITY;

  std::vector<PhasePoint> points;
  for (const double b : beta) {
    problem.initial = target_of(problem, b, plan.sides);
    PhasePoint point;
    point.alpha = alpha;
    point.beta = b;
    std::array<Trust, 2> trusted;
    for (const std::size_t i : {0, 1}) {
      if (pair[i].system.filtered) {
        pair[i] = rival(plan, i, alpha, b, problem);
      } else {
        pair[i].experiment.problem = problem;
        pair[i].system.initial = problem.initial.entries().reshaped();
      }
      point.best[i] = best_risks(pair[i].system, plan);
      RiskCurve curve;
      curve.steps = plan.horizon;
      curve.risk = point.best[i].risk;
      trusted[i] = trust(pair[i].experiment, pair[i].system, curve);
    }
    point.phase = phase_of(point.best);
    point.trust = of_problem_only(trusted[0]);
    point.trust.signal = spectral ? signal_norm(problem) / noise : 0;
    point.trust.any_signal = trusted[0].any_signal && trusted[1].any_signal;
    point.trust.filtered_signal = std::max(trusted[0].filtered_signal, trusted[1].filtered_signal);
    points.push_back(point);
  }
  return points;
}

std::vector<std::string> phase_warnings(const PhasePlan& plan, double alpha) {
  check(plan, alpha, {});
  std::vector<std::string> lines;
  const MatrixProblem problem = problem_of(plan, alpha, 0, many_indices(plan.dimension));
  for (const Rival& rival : rivals(plan, alpha, 0, problem))
    for (const std::string& line : rival.system.warnings)
      if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  return lines;
}

namespace {

double exponent(double alpha, double beta, double modes_per_clock, double zeta) {
  if (!(alpha > 0)) throw InputError("alpha", alpha, "a number > 0");
  const double rho = (2 * alpha + 2 * beta - 1) * modes_per_clock;
  return std::clamp(rho, 0.0, 2.0) / (1 + zeta);
}

}  // namespace

double sign_sgd_exponent(double alpha, double beta, Sides) {
  const double zeta = std::clamp((1 - 2 * alpha) / (2 * alpha), 0.0, 1.0);
  return exponent(alpha, beta, 0.5 / alpha, zeta);
}

double sign_svd_exponent(double alpha, double beta, Sides sides) {
  if (sides == Sides::in)
    return exponent(alpha, beta, 1 / alpha, std::clamp((1 - alpha) / alpha, 0.0, 1.0));
  const double zeta =
      alpha > 0.5 ? (3 - 4 * alpha) / (1 + 4 * alpha) : (2 - 3 * alpha) / (3 * alpha);
  return exponent(alpha, beta, 0.5 / alpha, std::clamp(zeta, 0.0, 1.0));
}

namespace {

struct Derived {
  double alpha, beta;
  Sides sides;
  std::optional<double> operator()(const SignSgd&) const {
    return sign_sgd_exponent(alpha, beta, sides);
  }
  std::optional<double> operator()(const SignSvd&) const {
    return sign_svd_exponent(alpha, beta, sides);
  }
  template <class Other>
  std::optional<double> operator()(const Other&) const {
    return {};
  }
};

}  // namespace

std::optional<double> derived_exponent(const Optimizer& optimizer, double alpha, double beta,
                                       Sides sides) {
  return std::visit(Derived{alpha, beta, sides}, optimizer);
}

PhaseBorder phase_border(const std::array<Optimizer, 2>& optimizers, const Eigen::Array2d& alpha,
                         const Eigen::Array2d& beta, Sides sides) {
  constexpr int fine = 400;
  std::vector<double> x, y;
  const ArrayXd b = ArrayXd::LinSpaced(fine, beta[0], beta[1]);
  for (const double a : ArrayXd::LinSpaced(fine, alpha[0], alpha[1])) {
    const auto lead = [&](Index j) {
      const auto first = derived_exponent(optimizers[0], a, b[j], sides),
                 second = derived_exponent(optimizers[1], a, b[j], sides);
      return first && second ? *first - *second : 0;
    };
    for (Index j = 1; j < fine; ++j)
      if (lead(j - 1) * lead(j) < 0) {
        x.push_back(a);
        y.push_back(b[j]);
      }
  }
  return {Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)),
          Eigen::Map<const ArrayXd>(y.data(), std::ssize(y))};
}

}  // namespace riskcurve
