// What is asked of curves before they are fitted, and the bins that they are fitted by.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/fit_parts.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr Index kLeastRows = 8;
constexpr double kMostBins = 60;
constexpr double kStepFactor = 3;    // in the step: less does not tell the floor from noise
constexpr double kNoisyLoss = 0.03;  // of single evaluations

std::vector<Index> fitted_rows(const LossCurve& curve, double from, double until) {
  std::vector<Index> rows;
  for (Index i = 0; i < curve.step.size(); ++i)
    if (curve.step[i] >= from && curve.step[i] <= until) rows.push_back(i);
  return rows;
}

LossCurve rows_of(const LossCurve& curve, const std::vector<Index>& rows) {
  LossCurve part = curve;
  part.step = curve.step(rows);
  if (curve.loss.size() > 0) part.loss = curve.loss(rows);
  if (curve.error.size() > 0) part.error = curve.error(rows);
  return part;
}

/// Scatter of log L from row to row about any straight line, from rows first..last and at least
/// seven around them.
double row_scatter(const ArrayXd& log_loss, Index first, Index last) {
  const Index n = log_loss.size();
  while (last - first < 6 && (first > 0 || last + 1 < n)) {
    if (first > 0) --first;
    if (last + 1 < n) ++last;
  }
  double sum = 0;
  for (Index i = first + 1; i < last; ++i)
    sum += std::pow(log_loss[i + 1] - 2 * log_loss[i] + log_loss[i - 1], 2);
  return last - first < 2 ? 0 : std::sqrt(sum / (6.0 * static_cast<double>(last - first - 1)));
}

void check_steps(const LossCurve& curve) {
  for (Index i = 0; i < curve.step.size(); ++i) {
    if (!(curve.step[i] >= 0) || !std::isfinite(curve.step[i]))
      throw InputError(curve.name + ": step", curve.step[i], "a finite step count >= 0");
    if (i > 0 && !(curve.step[i] > curve.step[i - 1]))
      throw InputError(curve.name + ": step",
                       fmt::format("{:g} after {:g}", curve.step[i], curve.step[i - 1]),
                       "steps that increase: one run without restarts");
  }
}

void check_gaps(const LossCurve& curve) {
  const Index n = curve.step.size();
  const ArrayXd gap = curve.step.tail(n - 1) - curve.step.head(n - 1);
  ArrayXd sorted = gap;
  std::sort(sorted.begin(), sorted.end());
  const double range = curve.step[n - 1] - curve.step[0], usual = sorted[(n - 1) / 2];
  for (Index i = 0; i + 1 < n; ++i) {
    double around = usual;
    if (i > 0) around = std::max(around, gap[i - 1]);
    if (i + 2 < n) around = std::max(around, gap[i + 1]);
    if (gap[i] > 0.25 * range && gap[i] > 8 * around)
      throw InputError(curve.name + ": step",
                       fmt::format("none between {:g} and {:g}", curve.step[i], curve.step[i + 1]),
                       "a curve without gaps");
  }
}

void check_lengths(const LossCurve& curve) {
  for (const auto& [name, column] :
       {std::pair("loss", &curve.loss), std::pair("error", &curve.error)})
    if (column->size() != curve.step.size() && (column->size() > 0 || column == &curve.loss))
      throw InputError(curve.name + ": " + name, fmt::format("{} rows", column->size()),
                       fmt::format("{} rows, as many as steps", curve.step.size()));
}

void check_losses(const LossCurve& curve) {
  const Index n = curve.loss.size();
  for (Index i = 0; i < n; ++i)
    if (!(curve.loss[i] > 0) || !std::isfinite(curve.loss[i]))
      throw InputError(curve.name + ": loss",
                       fmt::format("{} at step {:g}", number_text(curve.loss[i]), curve.step[i]),
                       "a finite loss > 0");
  const Index part = std::max<Index>(2, n / 4);
  const double start = curve.loss.head(part).mean(), end = curve.loss.tail(part).mean();
  const double error =
      row_scatter(curve.loss.log(), 0, n - 1) * std::sqrt(2.0 / static_cast<double>(part));
  if (end > start * (1.02 + 3 * error))
    throw InputError(curve.name + ": loss", fmt::format("{:.4g}, later {:.4g}", start, end),
                     "a loss that falls: leave out runs that diverge");
}

/// Steps taken at the rows, as the schedule has them just before.
ArrayXd steps_taken(const LossCurve& curve) {
  return curve.step.unaryExpr([&](double k) { return curve.schedule(std::max(0.0, k - 1)); });
}

