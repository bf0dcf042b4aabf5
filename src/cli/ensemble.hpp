#pragma once
#include <string>

#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/report/record.hpp"

namespace riskcurve::cli {

struct EnsembleEnd {
  std::string status, message;  ///< "ok", "diverged" or "interrupted"
};
/// `kept`: its runs are in a journal.
EnsembleEnd how_it_ended(const Ensemble& ensemble, int runs, bool kept);

/// runs, seed, diverged_runs: what `simulate` and `compare` both state.
void add_ensemble_facts(Record& record, const EnsembleChoice& choice, const Ensemble& ensemble);

/// averaged_mean, averaged_standard_error and averaged_risk_of_run beside those of R, in the table
/// and the plot too, where the runs have an average; else nothing.
void add_averaged(Result& result, const Ensemble& ensemble);

/// "16 runs, seed 1"
std::string ensemble_note(const EnsembleChoice& choice);

}  // namespace riskcurve::cli
