#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/run/table.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve::cli {

// Options that several commands share, each with the function that declares them.

void add_file(CLI::App& command, std::string& file);

struct SolverChoice {
  std::string method = "exponential", signal = {};
  double rtol = SolveOptions{}.rtol;
  bool modes = false, bands = false;
};
/// Of the theory of spectral maps; empty: as the file says.
void add_signal(CLI::App& command, std::string& signal);
void add_solver(CLI::App& command, SolverChoice& choice);
/// The caller hands it to check_rtol.
void add_rtol(CLI::App& command, double& rtol);
void add_bands(CLI::App& command, SolverChoice& choice);

struct EnsembleChoice {
  int runs = 16;
  std::uint64_t seed = 1;
  bool sde = false;
  TableOptions table;  ///< the runs are its points
};
void add_ensemble(CLI::App& command, EnsembleChoice& choice);

/// A problem file read and checked, the line that describes it in tables and plots, and its name.
struct Loaded {
  Experiment experiment;
  std::string title, file;
};
Loaded load(const std::string& file, const std::string& signal = "");

// The work itself, under a progress bar; Ctrl-C interrupts it.
Prediction run_prediction(const Loaded& loaded, const SolverChoice& choice);
/// Finished runs are kept in the journal, unless it is empty. Nothing where they were those of a
/// shard, which has said so.
std::optional<Ensemble> run_ensemble(const Loaded& loaded, const EnsembleChoice& choice,
                                     const std::string& journal);

}  // namespace riskcurve::cli
