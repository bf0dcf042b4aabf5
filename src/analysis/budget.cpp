#include "riskcurve/analysis/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kFewestSteps = 10;
constexpr double kFarAbove = 1.5;  // of the least risk: larger batches are no longer looked at
constexpr int kAround = 4, kLargestBatch = 1 << 24;
constexpr double kPays = 0.5,
                 kGains = 0.25;  // -dlog steps/dlog batch: the last worth it; enough seen

class BudgetSearch {
 public:
  BudgetSearch(const Experiment& experiment, double samples, const JointOptions& options)
      : experiment_(experiment), samples_(samples), options_(options) {}

  /// From the values that were best at the nearest batch so far.
  const BudgetPoint& at(int batch) {
    if (const auto known = points_.find(batch); known != points_.end()) return known->second;
    Experiment start = experiment_;
    if (const auto near = nearest(batch); near != points_.end())
      start = near->second.best.experiment;
    start.optimizer = with_batch(start.optimizer, batch);
    BudgetPoint point{batch, std::floor(samples_ / batch), {}};
    point.best = options_.over == std::vector<std::string>{"step"}
                     ? step_alone(start, point.steps)
                     : best_together(start, point.steps, options_);
    if (!point.best.found) point.best.risk = INFINITY;
    evaluations += point.best.evaluations;
    return points_.emplace(batch, std::move(point)).first->second;
  }
  double risk(int batch) { return at(batch).best.risk; }
  /// The best of all that were looked at.
  const BudgetPoint& best() const {
    return std::min_element(
               points_.begin(), points_.end(),
               [](const auto& a, const auto& b) { return a.second.best.risk < b.second.best.risk; })
        ->second;
  }

  int evaluations = 0;

 private:
  std::map<int, BudgetPoint>::const_iterator nearest(int batch) const {
    return std::min_element(points_.begin(), points_.end(), [&](const auto& a, const auto& b) {
      return std::abs(std::log(1.0 * a.first / batch)) < std::abs(std::log(1.0 * b.first / batch));
    });
  }

  /// The root of a slope asks for fewer solves than a search.
  JointOptimum step_alone(const Experiment& start, double steps) const {
    OptimumOptions asked;
    asked.start = points_.empty() ? 0 : start.schedule(0);
    asked.solve = options_.solve;
    asked.solve.averaged = options_.averaged;
    if (steps <= kMostRecursionSteps) asked.solve.method = Method::recursion;
    const Optimum found = best_step(mode_system(start), steps, asked);
    JointOptimum best{found.found, found.message,         {{"step", found.step}},
                      found.risk,  std::abs(found.slope), found.evaluations,
                      start};
    if (found.found) best.experiment.schedule = constant_schedule(found.step);
    return best;
  }

  Experiment experiment_;
  double samples_;
  JointOptions options_;
  std::map<int, BudgetPoint> points_;
};

/// Whole numbers between `low` and `high`, around a least in between.
void golden_section(BudgetSearch& search, int low, int high) {
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 2 * kAround) {
    const int a = high - static_cast<int>(std::lround(golden * (high - low))),
              b = low + static_cast<int>(std::lround(golden * (high - low)));
    if (a >= b) break;
    if (search.risk(a) < search.risk(b))
      high = b;
    else
      low = a;
  }
}

}  // namespace

BudgetOptimum best_batch(const Experiment& experiment, double samples,
                         const JointOptions& options) {
  if (!(samples >= kFewestSteps) || !std::isfinite(samples))
    throw InputError("samples", samples, "a finite number >= 10");
  const int largest =
      static_cast<int>(std::min<double>(std::floor(samples / kFewestSteps), kLargestBatch));
  BudgetSearch search(experiment, samples, options);
  BudgetOptimum result;
  for (int batch = 1; batch <= largest; batch *= 2) {
    result.scan.push_back(search.at(batch));
    if (search.risk(batch) > kFarAbove * search.best().best.risk) break;
  }
  const int first = search.best().batch;
  golden_section(search, std::max(1, first / 2), std::min(largest, 2 * first));
  const int middle = search.best().batch;
  for (int batch = std::max(1, middle - kAround); batch <= std::min(largest, middle + kAround);
       ++batch)
    search.at(batch);
  result.best = search.best();
  result.best.best.experiment.run = run_for(result.best.steps);
  result.found = std::isfinite(result.best.best.risk);
  if (!result.found) result.message = result.best.best.message;
  result.evaluations = search.evaluations;
  return result;
}

CriticalBatch critical_batch(const Experiment& experiment, double risk,
                             const OptimumOptions& options) {
  CriticalBatch result;
  result.risk = risk;
  std::vector<double> at, step, steps, saving, where;
  OptimumOptions exact = options;
  exact.solve.method = Method::recursion;
  double longest = 0;
  for (int batch = 1; batch <= kLargestBatch; batch *= 2) {
    Experiment with = experiment;
    with.optimizer = with_batch(with.optimizer, batch);
    const ModeSystem system = mode_system(with);
    if (longest == 0) {  // where to look, from the limit of small steps
      const Optimum guess = fastest_step(system, risk, kMostRecursionSteps, options);
      result.evaluations += guess.evaluations;
      if (!guess.found) {
        result.message = guess.message;
        return result;
      }
      exact.start = guess.step;
      longest = guess.steps;
    }
    longest = std::max(2 * longest, 4 * kFewestSteps);  // a step too large may never get there
    const Optimum best = fastest_step(system, risk, longest, exact);
    result.evaluations += best.evaluations;
    if (!best.found) {
      result.message = fmt::format("batch {}: {}", batch, best.message);
      break;
    }
    exact.start = best.step, longest = best.steps;
    at.push_back(batch), step.push_back(best.step), steps.push_back(best.steps);
    if (const std::size_t n = at.size(); n > 1) {
      saving.push_back(std::log2(steps[n - 2] / steps[n - 1]));
      where.push_back(batch / std::sqrt(2.0));
    }
    if (best.steps < kFewestSteps || (!saving.empty() && saving.back() < kGains)) break;
  }
  const auto array = [](const std::vector<double>& v) {
    return ArrayXd(Eigen::Map<const ArrayXd>(v.data(), static_cast<Index>(v.size())));
  };
  result.at = array(at), result.step = array(step), result.steps = array(steps);
  result.samples = result.at * result.steps;
  result.saving = array(saving);
  for (std::size_t i = 1; i < saving.size() && !result.found; ++i) {
    if (!(saving[i - 1] >= kPays && saving[i] < kPays)) continue;
    const double part = (saving[i - 1] - kPays) / (saving[i - 1] - saving[i]);
    result.batch = where[i - 1] * std::pow(where[i] / where[i - 1], part);
    result.found = true;
  }
  if (!result.found && result.message.empty())
    result.message =
        !saving.empty() && saving.front() < kPays
            ? "doubling the batch does not pay even from 1"
            : fmt::format("doubling pays up to batch {}, where {:.6g} steps are left",
                          at.empty() ? 0 : at.back(), steps.empty() ? 0 : steps.back());
  return result;
}

}  // namespace riskcurve
