#include "riskcurve/analysis/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/analysis/transfer.hpp"
#include "riskcurve/analysis/trust.hpp"
#include "riskcurve/dynamics/compress.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr double kMostPoints = 1e6;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<Cell> axis_values(const Fields& axis) {
  if (axis.has("values")) return axis.cells("values");
  const bool log = axis.has("spacing") && axis.one_of("spacing", {"linear", "log"}) == "log";
  const Range range = log ? Range::positive() : Range::any();
  const double from = axis.number("from", range), to = axis.number("to", range);
  const auto count = static_cast<long>(axis.integer("count", Range::within(2, kMostPoints)));
  std::vector<Cell> values;
  for (long i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    if (i + 1 == count)
      values.emplace_back(to);
    else
      values.emplace_back(log ? from * std::pow(to / from, share) : from + share * (to - from));
  }
  return values;
}

std::vector<std::string> read_against(const Fields& grid) {
  if (!grid.has("against")) return {"horizon", "dimension"};
  const std::vector<std::string> known = transfer_quantities(true);
  std::vector<std::string> quantities;
  for (const Cell& cell : grid.cells("against")) {
    const auto* name = std::get_if<std::string>(&cell);
    if (!name || std::ranges::find(known, *name) == known.end())
      grid.fail("against", fmt::format("some of \"{}\"", fmt::join(known, "\", \"")));
    quantities.push_back(*name);
  }
  if (quantities.empty()) grid.fail("against", "at least one quantity");
  return quantities;
}

}  // namespace

long Sweep::points() const {
  long count = 1;
  for (const SweepAxis& axis : axes) count *= static_cast<long>(axis.values.size());
  return count;
}

std::vector<Cell> Sweep::values(long point) const {
  std::vector<Cell> cells(axes.size());
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
  std::vector<std::string> found = {"risk"};
  if (find == Find::step) found = {"step", "risk", "slope", "evaluations"};
  if (find == Find::exponents) {
    found = {"step", "risk"};
    for (const std::string& quantity : against)
      for (const char* of : {"risk", "step"})
        for (const char* what : {"exponent", "error"})
          found.push_back(fmt::format("{}_{}_{}", quantity, of, what));
  }
  found.insert(found.end(), {"untrusted", "status"});
  names.insert(names.end(), found.begin(), found.end());
  return names;
}

Sweep read_sweep(const Fields& grid) {
  Sweep sweep;
  sweep.problem = grid.path("problem");
  if (grid.has("find")) {
    const std::string find = grid.one_of("find", {"risk", "step", "exponents"});
    if (find == "step") sweep.find = Sweep::Find::step;
    if (find == "exponents") {
      sweep.find = Sweep::Find::exponents;
      sweep.against = read_against(grid);
    }
  }
  double points = 1;
  for (const Fields& axis : grid.tables("vary")) {
    sweep.axes.push_back({axis.text("field"), axis_values(axis)});
    if (sweep.axes.back().values.empty()) axis.fail("values", "at least one value");
    points *= static_cast<double>(sweep.axes.back().values.size());
    if (points > kMostPoints)  // before the next axis takes memory too
      throw InputError("vary", fmt::format("{:.6g} points", points),
                       fmt::format("at most {:.0f}", kMostPoints));
  }
  if (sweep.axes.empty()) throw InputError("vary", "missing", "at least one [[vary]] table");
  grid.reject_unknown();
  return sweep;
}

namespace {

void find_risk(Experiment experiment, std::vector<Cell>& row) {
  experiment.run.at = schedule_mesh(experiment.run.steps, 25);  // the trust numbers look along it
  const Prediction prediction = predict(experiment);
  const bool ok = prediction.curve.status == RiskCurve::Status::ok;
  row.emplace_back(ok ? prediction.curve.risk[experiment.run.at.size() - 1] : nan);
  row.emplace_back(untrusted(prediction.trust));
  row.emplace_back(ok ? std::string("ok") : prediction.curve.message);
}

struct Found {
  Optimum best;
  std::string untrusted;
};

Found best_of(const Experiment& experiment) {
  const ModeSystem system = mode_system(experiment);
  const Optimum best = best_step(compress(system), experiment.run.steps);
  if (!best.found) return {best, ""};
  return {best, untrusted(trust(experiment, system, best.step, experiment.run.steps))};
}

void find_step(const Experiment& experiment, std::vector<Cell>& row) {
  const auto [best, numbers] = best_of(experiment);
  for (const double x : {best.step, best.risk, best.slope}) row.emplace_back(best.found ? x : nan);
  row.emplace_back(static_cast<double>(best.evaluations));
  row.emplace_back(numbers);
  row.emplace_back(best.found ? std::string("ok") : best.message);
}

/// Each word of the texts once.
std::string words_of(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  std::istringstream all(fmt::format("{}", fmt::join(texts, " ")));
  for (std::string word; all >> word;)
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  return fmt::format("{}", fmt::join(words, " "));
}

void find_exponents(const Fields& file, const Experiment& experiment,
                    const std::vector<std::string>& against, std::vector<Cell>& row) {
  const auto [best, own] = best_of(experiment);
  std::vector<std::string> numbers{own};
  for (const double x : {best.step, best.risk}) row.emplace_back(best.found ? x : nan);
  std::string status = best.found ? "ok" : best.message;
  for (const std::string& quantity : against) {
    const Scaling scaling = step_scaling(file, quantity);
    for (const Exponent& exponent : {scaling.risk_exponent, scaling.step_exponent}) {
      row.emplace_back(exponent.value);
      row.emplace_back(exponent.error);
    }
    if (!scaling.skipped.empty() && status == "ok")
      status = fmt::format("{}: {}", quantity, scaling.skipped);
    numbers.insert(numbers.end(), scaling.untrusted.begin(), scaling.untrusted.end());
  }
  row.emplace_back(words_of(numbers));
  row.emplace_back(status);
}

}  // namespace

std::vector<Cell> sweep_row(const Sweep& sweep, long point) {
  Fields file = Fields::from_file(sweep.problem);
  std::vector<Cell> row = sweep.values(point);
  for (std::size_t i = 0; i < row.size(); ++i)
    std::visit([&](const auto& value) { file.set(sweep.axes[i].field, value); }, row[i]);
  const auto named = [](const SweepAxis& axis) { return axis.field == "optimizer.name"; };
  if (std::ranges::any_of(sweep.axes, named)) drop_keys_of_others(file.table("optimizer"));
  const Experiment experiment = read_experiment(file.copy());
  if (sweep.find == Sweep::Find::risk) find_risk(experiment, row);
  if (sweep.find == Sweep::Find::step) find_step(experiment, row);
  if (sweep.find == Sweep::Find::exponents) find_exponents(file, experiment, sweep.against, row);
  return row;
}

}  // namespace riskcurve
