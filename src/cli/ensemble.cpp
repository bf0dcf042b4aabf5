#include "cli/ensemble.hpp"

#include <fmt/format.h>

namespace riskcurve::cli {

EnsembleEnd how_it_ended(const Ensemble& ensemble, int runs) {
  if (ensemble.interrupted) return {"interrupted", "simulation interrupted"};
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

std::string ensemble_note(const EnsembleChoice& choice) {
  return fmt::format("{} run{}, seed {}", choice.runs, choice.runs == 1 ? "" : "s", choice.seed);
}

}  // namespace riskcurve::cli
