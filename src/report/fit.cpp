#include "riskcurve/analysis/fit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

Record curve_record(const FitCurve& curve) {
  Record record;
  record.set("path", curve.name);
  record.set("steps", curve.step);
  if (curve.observed.size() > 0) record.set("observed", curve.observed);
  record.set("loss", curve.loss);
  record.set("low", curve.low);
  record.set("high", curve.high);
  record.set("rms_percent", curve.rms_percent);
  record.set("end_percent", curve.end_percent);
  return record;
}

std::vector<Record> curve_records(const std::vector<FitCurve>& curves) {
  std::vector<Record> records;
  for (const FitCurve& curve : curves) records.push_back(curve_record(curve));
  return records;
}

Record step_record(const FitStep& step) {
  Record record;
  record.set("steps", step.goal.steps);
  record.set("batch", static_cast<long>(step.goal.batch));
  record.set("step", step.step);
  record.set("low", step.low);
  record.set("high", step.high);
  record.set("loss", step.loss);
  record.set("tried", step.tried);
  record.set("quadratic", step.quadratic);
  record.set("skipped", step.skipped);
  return record;
}

/// Every curve with its role.
std::vector<std::pair<const char*, const FitCurve*>> all_curves(const Fit& fit) {
  std::vector<std::pair<const char*, const FitCurve*>> all;
  for (const FitCurve& curve : fit.curves) all.emplace_back("fit", &curve);
  for (const FitCurve& curve : fit.predictions) all.emplace_back("predict", &curve);
  return all;
}

/// At most so many rows, evenly through the curve.
ArrayXd thinned(const ArrayXd& x) {
  constexpr Index most = 400;
  if (x.size() <= most) return x;
  ArrayXd few(most);
  for (Index i = 0; i < most; ++i) few[i] = x[i * (x.size() - 1) / (most - 1)];
  return few;
}

}  // namespace

Record to_record(const Fit& fit) {
  Record record, parameters, intervals, correlation, diagnostics;
  std::vector<std::string> names;
  for (const FitParameter& parameter : fit.parameters) {
    names.push_back(parameter.name);
    parameters.set(parameter.name, parameter.value);
    ArrayXd ends(2);
    ends << parameter.low, parameter.high;
    intervals.set(parameter.name, ends);
  }
  correlation.set("names", names);
  correlation.set("matrix", Eigen::ArrayXXd(fit.correlation.array()));
  record.set("model", std::string(fit.model == FitModel::logs ? "logs" : "least_squares"));
  record.set("parameters", parameters);
  record.set("intervals", intervals);
  record.set("correlation", correlation);
  record.set("curves", curve_records(fit.curves));
  record.set("predict", curve_records(fit.predictions));
  std::vector<Record> best;
  for (const FitStep& step : fit.steps) best.push_back(step_record(step));
  record.set("best", best);
  diagnostics.set("chi_square", fit.chi_square);
  diagnostics.set("points", fit.points);
  diagnostics.set("freedom", fit.freedom);
  diagnostics.set("rms_percent", fit.rms_percent);
  diagnostics.set("searched", static_cast<long>(fit.searched));
  diagnostics.set("agreeing", static_cast<long>(fit.agreeing));
  diagnostics.set("spike_gain_percent", 100 * fit.spike_gain);
  diagnostics.set("left_out_percent", fit.left_out_percent);
  record.set("diagnostics", diagnostics);
  record.set("warnings", fit.warnings);
  return record;
}

Record points_of(const Fit& fit) {
  std::vector<std::string> path, role;
  std::vector<double> columns[5];
  for (const auto& [kind, curve] : all_curves(fit))
    for (Index i = 0; i < curve->step.size(); ++i) {
      path.push_back(curve->name);
      role.emplace_back(kind);
      columns[0].push_back(curve->step[i]);
      columns[1].push_back(curve->observed.size() > 0 ? curve->observed[i] : NAN);
      columns[2].push_back(curve->loss[i]);
      columns[3].push_back(curve->low[i]);
      columns[4].push_back(curve->high[i]);
    }
  Record points;
  points.column("path", path);
  points.column("role", role);
  const char* names[] = {"steps", "observed", "loss", "low", "high"};
  for (int c = 0; c < 5; ++c)
    points.column(names[c], ArrayXd(ArrayXd::Map(columns[c].data(), std::ssize(columns[c]))));
  return points;
}

Figure to_figure(const Fit& fit, const std::string& title) {
  Figure figure;
  figure.title = title;
  figure.x_label = "steps k";
  figure.y_label = "loss";
  figure.log_x = figure.log_y = true;
  int colour = 0;
  for (const auto& [kind, curve] : all_curves(fit)) {
    const ArrayXd step = thinned(curve->step);
    if (curve->observed.size() > 0)
      figure.series.push_back(
          {Series::Style::faint, "", step, thinned(curve->observed), {}, colour});
    const bool fitted = std::string(kind) == "fit";
    figure.series.push_back({fitted ? Series::Style::line : Series::Style::dashes,
                             curve->name + (fitted ? "" : " (predicted)"),
                             step,
                             thinned(curve->loss),
                             {},
                             colour++});
  }
  return figure;
}

}  // namespace riskcurve
