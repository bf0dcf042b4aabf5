#include "riskcurve/analysis/optimum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "cli/budget.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "cli/shapes.hpp"
#include "cli/together.hpp"
#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

struct OptimumArguments {
  std::string file, signal, schedule = "constant", threshold;
  std::vector<std::string> over;
  bool averaged = false, critical_batch = false, ramp = false;
  std::optional<double> horizon, reach, samples;
  int points = 97;
  double rtol = 1e-10;
  Outputs outputs;
};

void add_neighbours(Result& result, const ModeSystem& system, const Optimum& best,
                    const SolveOptions& solve_options) {
  const auto [factor, risk, failure] = neighbours(system, best, solve_options);
  if (result.failure.empty()) result.failure = failure;
  Record around;
  around.column("step", ArrayXd(factor * best.step));
  around.column("factor", factor);
  around.column("risk", risk);
  const ArrayXd above = 100 * (risk / best.risk - 1);
  around.column("above_percent", ArrayXd((above.abs() < 1e-6).select(0, above)));
  result.table = around;
  result.record.set("around", around);
  result.headings = {{"step size", "step"},
                     {"of the best", "factor", "{:.4f}"},
                     {fmt::format("R after {:.6g} steps", best.steps), "risk"},
                     {"% above", "above_percent", "{:.4g}"}};
  result.figure.x_label = "step size γ";
  result.figure.y_label = fmt::format("excess risk R after {:.6g} steps", best.steps);
  result.figure.log_x = true;
  result.figure.log_y = spans_a_decade(risk);
  result.figure.series.push_back({Series::Style::line, "", factor * best.step, risk, {}});
  result.figure.series.push_back({Series::Style::points,
                                  "best constant step",
                                  ArrayXd::Constant(1, best.step),
                                  ArrayXd::Constant(1, best.risk),
                                  {}});
}

void add_schedule(Result& result, const std::string& kind, const ScheduleOptimum& best,
                  const Optimum& constant, const ArrayXd& mesh) {
  Record schedule;
  const bool table = kind == "greedy" || kind == "optimal";
  std::string text = fmt::format("[schedule]\nkind = \"{}\"\n", table ? "tabulated" : kind);
  schedule.set("kind", table ? "tabulated" : kind);
  if (table) {
    schedule.column("at", mesh);
    schedule.column("step", best.parameters);
    text += "file = \"X.csv\"   # as written by --out X.csv";
  } else {
    const std::vector<std::string> names = kind == "cosine"       ? cosine_family(1).names
                                           : kind == "polynomial" ? polynomial_family(1).names
                                                                  : power_decay_family().names;
    for (Index i = 0; i < best.parameters.size(); ++i) {
      const std::string& name = names[static_cast<std::size_t>(i)];
      schedule.set(name, best.parameters[i]);
      text += fmt::format("{} = {:.6g}\n", name, best.parameters[i]);
    }
    if (kind != "power_decay") {
      schedule.set("horizon", constant.steps);
      text += fmt::format("horizon = {:.10g}\n", constant.steps);
    }
    text.pop_back();
  }
  Record found;
  found.set("schedule", schedule);
  found.set("risk", best.risk);
  found.set("gain_percent", 100 * (1 - best.risk / constant.risk));
  found.set("gradient", best.gradient);
  found.set("evaluations", static_cast<long>(best.evaluations));
  result.record.set(kind, found);

  ArrayXd step(mesh.size());
  for (Index i = 0; i < mesh.size(); ++i) step[i] = best.schedule(mesh[i]);
  Record rows;
  const Index shown = 13;
  ArrayXd at(shown), value(shown);
  for (Index i = 0; i < shown; ++i) {
    at[i] = mesh[i * (mesh.size() - 1) / (shown - 1)];
    value[i] = best.schedule(at[i]);
  }
  rows.column("at", at);
  rows.column("step", value);
  result.table = rows;
  result.headings = {{"at step", "at", "{:.4g}"}, {"step size", "step", "{:.4g}"}};
  std::string note = fmt::format("{}: R = {:.6g}, {:.3g} % below the best constant step", kind,
                                 best.risk, 100 * (1 - best.risk / constant.risk));
  if (std::isfinite(best.gradient))
    note += fmt::format("; |dlog R/dlog parameters| < {:.0e}",
                        std::pow(10.0, std::ceil(std::log10(std::max(best.gradient, 1e-6)))));
  result.notes.push_back(note);
  if (kind == "power_decay" && best.parameters[1] > kExponential)
    result.notes.push_back(fmt::format("so steep a power is an exponential, exp(-k/{:.4g})",
                                       best.parameters[2] / best.parameters[1]));
  result.notes.push_back("\n" + text);
  result.figure = {};
  result.figure.x_label = "steps k";
  result.figure.y_label = "step size γ";
  result.figure.log_y = true;
  result.figure.series.push_back({Series::Style::line, kind, mesh, step, {}});
  result.figure.series.push_back({Series::Style::dashes,
                                  "best constant",
                                  mesh,
                                  ArrayXd::Constant(mesh.size(), constant.step),
                                  {}});
}

