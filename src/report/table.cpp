#include <cstdlib>

#include "riskcurve/report/results.hpp"

namespace riskcurve {

Record to_record(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  Record record;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::vector<std::string> texts;
    Eigen::ArrayXd numbers(static_cast<Eigen::Index>(rows.size()));
    bool numeric = true;
    for (const auto& row : rows) {
      char* end = nullptr;
      numbers[static_cast<Eigen::Index>(texts.size())] = std::strtod(row[i].c_str(), &end);
      numeric = numeric && end != row[i].c_str() && *end == '\0';
      texts.push_back(row[i]);
    }
    if (numeric)
      record.column(columns[i], numbers);
    else
      record.column(columns[i], texts);
  }
  return record;
}

}  // namespace riskcurve
