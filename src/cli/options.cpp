#include "cli/options.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

#include "cli/progress.hpp"
#include "cli/tables.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/integrate/sde.hpp"
#include "run/ensemble.hpp"

namespace riskcurve::cli {
namespace {

const std::map<std::string, Method> methods = {{"exponential", Method::exponential},
                                               {"dopri5", Method::dopri5},
                                               {"rosenbrock4", Method::rosenbrock4},
                                               {"recursion", Method::recursion}};

Ensemble runs_of(const Experiment& experiment, const EnsembleChoice& choice, KeptRuns* kept) {
  Progress progress("simulating");
  const auto with_choice = [&](auto options) {
    options.runs = choice.runs;
    options.seed = choice.seed;
    options.threads = choice.table.threads;
    options.progress = std::ref(progress);
    options.kept = kept;
    return options;
  };
  if (choice.table.merge)  // spares what runs need to start
    return riskcurve::run_ensemble(experiment.run.at, 0, with_choice(EnsembleOptions{}), {});
  if (choice.sde)
    return solve_sde(mode_system(experiment, Grids::whole), experiment.schedule, experiment.run.at,
                     with_choice(SdeOptions{}));
  return simulate(experiment, with_choice(SimulateOptions{}));
}

}  // namespace

void add_file(CLI::App& command, std::string& file) {
  command.add_option("FILE", file, "problem file (TOML; docs/problem-file.md)")->required();
}

void add_solver(CLI::App& command, SolverChoice& choice) {
  command
      .add_option(
          "--method", choice.method,
          "exponential (default), dopri5, rosenbrock4, or recursion: step by step, exact in "
          "the step size")
      ->check(CLI::IsMember({"exponential", "dopri5", "rosenbrock4", "recursion"}));
  add_rtol(command, choice.rtol);
  add_signal(command, choice.signal);
}

void add_rtol(CLI::App& command, double& rtol) {
  command.add_option("--rtol", rtol, "relative error allowed in the risk, from 1e-13 to below 1")
      ->capture_default_str();
}

void add_signal(CLI::App& command, std::string& signal) {
  command
      .add_option("--signal", signal,
                  "spectral maps: small beside the noise, full (of any size), or auto: the latter "
                  "where it matters")
      ->check(CLI::IsMember({"auto", "small", "full"}));
}

void add_bands(CLI::App& command, SolverChoice& choice) {
  command.add_flag("--bands", choice.bands, "the spread of single runs: deviation and 95 % bands");
}

void add_ensemble(CLI::App& command, EnsembleChoice& choice) {
  command.add_option("--runs", choice.runs, "independent runs")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  // Up to 2^53, so that any reader of the JSON gets it back exactly.
  command.add_option("--seed", choice.seed, "seed of the random numbers")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
      ->capture_default_str();
  command.add_flag(
      "--sde", choice.sde,
      "runs of the stochastic differential equation of the limit, not of the algorithm");
  add_table(command, choice.table, "go on with unfinished runs (--out)");
}

Loaded load(const std::string& file, const std::string& signal) {
  Loaded loaded{read_experiment(file), "", file};
  for (const auto& choice : kSignals)
    if (signal == choice.text) loaded.experiment.signal = choice.value;
  loaded.title = describe(loaded.experiment);
  return loaded;
}

Prediction run_prediction(const Loaded& loaded, const SolverChoice& choice) {
  SolveOptions options;
  options.method = methods.at(choice.method);
  check_rtol(choice.rtol, "--rtol");
  options.rtol = choice.rtol;
  options.keep_modes = choice.modes;
  Progress progress("predicting");
  options.progress = std::ref(progress);
  return predict(loaded.experiment, options, choice.bands);
}

std::optional<Ensemble> run_ensemble(const Loaded& loaded, const EnsembleChoice& choice,
                                     const std::string& journal) {
  // Where the problem came through a pipe, and cannot be read again, the title is what is left.
  KeptRuns kept{
      journal,
      fmt::format("runs {} {} {} {}\n{}\n{}", choice.runs, choice.seed, choice.sde,
                  static_cast<int>(loaded.experiment.signal), loaded.title, read_file(loaded.file)),
      choice.table,
      {}};
  Ensemble ensemble = runs_of(loaded.experiment, choice, journal.empty() ? nullptr : &kept);
  if (choice.table.shards > 0 && ended_as_shard(choice.table, kept.outcome, true, "runs"))
    return std::nullopt;
  // Runs that agree to roundoff, as at step 0, have no spread.
  ensemble.error = (ensemble.error <= 1e-12 * ensemble.mean).select(0, ensemble.error);
  return ensemble;
}

}  // namespace riskcurve::cli
