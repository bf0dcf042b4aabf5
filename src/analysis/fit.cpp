#include "riskcurve/analysis/fit.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "analysis/fit_parts.hpp"
#include "analysis/normal_law.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kRefined = 5;           // of the random starts
constexpr double kAgree = 1.01;       // costs within it are of one minimum
constexpr double kSpikeCosts = 10;    // chi^2, over that of a degree of freedom: two numbers more
constexpr double kNotable = 0.2;      // of chi^2, taken off by a spike
constexpr double kLeftOut = 2.0 / 3;  // of the steps are kept when the fit is tested on the rest
constexpr double kLeftOutRatio = 3;
// Taken one by one, in a curve that is fitted, and in one that is only predicted.
constexpr double kMostFittedSteps = 2e4, kMostPredictedSteps = 1e6;

void report(const FitPlan& plan, double fraction) {
  if (plan.progress && !plan.progress(fraction)) throw Failure("interrupted");
}

FitSearch search_of(const FitPlan& plan, bool spike, double until) {
  FitSearch search{plan.model, coordinates(plan.model, plan.priors, spike), {}, plan.threads};
  for (const LossCurve& curve : plan.curves) {
    BinnedCurve bins = binned(curve, plan.from, until, discrepancy(plan.model));
    if (!bins.bins.empty()) search.curves.push_back(std::move(bins));
  }
  return search;
}

/// Goes down from every start; the best first.
std::vector<FitMinimum> refined(const FitSearch& search, const std::vector<VectorXd>& starts) {
  std::vector<FitMinimum> found(starts.size());
  FitSearch alone = search;
  alone.threads = 1;
  std::atomic<bool> stop = false;
  parallel_for(std::ssize(starts), search.threads, stop, [&](long i) {
    const auto at = static_cast<std::size_t>(i);
    found[at] = descend(alone, starts[at]);
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const FitMinimum& a, const FitMinimum& b) { return a.cost < b.cost; });
  return found;
}

/// The first search looks at many: no memories, and no steps.
void look_quickly(std::vector<BinnedCurve>& curves) {
  for (BinnedCurve& curve : curves) {
    curve.slow = true;
    curve.stepped = false;
  }
}

/// Curves are solved step by step, which large steps ask for, where they are short enough.
void take_steps(std::vector<BinnedCurve>& curves) {
  const bool all = std::all_of(curves.begin(), curves.end(), [](const BinnedCurve& curve) {
    return curve.step[curve.step.size() - 1] <= kMostFittedSteps;
  });
  for (BinnedCurve& curve : curves) {
    curve.slow = false;
    curve.stepped = all;
  }
}

/// From random starts with a spike, and from a minimum without; step by step only at the end.
FitMinimum with_spike(const FitPlan& plan, const FitSearch& search, const FitMinimum& without) {
  FitSearch coarse = search;
  look_quickly(coarse.curves);
  std::vector<VectorXd> starts = starting_points(coarse, plan.starts, plan.seed, kRefined);
  for (const double share : {1e-3, 0.03}) {
    VectorXd x(std::ssize(search.coordinates));
    x << without.x, std::log(share), std::log(3.0);
    starts.push_back(x);
  }
  return descend(search, refined(coarse, starts).front().x);
}

struct Uncertainty {
  MatrixXd covariance;
  ArrayXd deviation;
};
Uncertainty uncertainty(const FitSearch& search, const FitMinimum& best, double scale) {
  const MatrixXd j = jacobian(search, best.x);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(j.transpose() * j);
  // Directions that nothing determines are as wide as doubles tell.
  const ArrayXd values = solver.eigenvalues().array().max(1e-12 * solver.eigenvalues().maxCoeff());
  Uncertainty result;
  result.covariance = scale * (solver.eigenvectors() * (1 / values).matrix().asDiagonal() *
                               solver.eigenvectors().transpose());
  result.deviation = result.covariance.diagonal().array().sqrt();
  return result;
}

