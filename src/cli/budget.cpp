#include "cli/budget.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "cli/progress.hpp"
#include "riskcurve/analysis/budget.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

Figure over_batches(const std::string& title, const std::string& y) {
  Figure figure;
  figure.title = title;
  figure.x_label = "batch b";
  figure.y_label = y;
  figure.log_x = true;
  figure.log_y = true;
  return figure;
}

}  // namespace

int run_samples(const Loaded& loaded, double samples, const JointOptions& options,
                const Outputs& outputs) {
  const BudgetOptimum found = best_batch(loaded.experiment, samples, options);
  if (!found.found) throw Failure(found.message);
  Result result;
  result.title = loaded.title;
  const std::string risk = options.averaged ? "averaged_risk" : "risk";
  Record scan = to_record(found.scan, options);
  const auto column = [&](const std::string& name) {
    return std::get<ArrayXd>(scan.find(name)->value);
  };
  const ArrayXd batch = column("batch"), least = column(risk);
  scan.column("above_percent", ArrayXd(100 * (least / found.best.best.risk - 1)));
  result.headings = {{"batch", "batch"}, {"steps", "steps"}};
  for (const std::string& name : options.over) result.headings.push_back({name, name, "{:.4g}"});
  result.headings.push_back({"R at the end", risk});
  result.headings.push_back({"% above", "above_percent", "{:.4g}"});
  result.table = scan;

  Record& record = result.record;
  record.set("samples", samples);
  record.set("batch", static_cast<long>(found.best.batch));
  record.set("steps", found.best.steps);
  Record over;
  std::string values;
  for (const std::string& name : options.over) {
    over.set(name, found.best.best.value.at(name));
    values += fmt::format(", {} {:.6g}", name, found.best.best.value.at(name));
  }
  record.set("over", over);
  record.set(risk, found.best.best.risk);
  record.set("evaluations", static_cast<long>(found.evaluations));
  record.set("batches", scan);
  result.notes = {
      fmt::format("best for {:.10g} samples: batch {}{}: {} = {:.6g} after {:.6g} steps "
                  "({} solves)",
                  samples, found.best.batch, values, options.averaged ? "averaged R" : "R",
                  found.best.best.risk, found.best.steps, found.evaluations)};
  result.figure = over_batches(loaded.title, fmt::format("risk R after {:.6g} samples", samples));
  result.figure.series.push_back({Series::Style::line, "", batch, least, {}});
  result.figure.series.push_back({Series::Style::points,
                                  fmt::format("best batch, {}", found.best.batch),
                                  ArrayXd::Constant(1, found.best.batch),
                                  ArrayXd::Constant(1, found.best.best.risk),
                                  {}});
  return emit(result, outputs);
}

int run_ramp(const Loaded& loaded, double samples, double steps, int points,
             const SolveOptions& solve, const Outputs& outputs) {
  ScheduleOptions options;
  options.solve = solve;
  const BatchRamp found = best_batch_ramp(loaded.experiment, samples, steps, points, options);
  if (!found.found) throw Failure(found.message);
  Result result;
  result.title = loaded.title;
  Record table;
  table.column("at", found.at);
  table.column("batch", found.batch);
  const ArrayXd share{{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999}};
  const Schedule batch = tabulated_schedule({found.at.begin(), found.at.end()},
                                            {found.batch.begin(), found.batch.end()});
  Record rows;
  rows.column("at", ArrayXd(share * steps));
  rows.column("batch", ArrayXd((share * steps).unaryExpr([&](double k) { return batch(k); })));
  result.table = rows;
  result.headings = {{"at step", "at", "{:.6g}"}, {"batch", "batch", "{:.4g}"}};
  Record& record = result.record;
  record.set("samples", samples);
  record.set("steps", steps);
  record.set("step", found.step);
  record.set("risk", found.risk);
  record.set("constant_risk", found.constant_risk);
  const double gain = 100 * (1 - found.risk / found.constant_risk);
  record.set("gain_percent", gain);
  record.set("evaluations", static_cast<long>(found.evaluations));
  record.set("ramp", table);
  result.notes = {
      fmt::format("{:.10g} samples in {:.6g} steps of {:.6g}, the batch as above: R = {:.6g}, "
                  "{:.3g} % below the best constant batch and step ({} solves)",
                  samples, steps, found.step, found.risk, gain, found.evaluations)};
  Experiment experiment = loaded.experiment;
  experiment.optimizer = with_batch(experiment.optimizer, 1);
  experiment.chain.batch = batch;
  experiment.schedule = constant_schedule(found.step);
  experiment.run = run_for(steps);
  const Prediction under = predict(experiment);
  record.set("trust", to_record(under.trust));
  record.set("warnings", under.curve.warnings);
  result.notes.push_back(trust_line(under.trust));
  result.figure.title = loaded.title;
  result.figure.x_label = "steps k";
  result.figure.y_label = "batch m";
  result.figure.log_y = true;
  result.figure.series.push_back({Series::Style::line, "", found.at, found.batch, {}});
  return emit(result, outputs);
}

int run_critical_batch(const Loaded& loaded, std::optional<double> risk,
                       const OptimumOptions& options, const Outputs& outputs) {
  if (!risk) {
    const Optimum best =
        best_step(mode_system(loaded.experiment), loaded.experiment.run.steps, options);
    if (!best.found) throw Failure(best.message);
    risk = best.risk;
  }
  const CriticalBatch found = critical_batch(loaded.experiment, *risk, options);
  if (found.at.size() == 0) throw Failure(found.message);
  Result result;
  result.title = loaded.title;
  const Index n = found.at.size();
  ArrayXd saving = ArrayXd::Constant(n, NAN);
  saving.head(n - 1) = found.saving;
  Record table;
  table.column("batch", found.at);
  table.column("step", found.step);
  table.column("steps", found.steps);
  table.column("samples", found.samples);
  table.column("saving", saving);
  result.table = table;
  result.headings = {{"batch", "batch"},
                     {"step size", "step", "{:.4g}"},
                     {"steps", "steps", "{:.6g}"},
                     {"samples", "samples", "{:.6g}"},
                     {"saving by doubling", "saving", "{:.3f}"}};
  result.record.set("risk", *risk);
  result.record.set("critical_batch",
                    found.found ? found.batch : std::numeric_limits<double>::quiet_NaN());
  result.record.set("evaluations", static_cast<long>(found.evaluations));
  result.record.set("batches", table);
  result.notes = {
      found.found
          ? fmt::format(
                "critical batch {:.4g}, for R = {:.6g}: there doubling divides the steps by "
                "the root of 2 ({} solves)",
                found.batch, *risk, found.evaluations)
          : fmt::format("no critical batch for R = {:.6g}: {}", *risk, found.message)};
  result.figure = over_batches(loaded.title, fmt::format("to R = {:.4g}", *risk));
  result.figure.series.push_back({Series::Style::line, "steps", found.at, found.steps, {}});
  result.figure.series.push_back({Series::Style::line, "samples", found.at, found.samples, {}});
  if (found.found) {
    const ArrayXd ends =
        (ArrayXd(2) << found.steps.minCoeff(), found.samples.maxCoeff()).finished();
    result.figure.series.push_back(
        {Series::Style::dashes, "critical batch", ArrayXd::Constant(2, found.batch), ends, {}});
  }
  return emit(result, outputs);
}

}  // namespace riskcurve::cli