double largest_ratio(const ArrayXd& x) {
  const double least = (x > 0).select(x, x.maxCoeff()).minCoeff();
  return least > 0 ? x.maxCoeff() / least : 1;
}

}  // namespace

double discrepancy(FitModel model) {
  return model == FitModel::logs ? 0.003 : 0.01;
}

BinnedCurve binned(const LossCurve& curve, double from, double until, double floor) {
  BinnedCurve result;
  result.trained = rows_of(curve, fitted_rows(curve, from, until));
  const LossCurve& rows = result.trained;
  const Index n = rows.step.size();
  result.step = rows.step;
  if (n == 0 || rows.loss.size() != n) return result;
  const ArrayXd place = (rows.step + 1).log(), log_loss = rows.loss.log();
  const double width = std::max(1e-12, (place[n - 1] - place[0]) / kMostBins);
  std::vector<double> asked;
  for (Index first = 0, last = 0; first < n; first = last + 1) {
    const auto bin_of = [&](Index i) {
      return std::min(kMostBins - 1, std::floor((place[i] - place[0]) / width));
    };
    const double bin = bin_of(first);
    last = first;
    while (last + 1 < n && bin_of(last + 1) == bin) ++last;
    const Index count = last - first + 1, used = std::min<Index>(count, 4);
    const auto size = static_cast<double>(count);
    const double loss = rows.loss.segment(first, count).mean();
    const double error =
        rows.error.size() == n
            ? std::sqrt((rows.error.segment(first, count) / loss).square().sum()) / size
            : row_scatter(log_loss, first, last) / std::sqrt(size);
    FitBin& entry = result.bins.emplace_back(
        FitBin{loss, std::hypot(error, floor), 0.5 * error * error, count});
    for (Index i = 0; i < used; ++i) {
      entry.at.push_back(static_cast<Index>(asked.size()));
      asked.push_back(rows.step[first + (2 * i + 1) * count / (2 * used)]);
    }
  }
  result.step = Eigen::Map<const ArrayXd>(asked.data(), static_cast<Index>(asked.size()));
  return result;
}

std::string inseparable(const FitPlan& plan, double until) {
  std::vector<double> all;
  bool falls_smoothly = plan.curves.size() == 1;
  for (const LossCurve& curve : plan.curves) {
    const ArrayXd step = steps_taken(rows_of(curve, fitted_rows(curve, plan.from, until)));
    all.insert(all.end(), step.begin(), step.end());
    if (step.size() == 0) continue;
    // A stretch of one step, beside which what comes later differs.
    const double peak = step.maxCoeff();
    const auto held = static_cast<double>((step > 0.99 * peak).count());
    if (held >= 0.1 * static_cast<double>(step.size())) falls_smoothly = false;
  }
  const ArrayXd steps = Eigen::Map<const ArrayXd>(all.data(), static_cast<Index>(all.size()));
  if (steps.size() == 0 || largest_ratio(steps) < kStepFactor)
    return fmt::format("a factor {:.3g} in the step across all curves",
                       steps.size() == 0 ? 1 : largest_ratio(steps));
  if (falls_smoothly) return "one curve whose step only falls smoothly";
  return "";
}

std::vector<std::string> check_plan(const FitPlan& plan) {
  if (plan.curves.empty())
    throw InputError("curve", "missing", "at least one [[curve]] with losses");
  std::vector<std::string> doubts;
  for (const LossCurve& curve : plan.curves) {
    check_steps(curve);
    check_lengths(curve);
    const LossCurve rows = rows_of(curve, fitted_rows(curve, plan.from, HUGE_VAL));
    if (rows.step.size() < kLeastRows)
      throw InputError(curve.name,
                       fmt::format("{} rows from step {:g} on", rows.step.size(), plan.from),
                       fmt::format("at least {} rows", kLeastRows));
    check_losses(rows);
    check_gaps(rows);
    const double scatter = row_scatter(rows.loss.log(), 0, rows.loss.size() - 1);
    if (curve.evaluated && rows.error.size() == 0 && scatter > kNoisyLoss)
      doubts.push_back(
          fmt::format("{}: single evaluations scatter by {:.2g} %: one of them can spoil "
                      "a fit; log the loss of every batch",
                      curve.name, 100 * scatter));
  }
  for (const LossCurve& curve : plan.predict) check_steps(curve);
  if (const std::string why = inseparable(plan, HUGE_VAL); !why.empty())
    throw InputError("curve", why,
                     fmt::format("steps a factor {:g} apart, across curves or before and after a "
                                 "drop: else the floor of the loss and its noise cannot be told "
                                 "apart",
                                 kStepFactor));
  return doubts;
}

}  // namespace riskcurve