/// The best clipping threshold along a risk curve, and what it is worth.
void add_clipping(Result& result, const ClippingCurve& best, const RiskCurve& curve) {
  Record record;
  record.set("steps", curve.steps);
  record.set("risk", curve.risk);
  record.set("threshold", best.threshold);
  record.set("comparison", best.comparison);
  record.set("stability", best.stability);
  result.record.set("clipping", record);
  const Index end = curve.risk.size() - 1;
  result.notes.push_back(
      best.threshold.isInf().all()
          ? "clipping single samples does not help, at any threshold"
          : fmt::format("best threshold for single samples: {:.4g} at R = {:.4g}, {:.4g} at R = "
                        "{:.4g}; against none the best descent is multiplied by {:.4g} and {:.4g}",
                        best.threshold[0], curve.risk[0], best.threshold[end], curve.risk[end],
                        best.comparison[0], best.comparison[end]));
}

void save_threshold(const RiskCurve& curve, const std::string& path) {
  Record table;
  table.column("at", curve.steps);
  table.column("value", curve.observable.at("threshold"));
  save(table, path);
}

/// The numbers of a schedule along its own curve.
void add_trust(Result& result, Experiment experiment, const Schedule& schedule,
               const ModeSystem& system, const RiskCurve& curve) {
  experiment.schedule = schedule;
  const Trust numbers = trust(experiment, system, curve);
  result.record.set("trust", to_record(numbers));
  result.notes.insert(result.notes.begin() + 2, trust_line(numbers));
  std::vector<std::string> lines = curve.warnings;
  for (const std::string& line : warnings(numbers)) lines.push_back(line);
  result.record.set("warnings", lines);
}

/// The file's system, or with --threshold the one that clips at the best threshold of the moment.
ModeSystem system_of(const Experiment& experiment, bool best_threshold,
                     const std::string& schedule) {
  if (best_threshold) return optimally_clipped_sgd(experiment);
  return mode_system(searched_for(schedule, experiment));
}

/// Options that would have no effect beside this one.
void refuse(const std::string& option, const std::string& value, const std::string& why,
            std::initializer_list<std::pair<const char*, bool>> others) {
  for (const auto& [other, given] : others)
    if (given) throw InputError(option, value, fmt::format("without {}: {}", other, why));
}

/// What `find` finds, with errors about the options' own names.
template <class Find>
auto with_options(Find find) {
  try {
    return find();
  } catch (const InputError& error) {
    for (const auto& [field, option] :
         {std::pair{"over", "--over"}, {"samples", "--samples"}, {"steps", "--horizon"}})
      if (error.field() == field) throw InputError(option, error.value(), error.expected());
    throw;
  }
}

