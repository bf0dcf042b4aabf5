#pragma once
#include <string>
#include <vector>

#include "riskcurve/analysis/advise.hpp"

namespace riskcurve {

/// A part of an advice in words, ready for a terminal or a page.
struct AdviceSection {
  std::string heading;
  std::vector<std::string> lines;
  std::vector<std::vector<std::string>> rows;  ///< a table below the lines, its heading first
  std::vector<std::string> notes;              ///< lines below the table
};
std::vector<AdviceSection> sections(const Advice& advice);

}  // namespace riskcurve
