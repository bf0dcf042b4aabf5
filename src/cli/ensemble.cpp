#include "cli/ensemble.hpp"

#include <fmt/format.h>

namespace riskcurve::cli {

EnsembleEnd how_it_ended(const Ensemble& ensemble, int runs, bool kept) {
  const auto finished = ensemble.risk.cols();
  if (ensemble.interrupted)
    return {"interrupted",
            kept && finished > 0
                ? fmt::format("simulation interrupted: {} of {} runs are saved; --resume goes on",
                              finished, runs)
                : "simulation interrupted"};
  if (ensemble.diverged > 0) {
    return {"diverged", fmt::format("{} of {} runs diverged", ensemble.diverged, runs)};
  }
  return {"ok", "all runs finished"};
}

void add_ensemble_facts(Record& record, const EnsembleChoice& choice, const Ensemble& ensemble) {
  record.set("runs", static_cast<long>(choice.runs));
  record.set("seed", static_cast<long>(choice.seed));
  record.set("diverged_runs", static_cast<long>(ensemble.diverged));
}

void add_averaged(Result& result, const Ensemble& ensemble) {
  if (ensemble.averaged_mean.size() == 0) return;
  result.record.column("averaged_mean", ensemble.averaged_mean);
  result.record.column("averaged_standard_error", ensemble.averaged_error);
  result.record.column("averaged_risk_of_run", ensemble.averaged_risk);
  result.headings.push_back({"averaged R", "averaged_mean"});
  result.headings.push_back({"standard error", "averaged_standard_error", "{:.3g}"});
  result.figure.series.push_back({Series::Style::error_bars, "of the average, ±2 s.e.",
                                  ensemble.steps, ensemble.averaged_mean,
                                  Eigen::ArrayXd(2 * ensemble.averaged_error), 2});
}

std::string ensemble_note(const EnsembleChoice& choice) {
  return fmt::format("{} run{}, seed {}", choice.runs, choice.runs == 1 ? "" : "s", choice.seed);
}

}  // namespace riskcurve::cli
