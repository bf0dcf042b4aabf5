#pragma once
#include <optional>
#include <string>

#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/analysis/optimum.hpp"

namespace riskcurve::cli {

// `optimum --samples` and `optimum --critical-batch`, once their options are checked.
int run_samples(const Loaded& loaded, double samples, const JointOptions& options,
                const Outputs& outputs);
/// `optimum --samples --ramp`: over so many steps, a table of `points` times.
int run_ramp(const Loaded& loaded, double samples, double steps, int points,
             const SolveOptions& solve, const Outputs& outputs);
/// risk: to be reached; else the one that the file's batch is left with at its best step.
int run_critical_batch(const Loaded& loaded, std::optional<double> risk,
                       const OptimumOptions& options, const Outputs& outputs);

}  // namespace riskcurve::cli
