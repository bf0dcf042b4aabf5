#include "riskcurve/analysis/sweep.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/compress.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr double kMostPoints = 1e6;

std::vector<double> axis_values(const Fields& axis) {
  if (axis.has("values")) return axis.numbers("values");
  const bool log = axis.has("spacing") && axis.one_of("spacing", {"linear", "log"}) == "log";
  const Range range = log ? Range::positive() : Range::any();
  const double from = axis.number("from", range), to = axis.number("to", range);
  const auto count = static_cast<long>(axis.integer("count", Range::within(2, kMostPoints)));
  std::vector<double> values;
  for (long i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    if (i + 1 == count)
      values.emplace_back(to);
    else
      values.emplace_back(log ? from * std::pow(to / from, share) : from + share * (to - from));
  }
  return values;
}

}  // namespace

long Sweep::points() const {
  long count = 1;
  for (const SweepAxis& axis : axes) count *= static_cast<long>(axis.values.size());
  return count;
}

std::vector<double> Sweep::values(long point) const {
  std::vector<double> cells(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const auto size = static_cast<long>(axes[i].values.size());
    cells[i] = axes[i].values[static_cast<std::size_t>(point % size)];
    point /= size;
  }
  return cells;
}

std::vector<std::string> Sweep::columns() const {
  std::vector<std::string> names;
  for (const SweepAxis& axis : axes) names.push_back(axis.field);
  const std::vector<std::string> found =
      find == Find::risk
          ? std::vector<std::string>{"risk", "status"}
          : std::vector<std::string>{"step", "risk", "slope", "evaluations", "status"};
  names.insert(names.end(), found.begin(), found.end());
  return names;
}

Sweep read_sweep(const Fields& grid) {
  Sweep sweep;
  sweep.problem = grid.path("problem");
  if (grid.has("find") && grid.one_of("find", {"risk", "step"}) == "step")
    sweep.find = Sweep::Find::step;
  double points = 1;
  for (const Fields& axis : grid.tables("vary")) {
    sweep.axes.push_back({axis.text("field"), axis_values(axis)});
    if (sweep.axes.back().values.empty()) axis.fail("values", "at least one value");
    points *= static_cast<double>(sweep.axes.back().values.size());
  }
  if (sweep.axes.empty()) throw InputError("vary", "missing", "at least one [[vary]] table");
  if (points > kMostPoints)
    throw InputError("vary", fmt::format("{:.6g} points", points),
                     fmt::format("at most {:.0f}", kMostPoints));
  grid.reject_unknown();
  return sweep;
}

std::vector<Cell> sweep_row(const Sweep& sweep, long point) {
  Fields file = Fields::from_file(sweep.problem);
  const std::vector<double> values = sweep.values(point);
  for (std::size_t i = 0; i < values.size(); ++i) file.set(sweep.axes[i].field, values[i]);
  std::vector<Cell> row(values.begin(), values.end());
  Experiment experiment = read_experiment(file);
  const double nan = std::numeric_limits<double>::quiet_NaN(), steps = experiment.run.steps;
  if (sweep.find == Sweep::Find::step) {
    const Optimum best = best_step(compress(mode_system(experiment)), steps);
    const auto cell = [&](double x) { row.emplace_back(best.found ? x : nan); };
    cell(best.step);
    cell(best.risk);
    cell(best.slope);
    row.emplace_back(static_cast<double>(best.evaluations));
    row.emplace_back(best.found ? std::string("ok") : best.message);
    return row;
  }
  experiment.run.at = Eigen::ArrayXd::Constant(1, steps);
  const Prediction prediction = predict(experiment);
  const bool ok = prediction.curve.status == RiskCurve::Status::ok;
  row.emplace_back(ok ? prediction.curve.risk[0] : nan);
  row.emplace_back(ok ? std::string("ok") : prediction.curve.message);
  return row;
}

}  // namespace riskcurve