FitCurve compared(const FitSearch& search, const FitMinimum& best, const MatrixXd& covariance,
                  const LossCurve& curve, double from) {
  BinnedCurve rows = binned(curve, from, HUGE_VAL, discrepancy(search.model));
  rows.step = rows.trained.step;
  rows.stepped = search.curves.front().stepped && rows.step.size() > 0 &&
                 rows.step[rows.step.size() - 1] <= kMostPredictedSteps;
  FitCurve result{curve.name, rows.step, rows.trained.loss, {}, {}, {}, NAN, NAN};
  if (rows.step.size() == 0) return result;
  result.loss = fitted_loss(best.values, search.model, rows);
  const MatrixXd slopes = log_slopes(search, best.x, rows);
  const ArrayXd deviation =
      ((slopes * covariance).array() * slopes.array()).rowwise().sum().max(0).sqrt();
  result.low = result.loss * (-kQuantile95 * deviation).exp();
  result.high = result.loss * (kQuantile95 * deviation).exp();
  double sum = 0, weights = 0;
  Index first = 0;
  for (const FitBin& bin : rows.bins) {
    const double off = result.loss.segment(first, bin.rows).mean() / bin.loss - 1;
    sum += std::pow(off / bin.error, 2);
    weights += std::pow(bin.error, -2);
    first += bin.rows;
    result.end_percent = 100 * off;
  }
  if (weights > 0) result.rms_percent = 100 * std::sqrt(sum / weights);
  return result;
}

/// Weighted as the fit weights them.
double bin_rms_percent(const FitSearch& search, const FitMinimum& best) {
  double sum = 0, weights = 0;
  const VectorXd all = residuals(search, best.x);
  Index row = 0;
  for (const BinnedCurve& curve : search.curves)
    for (const FitBin& bin : curve.bins) {
      sum += all[row] * all[row];
      ++row;
      weights += std::pow(bin.error, -2);
    }
  return 100 * std::sqrt(sum / weights);
}

/// The last third of the steps, predicted by a fit of the others.
double left_out_percent(const FitPlan& plan, const FitMinimum& best, bool spike) {
  double last = 0;
  for (const LossCurve& curve : plan.curves)
    last = std::max(last, curve.step[curve.step.size() - 1]);
  const double until = plan.from + kLeftOut * (last - plan.from);
  if (!inseparable(plan, until).empty()) return NAN;
  FitSearch search = search_of(plan, spike, until);
  take_steps(search.curves);
  const FitMinimum found = descend(search, best.x);
  if (!std::isfinite(found.cost)) return NAN;
  FitSearch rest = search_of(plan, spike, HUGE_VAL);
  take_steps(rest.curves);
  for (BinnedCurve& curve : rest.curves)
    std::erase_if(curve.bins,
                  [&](const FitBin& bin) { return curve.step[bin.at.front()] <= until; });
  std::erase_if(rest.curves, [](const BinnedCurve& curve) { return curve.bins.empty(); });
  return rest.curves.empty() ? NAN : bin_rms_percent(rest, found);
}

void add_parameters(Fit& fit, const FitSearch& search, const FitMinimum& best,
                    const Uncertainty& range) {
  for (std::size_t i = 0; i < search.coordinates.size(); ++i) {
    const FitCoordinate& c = search.coordinates[i];
    const auto at = static_cast<Index>(i);
    const double half = kQuantile95 * range.deviation[at];
    const auto plain = [&](double x) { return c.logarithm ? std::exp(x) : x; };
    fit.parameters.push_back(
        {c.name, plain(best.x[at]), plain(best.x[at] - half), plain(best.x[at] + half)});
  }
  const ArrayXd inverse = 1 / range.deviation;
  fit.correlation =
      inverse.matrix().asDiagonal() * range.covariance * inverse.matrix().asDiagonal();
}

