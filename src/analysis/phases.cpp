#include "riskcurve/analysis/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynamics/signal.hpp"
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

constexpr double kMargin = 0.01;    // of the risk: closer than this is a tie
constexpr double kAccuracy = 1e-4;  // of the least risk
constexpr int kNodes = 5;           // of compress: 1e-7 of the risk

/// j^(-2 alpha) by the Gauss nodes of the indices, one octave a panel: 1e-10 of any smooth sum,
/// with few enough nodes for a tensor grid of both sides.
Covariance short_power_law(double dimension, double alpha) {
  const IndexRule rule = index_panels(dimension, 16, 2, 12);
  return from_spectrum({rule.index.pow(-2 * alpha), rule.weight, rule.index, rule.index});
}

/// log R(T) at a constant step; +inf where it diverges.
double log_risk(const ModeSystem& system, double log_step, double horizon) {
  SolveOptions options;
  options.rtol = 1e-5;
  const RiskCurve curve =
      solve(system, constant_schedule(std::exp(log_step)), ArrayXd::Constant(1, horizon), options);
  if (curve.status == RiskCurve::Status::diverged) return INFINITY;
  if (curve.status != RiskCurve::Status::ok) throw Failure(curve.message);
  return std::log(curve.risk[0]);
}

struct Least {
  double log_step, log_risk;
};

/// min over constant steps of R(T), from log_step: a bracket, then parabolas.
Least least(const ModeSystem& system, double horizon, double log_step, double stride) {
  struct Point {
    double x, y;
  };
  const auto at = [&](double x) { return Point{x, log_risk(system, x, horizon)}; };
  Point a = at(log_step), b = at(log_step + stride), c;
  if (b.y > a.y) std::swap(a, b), stride = -stride;
  while ((c = at(b.x + stride)).y < b.y) a = b, b = c, stride *= 2;
  if (a.x > c.x) std::swap(a, c);
  // A parabola is believed once it has foretold a risk: where the target is a few modes, sqrt(R)
  // falls straight to its floor, and the best step is the notch that gets there at T.
  double surprise = INFINITY;
  for (int i = 0; i < 40 && c.x - a.x > 1e-5; ++i) {
    const double left = (b.y - a.y) / (b.x - a.x), right = (c.y - b.y) / (c.x - b.x);
    const double bend = (right - left) / (c.x - a.x);
    double x = 0.5 * (a.x + b.x) - left / (2 * bend);
    const bool inside = std::isfinite(x) && x > a.x && x < c.x;
    const double gain = inside ? bend * (x - b.x) * (x - b.x) : INFINITY;
    if (gain < kAccuracy && surprise < 3 * kAccuracy) break;
    const bool right_wide = c.x - b.x > b.x - a.x;
    if (gain < kAccuracy || !inside)
      x = right_wide ? b.x + 0.38 * (c.x - b.x) : b.x - 0.38 * (b.x - a.x);
    const Point p = at(x);
    const double foretold = a.y + (x - a.x) * (left + bend * (x - b.x));
    surprise = std::isfinite(foretold) ? std::abs(p.y - foretold) : INFINITY;
    if (p.y < b.y) {
      (x < b.x ? c : a) = b;
      b = p;
    } else {
      (x < b.x ? a : c) = p;
    }
  }
  return {b.x, b.y};
}

/// The rates below which a solve at these steps has not begun to tell modes apart: the clock is at
/// most step * horizon * g(risk), the responses of both optimizers growing as the risk falls.
double slow_rate(const ModeSystem& system, double step, double horizon, double risk) {
  const Now now{0, step, risk, system.extra_initial};
  return 0.25 / (step * horizon * system.response(now).drift[0]);
}

/// R*(T) at the horizons, and the rate per step of the fastest mode at its largest: at the end, the
/// risk being least there, or along a schedule.
struct Best {
  ArrayXd risk, step_rate;
};

double step_rate_along(const ModeSystem& full, const ModeSystem& system, const Schedule& schedule,
                       const ArrayXd& mesh) {
  const RiskCurve curve = solve(system, schedule, mesh);
  double rate = 0;
  for (Index i = 0; i < curve.risk.size(); ++i)
    rate = std::max(rate, step_rate(full, schedule(mesh[i]), mesh[i], curve.risk[i]));
  return rate;
}

Best best_risks(const ModeSystem& full, const PhasePlan& plan) {
  const ModeSystem system = compress(full, kNodes);
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
    const double margin = 1.5;
    const auto search = [&](double slow) {
      return least(compress(system, kNodes, slow), plan.horizon[i], guess, i < 2 ? 0.7 : 0.25);
    };
    Least found = search(
        i > 0 ? slow_rate(system, std::exp(guess + margin), plan.horizon[i], std::exp(lowest)) : 0);
    if (i > 0 && (found.log_step > guess + margin || found.log_risk < lowest)) found = search(0);
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
  return {risk, rate};
}

Phase phase_of(const ArrayXd& sgd, const ArrayXd& svd) {
  const ArrayXd lead = (sgd / svd).log();
  const bool ever_svd = (lead > kMargin).any(), ever_sgd = (lead < -kMargin).any();
  if (ever_svd && ever_sgd) return Phase::trade_off;
  if (ever_svd) return Phase::sign_svd;
  return ever_sgd ? Phase::sign_sgd : Phase::tie;
}

