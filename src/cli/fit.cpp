#include "riskcurve/analysis/fit.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

struct FitArguments {
  std::string file, problem;
  int threads = 0;
  Outputs outputs;
};

/// A number of each of some things, as a column.
template <class Item, class Of>
ArrayXd column_of(const std::vector<Item>& items, const Of& of) {
  ArrayXd values(std::ssize(items));
  for (std::size_t i = 0; i < items.size(); ++i) values[static_cast<Index>(i)] = of(items[i]);
  return values;
}

Record parameter_table(const Fit& fit) {
  Record table;
  std::vector<std::string> names;
  for (const FitParameter& parameter : fit.parameters) names.push_back(parameter.name);
  table.column("parameter", names);
  table.column("value", column_of(fit.parameters, [](auto& p) { return p.value; }));
  table.column("low", column_of(fit.parameters, [](auto& p) { return p.low; }));
  table.column("high", column_of(fit.parameters, [](auto& p) { return p.high; }));
  return table;
}

/// A table among the notes: they end their own lines.
std::string note_of(const Record& table, const std::vector<Heading>& headings) {
  std::string text = "\n" + to_table(table, headings);
  text.pop_back();
  return text;
}

std::string curve_note(const std::vector<FitCurve>& curves, const std::string& heading) {
  Record table;
  std::vector<std::string> names;
  for (const FitCurve& curve : curves) names.push_back(curve.name);
  const auto last = [](const ArrayXd& x) { return x.size() > 0 ? x[x.size() - 1] : NAN; };
  table.column("name", names);
  table.column("steps", column_of(curves, [&](auto& c) { return last(c.step); }));
  table.column("observed", column_of(curves, [&](auto& c) { return last(c.observed); }));
  table.column("loss", column_of(curves, [&](auto& c) { return last(c.loss); }));
  table.column("low", column_of(curves, [&](auto& c) { return last(c.low); }));
  table.column("high", column_of(curves, [&](auto& c) { return last(c.high); }));
  table.column("rms", column_of(curves, [](auto& c) { return c.rms_percent; }));
  table.column("end", column_of(curves, [](auto& c) { return c.end_percent; }));
  return note_of(table, {{heading, "name"},
                         {"steps", "steps"},
                         {"loss there", "observed"},
                         {"of the fit", "loss"},
                         {"from", "low"},
                         {"to", "high"},
                         {"rms %", "rms", "{:.2f}"},
                         {"end %", "end", "{:+.2f}"}});
}

std::string step_note(const std::vector<FitStep>& steps) {
  Record table;
  table.column("steps", column_of(steps, [](auto& s) { return s.goal.steps; }));
  table.column("batch", column_of(steps, [](auto& s) { return s.goal.batch; }));
  table.column("step", column_of(steps, [](auto& s) { return s.step; }));
  table.column("low", column_of(steps, [](auto& s) { return s.low; }));
  table.column("high", column_of(steps, [](auto& s) { return s.high; }));
  table.column("loss", column_of(steps, [](auto& s) { return s.loss; }));
  table.column("tried", column_of(steps, [](auto& s) { return s.tried; }));
  table.column("quadratic", column_of(steps, [](auto& s) { return s.quadratic; }));
  std::string text = note_of(table, {{"after steps", "steps"},
                                     {"at batch", "batch"},
                                     {"best constant step", "step", "{:.4g}"},
                                     {"from", "low", "{:.4g}"},
                                     {"to", "high", "{:.4g}"},
                                     {"loss", "loss"},
                                     {"best tried", "tried", "{:.4g}"},
                                     {"of a parabola", "quadratic", "{:.4g}"}});
  for (const FitStep& step : steps)
    if (!step.skipped.empty())
      text += fmt::format("\nno step for {:g} steps at batch {}: {}", step.goal.steps,
                          step.goal.batch, step.skipped);
  return text;
}

std::string strongest_correlation(const Fit& fit) {
  Index row = 0, column = 1;
  for (Index i = 0; i < fit.correlation.rows(); ++i)
    for (Index j = i + 1; j < fit.correlation.cols(); ++j)
      if (std::abs(fit.correlation(i, j)) > std::abs(fit.correlation(row, column))) {
        row = i;
        column = j;
      }
  const auto name = [&](Index i) { return fit.parameters[static_cast<std::size_t>(i)].name; };
  return fmt::format("strongest correlation: {:+.2f} of {} with {}", fit.correlation(row, column),
                     name(row), name(column));
}

/// A problem file, with what it leaves open.
std::string problem_text(const Fit& fit, const std::string& file) {
  return fmt::format(
             "# The problem that `riskcurve fit {}` found, in units of its step. Loss = {:.10g} + "
             "R.\n"
             "# Directions are held by nodes with real multiplicities: for `predict`, `optimum`,\n"
             "# `transfer` and `coefficients`; `simulate` needs whole ones.\n",
             std::filesystem::path(file).filename().string(), fit.floor) +
         to_toml(fit.experiment);
}

int run(const FitArguments& options) {
  check(options.outputs);
  if (!options.problem.empty()) check_output("--problem", options.problem, {".toml"});
  FitPlan plan = read_fit(options.file);
  plan.threads = options.threads;
  Fit found;
  {
    Progress progress("fitting");
    plan.progress = std::ref(progress);
    found = fit(plan);
  }
  Result result;
  const std::string model = found.model == FitModel::logs ? "logs" : "least_squares";
  result.title = result.figure.title =
      fmt::format("{} of {} curve{}: {}, batch {}", model, plan.curves.size(),
                  plan.curves.size() == 1 ? "" : "s", name_of(plan.curves.front().optimizer),
                  batch_of(plan.curves.front().optimizer));
  result.record = to_record(found);
  result.table = parameter_table(found);
  result.headings = {{"parameter", "parameter"},
                     {"value", "value", "{:.5g}"},
                     {"95 % from", "low", "{:.4g}"},
                     {"to", "high", "{:.4g}"}};
  result.notes = {
      fmt::format("loss = floor + R; chi^2/dof = {:.3g} ({} bins), {:.2g} % rms; {} of {} best "
                  "starts agree",
                  found.chi_square / static_cast<double>(found.freedom), found.points,
                  found.rms_percent, found.agreeing, found.searched),
      strongest_correlation(found)};
  if (std::isfinite(found.left_out_percent))
    result.notes.push_back(
        fmt::format("the last third of the steps, from a fit of the others: {:.2g} % rms",
                    found.left_out_percent));
  result.notes.push_back(curve_note(found.curves, "curve"));
  if (!found.predictions.empty())
    result.notes.push_back(curve_note(found.predictions, "predicted"));
  result.notes.push_back(step_note(found.steps));
  result.figure = to_figure(found, result.title);
  if (!options.outputs.out.empty() && !options.outputs.out.ends_with(".json"))
    result.record.set("points", points_of(found));
  if (!options.problem.empty() && !interrupted())
    write_file(options.problem, problem_text(found, options.file));
  return emit(result, options.outputs);
}

}  // namespace

void add_fit(CLI::App& app, Action& action) {
  auto options = std::make_shared<FitArguments>();
  CLI::App* command =
      app.add_subcommand("fit", "a problem from loss curves, their continuation and best steps");
  command->add_option("FIT", options->file, "file of a fit (TOML; docs/problem-file.md)")
      ->required();
  command->add_option("--problem", options->problem, "write the fitted problem to this .toml file");
  command->add_option("--threads", options->threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