void add_doubts(Fit& fit, const FitSearch& search, const FitMinimum& best) {
  if (fit.agreeing < 2)
    fit.warnings.push_back(
        fmt::format("{} of the {} best starts end within 1 % of the best: another problem may fit "
                    "these curves as well",
                    fit.agreeing, fit.searched));
  const FitCoordinate& alpha = search.coordinates[1];
  const double near = 0.01 * (alpha.high - alpha.low);
  if (best.x[1] < alpha.low + near || best.x[1] > alpha.high - near)
    fit.warnings.push_back(
        fmt::format("alpha = {:.3g} lies at its bound: the spectrum is no power "
                    "law that the curves could tell",
                    best.x[1]));
  if (fit.spike && fit.spike_gain >= kNotable)
    fit.warnings.push_back(
        fmt::format("a spike ({:.2g} % of the initial risk, {:.3g} times the rate) takes {:.0f} % "
                    "off chi^2: the curves are not those of a plain power law",
                    100 * best.values.spike_share, best.values.spike_rate, 100 * fit.spike_gain));
  if (fit.left_out_percent > kLeftOutRatio * fit.rms_percent)
    fit.warnings.push_back(
        fmt::format("the last third of the steps is predicted to {:.2g} % from the others, the fit "
                    "is good to {:.2g} %: what was trained is no least squares of this kind",
                    fit.left_out_percent, fit.rms_percent));
}

}  // namespace

FitPriors priors_of(FitModel model) {
  FitPriors priors;
  if (model == FitModel::logs) priors.alpha = {0.8, 0.5};
  return priors;
}

Fit fit(const FitPlan& plan) {
  Fit result;
  result.model = plan.model;
  result.warnings = check_plan(plan);
  report(plan, 0);
  FitSearch search = search_of(plan, false, HUGE_VAL);
  look_quickly(search.curves);
  const auto starts = starting_points(search, plan.starts, plan.seed, kRefined);
  report(plan, 0.2);
  if (starts.empty()) throw Failure("no start describes the curves: check steps and losses");
  const std::vector<FitMinimum> minima = refined(search, starts);
  FitMinimum best = minima.front();
  if (!std::isfinite(best.cost))
    throw Failure("no start describes the curves: check steps and losses");
  result.searched = static_cast<int>(minima.size());
  for (const FitMinimum& minimum : minima) result.agreeing += minimum.cost <= kAgree * best.cost;
  report(plan, 0.5);
  if (plan.model == FitModel::least_squares) {
    take_steps(search.curves);
    best = descend(search, best.x);
    const FitSearch without = search;
    search.coordinates = coordinates(plan.model, plan.priors, true);
    const FitMinimum spiked = with_spike(plan, search, best);
    const double freedom = static_cast<double>(residuals(search, spiked.x).size()) -
                           2 * static_cast<double>(spiked.x.size());
    result.spike_gain = 1 - spiked.chi_square / best.chi_square;
    result.spike = best.chi_square - spiked.chi_square >
                   kSpikeCosts * spiked.chi_square / std::max(1.0, freedom);
    if (result.spike)
      best = spiked;
    else
      search = without;
  }
  report(plan, 0.7);
  for (const BinnedCurve& curve : search.curves) result.points += std::ssize(curve.bins);
  result.freedom = std::max<long>(1, result.points - best.x.size());
  result.chi_square = best.chi_square;
  const Uncertainty range = uncertainty(
      search, best, std::max(1.0, best.chi_square / static_cast<double>(result.freedom)));
  add_parameters(result, search, best, range);
  for (const LossCurve& curve : plan.curves)
    result.curves.push_back(compared(search, best, range.covariance, curve, plan.from));
  for (const LossCurve& curve : plan.predict)
    result.predictions.push_back(compared(search, best, range.covariance, curve, plan.from));
  result.rms_percent = bin_rms_percent(search, best);
  result.experiment = experiment_of(best.values, plan.model, plan.curves.front());
  result.floor = best.values.floor;
  report(plan, 0.8);
  result.left_out_percent = left_out_percent(plan, best, result.spike);
  report(plan, 0.9);
  result.steps = fitted_steps(plan, search, best, range.covariance);
  add_doubts(result, search, best);
  report(plan, 1);
  return result;
}

}  // namespace riskcurve
