#include "riskcurve/report/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "cli/command.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve::cli {
namespace {

struct Options {
  std::string grid, out;
  bool json = false;
  SweepOptions sweep;
};

/// The columns: numbers where every cell is one, else texts.
Record record_of(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  Record record;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::vector<std::string> texts;
    Eigen::ArrayXd numbers(static_cast<Eigen::Index>(rows.size()));
    bool numeric = true;
    for (const auto& row : rows) {
      char* end = nullptr;
      numbers[static_cast<Eigen::Index>(texts.size())] = std::strtod(row[i].c_str(), &end);
      numeric = numeric && end != row[i].c_str() && *end == '\0';
      texts.push_back(row[i]);
    }
    if (numeric)
      record.column(columns[i], numbers);
    else
      record.column(columns[i], texts);
  }
  return record;
}

void print_table(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t shown = 40;
  std::vector<std::size_t> width(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    width[i] = columns[i].size();
    for (std::size_t r = 0; r < std::min(rows.size(), shown); ++r)
      width[i] = std::max(width[i], rows[r][i].size());
  }
  const auto print = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      fmt::print("{}{:>{}}", i ? "  " : "", cells[i], width[i]);
    fmt::print("\n");
  };
  print(columns);
  for (std::size_t r = 0; r < std::min(rows.size(), shown); ++r) print(rows[r]);
  if (rows.size() > shown) fmt::print("({} more rows in the file)\n", rows.size() - shown);
}

int run(const Options& options) {
  check_output("--out", options.out, {".csv"});
  const Sweep sweep = read_sweep(Fields::from_file(options.grid));
  SweepOutcome outcome;
  {
    Progress progress("sweeping");
    SweepOptions sweep_options = options.sweep;
    sweep_options.progress = std::ref(progress);
    outcome = run_sweep(sweep, options.grid, options.out, sweep_options);
  }
  if (!outcome.complete) {
    fmt::print(stderr, "riskcurve: interrupted: {} of {} points are saved; --resume goes on\n",
               outcome.done, sweep.points());
    return exit_failure;
  }
  if (options.json) {
    Result result;
    result.record = record_of(sweep.columns(), outcome.rows);
    Outputs outputs;
    outputs.json = true;
    return emit(result, outputs);
  }
  print_table(sweep.columns(), outcome.rows);
  fmt::print("\n{} points{} in {}\n", outcome.done,
             outcome.taken_over > 0 ? fmt::format(", {} of them earlier,", outcome.taken_over) : "",
             options.out);
  return exit_ok;
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("sweep", "a grid of problem files, resumable");
  command->add_option("GRID", options->grid, "grid file (TOML; docs/problem-file.md)")->required();
  command->add_option("--out", options->out, "the .csv file to write")->required();
  command->add_flag("--json", options->json, "print one JSON object instead of the table");
  command->add_flag("--resume", options->sweep.resume, "go on with an unfinished sweep");
  command->add_option("--threads", options->sweep.threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