/// Batches of a number of samples, or the critical one.
int run_batches(const OptimumArguments& options) {
  const std::string option = options.samples ? "--samples" : "--critical-batch";
  const std::string value = options.samples ? number_text(*options.samples) : "given";
  refuse(option, value, "it looks for a batch",
         {{"--horizon", options.horizon && !options.ramp},
          {"--schedule", options.schedule != "constant"},
          {"--threshold", !options.threshold.empty()},
          {"--reach", options.samples && options.reach},
          {"--critical-batch", options.samples && options.critical_batch},
          {"--averaged", options.ramp && options.averaged},
          {"--over", (!options.samples || options.ramp) && !options.over.empty()}});
  const Loaded loaded = load(options.file, options.signal);
  Progress progress("optimising");
  SolveOptions solve;
  solve.rtol = options.rtol;
  solve.averaged = options.averaged;
  solve.progress = [&](double) { return progress(0); };
  if (!options.samples) {
    OptimumOptions optimum;
    optimum.solve = solve;
    return run_critical_batch(loaded, options.reach, optimum, options.outputs);
  }
  if (options.ramp) {
    solve.rtol = std::max(solve.rtol, 1e-8);
    return with_options([&] {
      return run_ramp(loaded, *options.samples,
                      options.horizon.value_or(loaded.experiment.run.steps), options.points, solve,
                      options.outputs);
    });
  }
  JointOptions joint;
  if (!options.over.empty()) joint.over = options.over;
  joint.averaged = options.averaged;
  joint.solve = solve;
  return with_options(
      [&] { return run_samples(loaded, *options.samples, joint, options.outputs); });
}

/// Constants together.
int run_together(const OptimumArguments& options) {
  refuse("--over", fmt::format("{}", fmt::join(options.over, ",")), "it looks for constants",
         {{"--reach", options.reach.has_value()},
          {"--schedule", options.schedule != "constant"},
          {"--threshold", !options.threshold.empty()}});
  const Loaded loaded = load(options.file, options.signal);
  Progress progress("optimising");
  JointOptions joint;
  joint.over = options.over;
  joint.averaged = options.averaged;
  joint.solve.progress = [&](double) { return progress(0); };
  return with_options([&] {
    return run_together(loaded, options.horizon.value_or(loaded.experiment.run.steps), joint,
                        options.outputs);
  });
}

