#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/ensemble.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/ranks.hpp"
#include "cli/tables.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

struct CompareArguments {
  std::string file;
  SolverChoice solver;
  EnsembleChoice ensemble;
  Outputs outputs;
};

int run(const CompareArguments& options) {
  check(options.outputs);
  check_journal(options.ensemble.table, "--out", !options.outputs.out.empty());
  const Loaded loaded = load(options.file, options.solver.signal);
  const Prediction prediction = run_prediction(loaded, options.solver);
  const RiskCurve& curve = prediction.curve;
  const bool predicted_all = curve.status == RiskCurve::Status::ok;
  const std::string cause =
      predicted_all ? "" : fmt::format("prediction {}: {}", name(curve.status), curve.message);
  const std::string journal = journal_beside(options.outputs.out);
  std::optional<Ensemble> made;
  try {
    made = run_ensemble(loaded, options.ensemble, journal);
  } catch (const Failure& failure) {
    if (predicted_all) throw;
    throw Failure(fmt::format("{}; {}", cause, failure.what()));
  }
  if (!made) return exit_ok;
  const Ensemble& ensemble = *made;
  const EnsembleEnd end = how_it_ended(ensemble, options.ensemble.runs, !journal.empty());

  // A prediction that stopped early is blank from there on.
  Eigen::ArrayXd predicted =
      Eigen::ArrayXd::Constant(ensemble.steps.size(), std::numeric_limits<double>::quiet_NaN());
  const Eigen::Index shared = std::min(curve.risk.size(), predicted.size());
  predicted.head(shared) = curve.risk.head(shared);
  const Comparison comparison = compare(predicted, ensemble.mean, ensemble.error);

  Result result;
  result.journal = journal;
  result.title = loaded.title;
  Record& record = result.record;
  record.column("steps", ensemble.steps);
  record.column("predicted", predicted);
  record.column("mean", ensemble.mean);
  record.column("standard_error", ensemble.error);
  record.column("difference_in_standard_errors", comparison.in_standard_errors);
  record.column("difference_percent", comparison.in_percent);
  record.set("worst_in_standard_errors", comparison.worst_in_standard_errors);
  record.set("worst_in_percent", comparison.worst_in_percent);
  const bool averaged = ensemble.averaged_mean.size() > 0;
  Comparison of_average;
  if (averaged) {
    Eigen::ArrayXd expected =
        Eigen::ArrayXd::Constant(ensemble.steps.size(), std::numeric_limits<double>::quiet_NaN());
    expected.head(shared) = curve.averaged_risk.head(shared);
    of_average = compare(expected, ensemble.averaged_mean, ensemble.averaged_error);
    record.column("averaged_predicted", expected);
    record.column("averaged_difference_in_standard_errors", of_average.in_standard_errors);
    record.column("averaged_difference_percent", of_average.in_percent);
    record.set("averaged_worst_in_standard_errors", of_average.worst_in_standard_errors);
    record.set("averaged_worst_in_percent", of_average.worst_in_percent);
  }
  const bool bands = prediction.bands && prediction.bands->missing.empty();
  if (bands) {
    const Coverage coverage = cover(prediction.bands->low, prediction.bands->high, ensemble.risk);
    record.column("deviation", prediction.bands->deviation);
    record.column("shift", prediction.bands->shift);
    record.column("low", prediction.bands->low);
    record.column("high", prediction.bands->high);
    record.column("inside_percent", coverage.percent);
    record.set("coverage_percent", coverage.mean);
  }
  add_ensemble_facts(record, options.ensemble, ensemble);
  record.set("status", predicted_all ? end.status : std::string(name(curve.status)));
  record.set("message", predicted_all ? end.message : curve.message);
  record.set("warnings", curve.warnings);
  record.set("trust", to_record(prediction.trust));
  result.headings = {{"step", "steps", "{:.10g}"},
                     {"predicted R", "predicted"},
                     {"mean R", "mean"},
                     {"standard error", "standard_error", "{:.3g}"},
                     {"difference/s.e.", "difference_in_standard_errors", "{:+.2f}"},
                     {"difference %", "difference_percent", "{:+.3f}"}};
  if (bands) {
    result.headings.push_back({"low", "low"});
    result.headings.push_back({"high", "high"});
    result.headings.push_back({"inside %", "inside_percent", "{:.1f}"});
  }
  if (averaged) {
    result.headings.push_back({"averaged: predicted", "averaged_predicted"});
    result.headings.push_back({"difference %", "averaged_difference_percent", "{:+.3f}"});
  }
  result.notes = {ensemble_note(options.ensemble) + "; difference = mean - predicted"};
  if (std::isfinite(comparison.worst_in_percent)) {
    result.notes.push_back(
        fmt::format("largest difference: {:.3f} %", comparison.worst_in_percent));
    if (std::isfinite(comparison.worst_in_standard_errors)) {
      result.notes.back() +=
          fmt::format(", {:.2f} standard errors", comparison.worst_in_standard_errors);
    }
  }
  if (bands) {
    result.notes.push_back(fmt::format("{:.1f} % of the runs inside the 95 % band, over all steps",
                                       std::get<double>(record.find("coverage_percent")->value)));
  }
  result.notes.push_back(trust_line(prediction.trust));
  result.figure = to_figure(curve, loaded.title);
  riskcurve::add_bands(result.figure, prediction);
  riskcurve::add_ensemble(result.figure, ensemble.steps, ensemble.risk, ensemble.mean,
                          ensemble.error);
  add_averaged(result, ensemble);
  if (!predicted_all) {
    result.failure = cause;
  } else if (end.status != "ok") {
    result.failure = end.message;
  }
  return emit(result, options.outputs);
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto options = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand("compare", "both, and the difference between them");
  add_file(*command, options->file);
  add_solver(*command, options->solver);
  add_bands(*command, options->solver);
  add_ensemble(*command, options->ensemble);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] {
    action = [options] {
      return on_all_ranks(options->ensemble.table, [&] { return run(*options); });
    };
  });
}

}  // namespace riskcurve::cli
