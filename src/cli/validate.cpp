#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "cli/tables.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/write.hpp"
#include "run/journal.hpp"
#include "validation/suite/results.hpp"

namespace riskcurve::cli {
namespace {

namespace fs = std::filesystem;

struct ValidateArguments {
  std::string suite = "quick", report, cases, only;
  validation::RunOptions run;
};

/// Beside the installed program, or else where it was built.
std::string default_cases() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed =
      program.parent_path().parent_path() / RISKCURVE_DATA_FOLDER / "validation" / "cases";
  return (fs::is_directory(installed, error) ? installed : fs::path(RISKCURVE_CASES)).string();
}

void write_report(const validation::Results& results, const std::string& folder) {
  write_file(folder + "/table.md", to_markdown(results));
  write_file(folder + "/results.json", to_json(results));
  for (const validation::Overlay& overlay : results.suite.overlays)
    if (const auto figure = overlay_figure(results, overlay))
      plot(*figure, fmt::format("{}/{}.svg", folder, overlay.file));
  write_file(folder + "/index.html", to_html(results, folder));
}

int run(const ValidateArguments& options) {
  check_journal(options.run.table, "--report", !options.report.empty());
  validation::Suite suite =
      validation::read_suite(options.cases.empty() ? default_cases() : options.cases,
                             options.suite == "full", options.only);
  validation::RunOptions run_options = options.run;
  if (!options.report.empty()) {
    require_gnuplot();
    std::error_code error;
    fs::create_directories(options.report, error);
    if (!fs::is_directory(options.report))
      throw InputError("--report", options.report, "a folder, or where one can be made");
    run_options.journal = options.report + "/validate.partial";
  }
  TableOutcome outcome;
  {
    Progress progress("validating");
    run_options.table.progress = std::ref(progress);
    outcome = score_all(suite, run_options);
  }
  if (ended_as_shard(options.run.table, outcome, !options.report.empty(), "rows")) return exit_ok;
  const validation::Results results =
      validation::results_of(options.suite, std::move(suite), options.run.seed, outcome);
  if (!options.report.empty()) {
    write_report(results, options.report);
    remove_journals(run_options.journal);
  }
  fmt::print("{}", to_terminal(results));
  if (!options.report.empty()) fmt::print("\n{}/index.html shows it\n", options.report);
  return summary(results).passed() ? exit_ok : exit_failure;
}

}  // namespace

void add_validate(CLI::App& app, Action& action) {
  auto options = std::make_shared<ValidateArguments>();
  CLI::App* command =
      app.add_subcommand("validate", "predictions against real runs, over a suite of cases");
  command->add_option("--suite", options->suite, "quick: minutes; full: up to two hours")
      ->check(CLI::IsMember({"quick", "full"}))
      ->capture_default_str();
  command->add_option("--report", options->report,
                      "write index.html, results.json, table.md and figures into this folder");
  add_table(*command, options->run.table, "go on with an unfinished suite (--report)");
  command->add_option("--only", options->only, "cases whose name or family contains this");
  command->add_option("--cases", options->cases, "folder of cases (default: riskcurve's own)");
  command->add_option("--seed", options->run.seed, "seed of the random numbers")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
      ->capture_default_str();
  command->callback([options, &action] {
    action = [options] { return on_all_ranks(options->run.table, [&] { return run(*options); }); };
  });
}

}  // namespace riskcurve::cli
