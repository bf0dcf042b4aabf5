#pragma once
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/analysis/joint.hpp"

namespace riskcurve::cli {

/// `optimum --over`, once its options are checked.
int run_together(const Loaded& loaded, double horizon, const JointOptions& options,
                 const Outputs& outputs);

}  // namespace riskcurve::cli
