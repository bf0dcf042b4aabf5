#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/ensemble.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/ranks.hpp"
#include "cli/tables.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

struct SimulateArguments {
  std::string file;
  EnsembleChoice ensemble;
  Outputs outputs;
};

int run(const SimulateArguments& options) {
  check(options.outputs);
  check_journal(options.ensemble.table, "--out", !options.outputs.out.empty());
  const Loaded loaded = load(options.file);
  const std::string journal = journal_beside(options.outputs.out);
  const std::optional<Ensemble> made = run_ensemble(loaded, options.ensemble, journal);
  if (!made) return exit_ok;
  const Ensemble& ensemble = *made;
  const EnsembleEnd end = how_it_ended(ensemble, options.ensemble.runs, !journal.empty());

  Result result;
  result.journal = journal;
  result.title = loaded.title;
  Record& record = result.record;
  record.column("steps", ensemble.steps);
  record.column("mean", ensemble.mean);
  record.column("standard_error", ensemble.error);
  record.column("risk_of_run", ensemble.risk);
  add_ensemble_facts(record, options.ensemble, ensemble);
  record.set("status", end.status);
  record.set("message", end.message);
  record.set("warnings", std::vector<std::string>{});
  result.headings = {{"step", "steps", "{:.10g}"},
                     {"mean risk R", "mean"},
                     {"standard error", "standard_error", "{:.3g}"}};
  result.notes = {ensemble_note(options.ensemble)};
  result.figure.title = loaded.title;
  riskcurve::add_ensemble(result.figure, ensemble.steps, ensemble.risk, ensemble.mean,
                          ensemble.error);
  add_averaged(result, ensemble);
  if (end.status != "ok") result.failure = end.message;
  return emit(result, options.outputs);
}

}  // namespace

void add_simulate(CLI::App& app, Action& action) {
  auto options = std::make_shared<SimulateArguments>();
  CLI::App* command = app.add_subcommand("simulate", "the real algorithm, run on real samples");
  add_file(*command, options->file);
  add_ensemble(*command, options->ensemble);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] {
    action = [options] {
      return on_all_ranks(options->ensemble.table, [&] { return run(*options); });
    };
  });
}

}  // namespace riskcurve::cli
