#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "cli/tables.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve::cli {
namespace {

struct SweepArguments {
  std::string grid, out, plot;
  bool json = false;
  TableOptions table;
};

/// What a person reads: six digits, no slope, which is roundoff at an optimum, and `untrusted` only
/// where something is.
void print_table(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t shown = 40;
  const std::size_t count = std::min(rows.size(), shown);
  Record table;
  std::vector<Heading> headings;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == "slope") continue;
    const auto empty = [i](const std::vector<std::string>& row) { return row[i].empty(); };
    if (columns[i] == "untrusted" && std::all_of(rows.begin(), rows.end(), empty)) continue;
    std::vector<std::string> cells;
    for (std::size_t r = 0; r < count; ++r) {
      char* end = nullptr;
      const double number = std::strtod(rows[r][i].c_str(), &end);
      const bool numeric = end != rows[r][i].c_str() && *end == '\0';
      cells.push_back(numeric ? fmt::format("{:.6g}", number) : rows[r][i]);
    }
    table.column(columns[i], cells);
    headings.push_back({columns[i], columns[i]});
  }
  fmt::print("{}", to_table(table, headings));
  if (rows.size() > shown) fmt::print("({} more rows in the file)\n", rows.size() - shown);
}

std::string text_of(const Cell& cell) {
  return std::holds_alternative<double>(cell) ? fmt::format("{:g}", std::get<double>(cell))
                                              : std::get<std::string>(cell);
}

/// The numeric axis with the most values, to plot over. Throws InputError where there is none.
std::size_t axis_across(const Sweep& sweep) {
  const auto plain = [&](std::size_t i) {
    const auto& values = sweep.axes[i].values;
    return std::all_of(values.begin(), values.end(),
                       [](const Cell& cell) { return std::holds_alternative<double>(cell); });
  };
  std::size_t across = sweep.axes.size();
  for (std::size_t i = 0; i < sweep.axes.size(); ++i)
    if (plain(i) && (across == sweep.axes.size() ||
                     sweep.axes[i].values.size() > sweep.axes[across].values.size()))
      across = i;
  if (across == sweep.axes.size())
    throw InputError("--plot", "a sweep over texts", "an axis of numbers to plot over");
  return across;
}

/// What was looked for over that axis, a line for each combination of the others.
Figure figure_of(const Sweep& sweep, const Record& record) {
  const std::size_t across = axis_across(sweep);
  const std::string found = sweep.find == Sweep::Find::exponents
                                ? sweep.against.front() + "_risk_exponent"
                                : (sweep.find == Sweep::Find::step ? "step" : "risk");
  const auto& y = std::get<Eigen::ArrayXd>(record.find(found)->value);
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> lines;
  std::vector<std::string> order;
  for (long point = 0; point < sweep.points(); ++point) {
    const std::vector<Cell> values = sweep.values(point);
    std::string label;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (i != across && sweep.axes[i].values.size() > 1) {
        const std::string& field = sweep.axes[i].field;
        label += fmt::format("{}{} = {}", label.empty() ? "" : ", ",
                             field.substr(field.rfind('.') + 1), text_of(values[i]));
      }
    if (!lines.contains(label)) order.push_back(label);
    lines[label].first.push_back(std::get<double>(values[across]));
    lines[label].second.push_back(y[point]);
  }
  const auto array = [](const std::vector<double>& v) {
    return Eigen::ArrayXd(
        Eigen::Map<const Eigen::ArrayXd>(v.data(), static_cast<Eigen::Index>(v.size())));
  };
  Figure figure;
  figure.title = sweep.name.substr(sweep.name.rfind('/') + 1);
  figure.x_label = sweep.axes[across].field;
  figure.y_label =
      found == "step" ? "best step size γ" : (found == "risk" ? "excess risk R" : found);
  figure.log_x = log_spaced(array(lines.begin()->second.first));
  figure.log_y = spans_a_decade(y);
  for (const std::string& label : order)
    figure.series.push_back(
        {Series::Style::line, label, array(lines[label].first), array(lines[label].second), {}});
  return figure;
}

void draw(const Sweep& sweep, const Record& record, const std::string& path) {
  const Figure figure = figure_of(sweep, record);
  if (shows_anything(figure)) return plot(figure, path);
  const auto& status = std::get<std::vector<std::string>>(record.find("status")->value);
  const auto cause =
      std::find_if(status.begin(), status.end(), [](const auto& text) { return text != "ok"; });
  throw Failure(fmt::format("{}{}: nothing to plot",
                            cause == status.end() ? "" : "no point was found: " + *cause + "; ",
                            path));
}

int run(const SweepArguments& options) {
  check_output("--out", options.out, {".csv"});
  if (!options.plot.empty()) {
    check_output("--plot", options.plot, {".svg", ".png"});
    require_gnuplot();
  }
  const Sweep sweep = read_sweep(options.grid);
  if (!options.plot.empty()) axis_across(sweep);
  TableOutcome outcome;
  {
    Progress progress("sweeping");
    TableOptions table = options.table;
    table.progress = std::ref(progress);
    outcome = run_sweep(sweep, options.out, table);
  }
  if (ended_as_shard(options.table, outcome, true, "points")) return exit_ok;
  const Record record = to_record(sweep.columns(), outcome.rows);
  if (options.json) {
    Result result;
    result.record = record;
    Outputs outputs;
    outputs.json = true;
    emit(result, outputs);
    if (!options.plot.empty()) draw(sweep, record, options.plot);
    return exit_ok;
  }
  print_table(sweep.columns(), outcome.rows);
  fmt::print("\n{} points{} in {}\n", outcome.done,
             outcome.taken_over > 0 ? fmt::format(", {} of them earlier,", outcome.taken_over) : "",
             options.out);
  const Field* untrusted = record.find("untrusted");
  const std::string line = untrusted_points(std::get<std::vector<std::string>>(untrusted->value));
  if (!line.empty()) fmt::print(stderr, "riskcurve: warning: {}\n", line);
  if (!options.plot.empty()) draw(sweep, record, options.plot);
  return exit_ok;
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto options = std::make_shared<SweepArguments>();
  CLI::App* command = app.add_subcommand("sweep", "a grid of problem files, resumable");
  command->add_option("GRID", options->grid, "grid file (TOML; docs/problem-file.md)")->required();
  command->add_option("--out", options->out, "the .csv file to write")->required();
  command->add_flag("--json", options->json, "print one JSON object instead of the table");
  command->add_option("--plot", options->plot, "draw the result into a .svg or .png file");
  add_table(*command, options->table, "go on with an unfinished sweep");
  command->callback([options, &action] {
    action = [options] { return on_all_ranks(options->table, [&] { return run(*options); }); };
  });
}

}  // namespace riskcurve::cli
