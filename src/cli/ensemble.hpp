#pragma once
#include <string>

#include "cli/options.hpp"
#include "riskcurve/report/record.hpp"

namespace riskcurve::cli {

struct EnsembleEnd {
  std::string status, message;  ///< "ok", "diverged" or "interrupted"
};
EnsembleEnd how_it_ended(const Ensemble& ensemble, int runs);

/// runs, seed, diverged_runs: what `simulate` and `compare` both state.
void add_ensemble_facts(Record& record, const EnsembleChoice& choice, const Ensemble& ensemble);

/// "16 runs, seed 1"
std::string ensemble_note(const EnsembleChoice& choice);

}  // namespace riskcurve::cli
