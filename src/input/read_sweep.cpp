// The grid file of a sweep.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "input/read.hpp"
#include "riskcurve/analysis/transfer.hpp"

namespace riskcurve {
namespace {

constexpr double kMostPoints = 1e6;

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
    if (!name || std::find(known.begin(), known.end(), *name) == known.end())
      grid.fail("against", fmt::format("some of \"{}\"", fmt::join(known, "\", \"")));
    quantities.push_back(*name);
  }
  if (quantities.empty()) grid.fail("against", "at least one quantity");
  return quantities;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// The problem file with the fields set to these values. Where its name is varied, [optimizer] may
/// hold the keys of several optimizers.
Experiment with_values(const Fields& problem, const std::vector<SweepAxis>& axes,
                       const std::vector<Cell>& values) {
  Fields file = problem.copy();
  OtherKeys others = OtherKeys::refused;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::visit([&](const auto& value) { file.set(axes[i].field, value); }, values[i]);
    if (axes[i].field == "optimizer.name") others = OtherKeys::allowed;
  }
  return read_experiment(file, others);
}

}  // namespace

Sweep read_sweep(const Fields& grid) {
  Sweep sweep;
  sweep.name = grid.text("problem");
  const std::string path = grid.path("problem");
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
  const Fields problem = Fields::from_file(path);
  sweep.identity = grid.to_toml() + text_of(path);
  sweep.experiment = [problem, axes = sweep.axes](const std::vector<Cell>& values) {
    return with_values(problem, axes, values);
  };
  return sweep;
}

Sweep read_sweep(const std::string& path) {
  return read_sweep(Fields::from_file(path));
}

}  // namespace riskcurve
