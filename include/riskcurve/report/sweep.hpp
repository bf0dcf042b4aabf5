#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/analysis/sweep.hpp"

namespace riskcurve {

struct SweepOptions {
  int threads = 0;                                ///< 0: all cores; changes no number
  bool resume = false;                            ///< go on from PATH.partial, where it is
  std::function<bool(double fraction)> progress;  ///< false: stop; what is finished stays saved
};

struct SweepOutcome {
  bool complete = false;
  long done = 0, taken_over = 0;               ///< points finished, and how many of them earlier
  std::vector<std::vector<std::string>> rows;  ///< cells as text, numbers to the last digit
};

/// Runs every point of the sweep and writes PATH, a CSV file with sweep.columns() as header and
/// the points in order, once all are there. Until then each finished point is a line of
/// PATH.partial, written at once; a line cut short by a kill counts as not there. A resumed sweep
/// ends in the same bytes as one that was never stopped.
/// Throws InputError where PATH.partial exists and is not to be resumed, or belongs to another
/// grid or problem file (its first line holds a hash of both), and what sweep_row throws; Failure
/// where a file cannot be written.
SweepOutcome run_sweep(const Sweep& sweep, const std::string& grid_path, const std::string& path,
                       const SweepOptions& options = {});

}  // namespace riskcurve
