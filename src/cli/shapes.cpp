#include "cli/shapes.hpp"

#include <fmt/format.h>

#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// Steps of each schedule over the run.
Figure to_figure(const std::vector<ShapeOptimum>& found, const std::string& title, double horizon) {
  Figure figure;
  figure.title = title;
  figure.x_label = "steps k";
  figure.y_label = "step size γ";
  const ArrayXd at = ArrayXd::LinSpaced(301, 0, horizon * (1 - 1e-9));
  for (const ShapeOptimum& shape : found)
    if (shape.best.found)
      figure.series.push_back({Series::Style::line,
                               shape.shape,
                               at,
                               at.unaryExpr([&](double k) { return shape.best.schedule(k); }),
                               {}});
  return figure;
}

}  // namespace

int run_shapes(const Loaded& loaded, const ModeSystem& system, const Optimum& constant,
               const SolveOptions& solve, const Outputs& outputs) {
  ScheduleOptions options;
  options.solve = solve;
  const std::vector<ShapeOptimum> found = compare_shapes(system, constant, options);
  Result result;
  result.title = loaded.title;
  result.record.set("steps", constant.steps);
  result.record.set("shapes", to_record(found));
  result.table = to_record(found);
  result.headings = {{"schedule", "shape"},
                     {"peak", "step", "{:.4g}"},
                     {"exponent", "exponent", "{:.4g}"},
                     {fmt::format("R after {:.6g} steps", constant.steps), "risk"},
                     {"% above", "above_percent", "{:.4g}"},
                     {"R ~ T^-x", "horizon_exponent", "{:.3f}"}};
  result.figure = to_figure(found, loaded.title, constant.steps);
  for (const ShapeOptimum& shape : found)
    if (!shape.best.found && result.failure.empty())
      result.failure = shape.shape + ": " + shape.best.message;
  return emit(result, outputs);
}

}  // namespace riskcurve::cli
