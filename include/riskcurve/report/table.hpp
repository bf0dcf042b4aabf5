#pragma once
#include <string>
#include <vector>

#include "riskcurve/report/record.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// The rows of a table (run/table.hpp) as columns: numbers where every cell is one, else texts.
Record to_record(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows);

}  // namespace riskcurve
