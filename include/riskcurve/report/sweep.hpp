#pragma once
#include <string>

#include "riskcurve/analysis/sweep.hpp"
#include "riskcurve/report/table.hpp"

namespace riskcurve {

/// Runs every point of the sweep and writes PATH, a CSV file with sweep.columns() as header and
/// the points in order, once all are there; until then its journal is PATH.partial. Throws as fill
/// (table.hpp) and sweep_row do. The journal belongs to the contents of both files.
TableOutcome run_sweep(const Sweep& sweep, const std::string& path,
                       const TableOptions& options = {});

}  // namespace riskcurve
