// The best constant steps of a fitted problem, and the naive answers that they are to beat.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "analysis/fit_parts.hpp"
#include "analysis/normal_law.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kBeyondTried = 2;        // times the largest step tried, no step is recommended
constexpr double kStepDifference = 1e-2;  // of coordinates
constexpr double kStepTolerance = 1e-6;   // of curves
constexpr double kMostSteps = 1e5;        // taken one by one

ModeSystem system_for(const FitValues& values, const FitPlan& plan, const FitGoal& goal) {
  Experiment experiment = experiment_of(values, plan.model, plan.curves.front());
  experiment.optimizer = with_batch(experiment.optimizer, goal.batch);
  ModeSystem system = mode_system(experiment);
  system.observable.clear();
  return system;
}

/// Step by step where the curves were fitted so.
SolveOptions solved_as(const FitSearch& search, double horizon) {
  SolveOptions options;
  options.rtol = kStepTolerance;
  if (search.curves.front().stepped && horizon <= kMostSteps) options.method = Method::recursion;
  return options;
}

/// dlog R/dlog gamma of a constant step: 0 at the best.
double slope_at(const ModeSystem& system, double horizon, double step,
                const SolveOptions& options) {
  const Sensitivity found = sensitivity(system, constant_schedule(step), horizon, options);
  return found.along([step](double) { return step; }) / found.risk;
}

/// d log gamma*/dx: where the slope G(x, log gamma) stays 0, -G_x/G_gamma.
Eigen::RowVectorXd step_slopes(const FitPlan& plan, const FitSearch& search, const VectorXd& x,
                               const FitGoal& goal, double step) {
  const auto slope = [&](const VectorXd& at, double gamma) {
    return slope_at(system_for(values_at(search.coordinates, at), plan, goal), goal.steps, gamma,
                    solved_as(search, goal.steps));
  };
  const MatrixXd by_values =
      fit_differences(x, 1, kStepDifference, search.threads,
                      [&](const VectorXd& at) { return VectorXd::Constant(1, slope(at, step)); });
  const double ratio = std::exp(kStepDifference);
  const double by_step = (slope(x, step * ratio) - slope(x, step / ratio)) / (2 * kStepDifference);
  return -by_values.row(0) / by_step;
}

double largest_tried(const FitPlan& plan) {
  double largest = 0;
  for (const LossCurve& curve : plan.curves)
    for (const double k : curve.step) largest = std::max(largest, curve.schedule(k));
  return largest;
}

double last_step(const LossCurve& curve) {
  return curve.step[curve.step.size() - 1];
}

/// Losses of the constant steps that were tried with the first curve's optimizer, where the
/// shortest of these runs ends: step, loss.
std::vector<std::pair<double, double>> tried_steps(const FitPlan& plan, const FitSearch& search) {
  std::vector<const BinnedCurve*> alike;
  double end = HUGE_VAL;
  for (const BinnedCurve& curve : search.curves) {
    const LossCurve &trained = curve.trained, &first = search.curves.front().trained;
    if (trained.schedule.kind != ConstantSchedule::kind || trained.optimizer != first.optimizer ||
        trained.chain != first.chain)
      continue;
    alike.push_back(&curve);
    end = std::min(end, last_step(trained));
  }
  std::vector<std::pair<double, double>> tried;
  for (const BinnedCurve* curve : alike) {
    double loss = curve->bins.front().loss;
    for (const FitBin& bin : curve->bins)
      if (curve->step[bin.at.front()] <= end) loss = bin.loss;
    tried.emplace_back(curve->trained.schedule(plan.from), loss);
  }
  std::sort(tried.begin(), tried.end());
  return tried;
}

/// The lowest point of the parabola through (log step, log loss), by least squares.
double parabola(const std::vector<std::pair<double, double>>& tried) {
  const auto n = static_cast<Index>(tried.size());
  if (n < 3) return NAN;
  MatrixXd a(n, 3);
  VectorXd b(n);
  for (Index i = 0; i < n; ++i) {
    const auto& [step, loss] = tried[static_cast<std::size_t>(i)];
    const double x = std::log(step / tried.front().first);
    a.row(i) << 1, x, x * x;
    b[i] = std::log(loss);
  }
  const VectorXd c = a.colPivHouseholderQr().solve(b);
  return c[2] > 0 ? tried.front().first * std::exp(-0.5 * c[1] / c[2]) : NAN;
}

std::vector<FitGoal> goals_of(const FitPlan& plan) {
  if (!plan.goals.empty()) return plan.goals;
  double horizon = 0;
  for (const LossCurve& curve : plan.curves) horizon = std::max(horizon, last_step(curve));
  const int batch = batch_of(plan.curves.front().optimizer);
  std::vector<FitGoal> goals{{horizon, batch}, {4 * horizon, batch}};
  if (plan.model == FitModel::least_squares) goals.push_back({horizon, 4 * batch});
  return goals;
}

}  // namespace

std::vector<FitStep> fitted_steps(const FitPlan& plan, const FitSearch& search,
                                  const FitMinimum& best, const MatrixXd& covariance) {
  const auto tried = tried_steps(plan, search);
  const double largest = largest_tried(plan);
  double naive = NAN, least = HUGE_VAL;
  for (const auto& [step, loss] : tried)
    if (loss < least) {
      least = loss;
      naive = step;
    }
  std::vector<FitStep> steps;
  for (const FitGoal& goal : goals_of(plan)) {
    FitStep& now =
        steps.emplace_back(FitStep{goal, NAN, NAN, NAN, NAN, naive, parabola(tried), ""});
    if (plan.curves.size() < 2) {
      now.skipped = "one curve does not tell how the loss answers to the step: train another";
      continue;
    }
    OptimumOptions options;
    options.tolerance = 1e-4;
    options.solve = solved_as(search, goal.steps);
    const Optimum found = best_step(system_for(best.values, plan, goal), goal.steps, options);
    if (!found.found) {
      now.skipped = found.message;
    } else if (found.step > kBeyondTried * largest) {
      now.skipped = fmt::format(
          "{:.3g} is beyond twice the largest step tried, {:.3g}: try larger "
          "ones first",
          found.step, largest);
    } else {
      const Eigen::RowVectorXd slope = step_slopes(plan, search, best.x, goal, found.step);
      const double deviation = std::sqrt((slope * covariance * slope.transpose()).value());
      now.step = found.step;
      now.low = found.step * std::exp(-kQuantile95 * deviation);
      now.high = found.step * std::exp(kQuantile95 * deviation);
      now.loss = best.values.floor + found.risk;
    }
  }
  return steps;
}

}  // namespace riskcurve
