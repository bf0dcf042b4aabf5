#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/run/table.hpp"
#include "run/journal.hpp"
#include "run/progress.hpp"

namespace riskcurve {

/// A table, as far as it is filled.
struct Filled {
  FinishedRows finished;
  TableOutcome outcome;  ///< without its rows
};

/// The rows of a point, which counts its parts on the way; none where it left off, told to stop.
using CountedRows = std::function<std::vector<std::vector<Cell>>(long point, Progress& progress)>;

/// What fill does (riskcurve/run/table.hpp), with points of so many parts; `rows` in place of the
/// table's.
Filled fill_counted(const Table& table, double parts, const CountedRows& rows,
                    const std::string& journal, const TableOptions& options);

}  // namespace riskcurve