Exponent decay(const ArrayXd& horizon, const ArrayXd& risk) {
  const double middle = std::sqrt(horizon[0] * horizon[horizon.size() - 1]);
  Index first = 0;
  while (first + 3 < horizon.size() && horizon[first] < middle * (1 - 1e-12)) ++first;
  const Index count = horizon.size() - first;
  Exponent fit = fit_exponent(horizon.tail(count), risk.tail(count));
  fit.value = -fit.value;
  return fit;
}

void check(const PhasePlan& plan, double alpha, const ArrayXd& beta) {
  const auto require = [](bool good, const char* field, double value, const char* expected) {
    if (!good) throw InputError(field, value, expected);
  };
  require(plan.dimension >= 1 && plan.dimension <= 1e15, "dimension", plan.dimension,
          "a number between 1 and 1e15");
  require(plan.batch >= 1, "batch", plan.batch, "a whole number >= 1");
  require(std::isfinite(alpha) && alpha >= 0, "alpha", alpha, "a finite number >= 0");
  for (const double b : beta) require(std::isfinite(b), "beta", b, "finite numbers");
  require(plan.horizon.size() >= 2, "horizon", static_cast<double>(plan.horizon.size()),
          "at least two horizons");
  for (Index i = 0; i < plan.horizon.size(); ++i)
    require(std::isfinite(plan.horizon[i]) && plan.horizon[i] > (i > 0 ? plan.horizon[i - 1] : 0),
            "horizon", plan.horizon[i], "increasing numbers of steps > 0");
}

}  // namespace

const char* name(Phase phase) {
  switch (phase) {
    case Phase::sign_sgd:
      return "sign_sgd";
    case Phase::sign_svd:
      return "sign_svd";
    case Phase::trade_off:
      return "trade_off";
    case Phase::tie:
      break;
  }
  return "tie";
}

std::vector<PhasePoint> phase_column(const PhasePlan& plan, double alpha, const ArrayXd& beta) {
  check(plan, alpha, beta);
  MatrixProblem problem;
  problem.covariance_in = short_power_law(plan.dimension, alpha);
  problem.covariance_out =
      plan.sides == Sides::both ? problem.covariance_in : isotropic(plan.dimension);
  problem.noise = no_noise();
  const auto target = [&](double b) {
    return matrix_power_law_target(problem.covariance_out.spectrum, problem.covariance_in.spectrum,
                                   b, plan.sides, 1);
  };
  problem.initial = target(0);
  Trust sides;
  sides.intrinsic_dimension_out = problem.covariance_out.spectrum.intrinsic_dimension();
  sides.intrinsic_dimension_in = problem.covariance_in.spectrum.intrinsic_dimension();
  sides.intrinsic_dimension = std::min(sides.intrinsic_dimension_out, sides.intrinsic_dimension_in);
  sides.step_rate = std::numeric_limits<double>::quiet_NaN();
  const double noise = noise_norm(problem, plan.batch, 1);
  ModeSystem svd = mode_system(problem, SignSvd{plan.batch}),
             sgd = mode_system(problem, SignSgd{plan.batch});
  sgd.observable.clear();
  svd.signal = nullptr;  // of another target

  std::vector<PhasePoint> points;
  for (const double b : beta) {
    problem.initial = target(b);
    svd.initial = sgd.initial = problem.initial.reshaped();
    PhasePoint point;
    point.alpha = alpha;
    point.beta = b;
    point.trust = sides;
    point.trust.participation = participation(sgd);
    point.trust.rank = risk_rank(problem);
    point.trust.signal = signal_norm(problem) / noise;
    const Best of_sgd = best_risks(sgd, plan), of_svd = best_risks(svd, plan);
    point.sign_sgd = of_sgd.risk;
    point.sign_svd = of_svd.risk;
    point.sign_sgd_step_rate = of_sgd.step_rate;
    point.sign_svd_step_rate = of_svd.step_rate;
    point.phase = phase_of(point.sign_sgd, point.sign_svd);
    point.sign_sgd_exponent = decay(plan.horizon, point.sign_sgd);
    point.sign_svd_exponent = decay(plan.horizon, point.sign_svd);
    points.push_back(point);
  }
  return points;
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

PhaseBorder phase_border(const Eigen::Array2d& alpha, const Eigen::Array2d& beta, Sides sides) {
  constexpr int fine = 400;
  std::vector<double> x, y;
  const ArrayXd b = ArrayXd::LinSpaced(fine, beta[0], beta[1]);
  for (const double a : ArrayXd::LinSpaced(fine, alpha[0], alpha[1])) {
    const auto lead = [&](Index j) {
      return sign_sgd_exponent(a, b[j], sides) - sign_svd_exponent(a, b[j], sides);
    };
    for (Index j = 1; j < fine; ++j)
      if (lead(j - 1) < 0 && lead(j) > 0) {
        x.push_back(a);
        y.push_back(b[j]);
      }
  }
  return {Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)),
          Eigen::Map<const ArrayXd>(y.data(), std::ssize(y))};
}

}  // namespace riskcurve
