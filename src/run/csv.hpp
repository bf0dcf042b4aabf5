#pragma once
#include <string>
#include <vector>

namespace riskcurve {

/// The cells of a line that csv_line made.
std::vector<std::string> csv_cells(const std::string& line);

}  // namespace riskcurve
