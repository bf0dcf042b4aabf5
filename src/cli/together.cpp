#include "cli/together.hpp"

#include <fmt/format.h>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {

int run_together(const Loaded& loaded, double horizon, const JointOptions& options,
                 const Outputs& outputs) {
  const JointOptimum best = best_together(loaded.experiment, horizon, options);
  if (!best.found) throw Failure(best.message);
  Result result;
  result.title = loaded.title;
  Record values;
  std::vector<std::string> names;
  Eigen::ArrayXd numbers(static_cast<Eigen::Index>(options.over.size()));
  for (std::size_t i = 0; i < options.over.size(); ++i) {
    names.push_back(options.over[i]);
    numbers[static_cast<Eigen::Index>(i)] = best.value.at(options.over[i]);
    values.set(options.over[i], best.value.at(options.over[i]));
  }
  result.record.set("over", values);
  result.record.set(options.averaged ? "averaged_risk" : "risk", best.risk);
  result.record.set("steps", horizon);
  result.record.set("gradient", best.gradient);
  result.record.set("evaluations", static_cast<long>(best.evaluations));
  Record table;
  table.column("quantity", names);
  table.column("value", numbers);
  result.table = table;
  result.headings = {{"quantity", "quantity"}, {"best", "value", "{:.6g}"}};
  result.notes = {fmt::format("together: {} = {:.6g} after {:.6g} steps ({} solves, {})",
                              options.averaged ? "averaged R" : "R", best.risk, horizon,
                              best.evaluations, best.message)};
  const RiskCurve curve = predict(best.experiment).curve;
  result.figure = to_figure(curve, loaded.title);
  result.record.set("warnings", curve.warnings);
  return emit(result, outputs);
}

}  // namespace riskcurve::cli
