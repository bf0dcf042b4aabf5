#pragma once
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/analysis/optimum.hpp"

namespace riskcurve::cli {

/// `optimum --schedule all`, once the best constant step is found.
int run_shapes(const Loaded& loaded, const ModeSystem& system, const Optimum& constant,
               const SolveOptions& solve, const Outputs& outputs);

}  // namespace riskcurve::cli