int run(const OptimumArguments& options) {
  check(options.outputs);
  check_rtol(options.rtol, "--rtol");
  if (options.ramp && !options.samples) throw InputError("--ramp", "given", "--samples beside it");
  if (options.samples || options.critical_batch) return run_batches(options);
  if (!options.over.empty()) return run_together(options);
  if (options.reach && (options.horizon || options.schedule != "constant"))
    throw InputError("--reach", *options.reach,
                     "without --horizon and --schedule: it looks for the best constant step");
  const bool best_threshold = !options.threshold.empty();
  if (best_threshold) check_output("--threshold", options.threshold, {".csv"});
  const Loaded loaded = load(options.file, options.signal);
  const ModeSystem full = system_of(loaded.experiment, best_threshold, options.schedule),
                   system = compress(full);
  Progress progress("optimising");
  SolveOptions solve_options;
  solve_options.rtol = options.rtol;
  solve_options.averaged = options.averaged;
  solve_options.progress = [&](double) { return progress(0); };
  OptimumOptions optimum_options;
  optimum_options.solve = solve_options;
  const double horizon = options.horizon.value_or(loaded.experiment.run.steps);
  const Optimum best = options.reach ? fastest_step(system, *options.reach, 1e12, optimum_options)
                                     : best_step(system, horizon, optimum_options);
  if (!best.found) throw Failure(best.message);

  if (options.schedule == "all")
    return run_shapes(loaded, system, best, solve_options, options.outputs);

  Result result;
  result.title = loaded.title;
  Record& record = result.record;
  record.set("step", best.step);
  record.set("risk", best.risk);
  record.set("steps", best.steps);
  record.set("slope", best.slope);
  record.set("evaluations", static_cast<long>(best.evaluations));
  const double stable = largest_stable_step(system);
  record.set("largest_stable_step", stable);
  const double rest = stationary_risk(system, best.step);
  record.set("stationary_risk", rest);
  const std::string solves =
      fmt::format("{} {}", best.evaluations, best.evaluations == 1 ? "solve" : "solves");
  result.notes = {
      options.reach
          ? fmt::format("best constant step {:.6g}: R = {:.6g} after {:.6g} steps ({})", best.step,
                        best.risk, best.steps, solves)
          : fmt::format("best constant step {:.6g}: R = {:.6g} ({})", best.step, best.risk, solves),
      fmt::format("at that step the risk comes to rest at {:.6g}; {}", rest,
                  std::isfinite(stable) ? fmt::format("steps above {:.6g} diverge", stable)
                                        : "no step diverges")};
  const ArrayXd mesh = schedule_mesh(best.steps, options.points);
  Schedule schedule = constant_schedule(best.step);
  if (options.schedule == "constant") {
    add_neighbours(result, system, best, solve_options);
  } else {
    ScheduleOptions schedule_options;
    schedule_options.solve = solve_options;
    const ScheduleOptimum found =
        schedule_of_kind(options.schedule, system, best, mesh, schedule_options);
    if (!found.found) throw Failure(found.message);
    add_schedule(result, options.schedule, found, best, mesh);
    schedule = found.schedule;
  }
  const RiskCurve curve = solve(system, schedule, mesh, solve_options);
  if (curve.status != RiskCurve::Status::ok) throw Failure(curve.message);
  add_trust(result, loaded.experiment, schedule, full, curve);
  if (const auto clipping = optimal_clipping(loaded.experiment, curve.risk))
    add_clipping(result, *clipping, curve);
  if (best_threshold && !interrupted()) save_threshold(curve, options.threshold);
  result.figure.title = loaded.title;
  return emit(result, options.outputs);
}

}  // namespace

void add_optimum(CLI::App& app, Action& action) {
  auto options = std::make_shared<OptimumArguments>();
  CLI::App* command =
      app.add_subcommand("optimum", "the best step size, and the best schedule of a kind");
  add_file(*command, options->file);
  command->add_option("--horizon", options->horizon, "steps to train (default: run.steps)");
  command->add_option("--reach", options->reach, "instead: a risk to reach in the fewest steps");
  command->add_option("--samples", options->samples,
                      "instead: the best batch, with its step, for so many samples");
  command->add_flag("--ramp", options->ramp,
                    "with --samples: a batch that changes along --horizon steps of one size");
  command->add_flag(
      "--critical-batch", options->critical_batch,
      "the batch from which doubling no longer pays, to reach --reach (default: what the "
      "file's batch reaches in run.steps)");
  command
      ->add_option("--schedule", options->schedule,
                   "constant (default), power_decay, polynomial, cosine (with warm-up), greedy or "
                   "optimal; all: a table of shapes, each with its best peak")
      ->check(CLI::IsMember(
          {"constant", "power_decay", "polynomial", "cosine", "greedy", "optimal", "all"}));
  command->add_option("--points", options->points, "times in tables of step sizes and thresholds")
      ->check(CLI::Range(5, 1001))
      ->capture_default_str();
  command->add_option("--threshold", options->threshold,
                      "clipped_sgd: train with the best threshold of every moment in place of the "
                      "file's, and write it to this .csv file");
  command
      ->add_option("--over", options->over,
                   "constants to choose together: step, momentum, weight_decay, decay (of an "
                   "exponential average), and numbers of the optimizer's own, as beta1, eps, "
                   "exponent, threshold: step,momentum")
      ->delimiter(',');
  command->add_flag("--averaged", options->averaged,
                    "the risk of the average of the iterates in place of the risk");
  add_rtol(*command, options->rtol);
  add_signal(*command, options->signal);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
