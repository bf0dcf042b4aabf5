#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

std::string count(double x) {
  return x >= 100 && x < 1e6 ? fmt::format("{:.0f}", x) : fmt::format("{:.3g}", x);
}

}  // namespace

Record to_record(const Trust& trust) {
  const bool matrix = trust.rank > 0;
  Record record;
  record.set("intrinsic_dimension", trust.intrinsic_dimension);
  if (matrix) {
    record.set("intrinsic_dimension_out", trust.intrinsic_dimension_out);
    record.set("intrinsic_dimension_in", trust.intrinsic_dimension_in);
  }
  record.set("participation", trust.participation);
  record.set("step_rate", trust.step_rate);
  if (matrix) {
    record.set("rank", trust.rank);
    record.set("signal", trust.signal);
    record.set("any_signal", trust.any_signal);
  }
  if (trust.filtered_signal > 0) record.set("filtered_signal", trust.filtered_signal);
  if (std::isfinite(trust.root_rate)) {
    record.set("root_rate", trust.root_rate);
    record.set("root_lag", trust.root_lag);
    record.set("root_signal", trust.root_signal);
  }
  return record;
}

std::string trust_line(const Trust& trust) {
  const bool matrix = trust.rank > 0;
  std::string line = "trust: intrinsic dimension ";
  line += matrix
              ? count(trust.intrinsic_dimension_out) + " x " + count(trust.intrinsic_dimension_in)
              : count(trust.intrinsic_dimension);
  if (std::isfinite(trust.participation))
    line += fmt::format(", {} directions share the risk", count(trust.participation));
  if (std::isfinite(trust.step_rate))
    line += fmt::format(", fastest mode {:.2g} a step", trust.step_rate);
  if (matrix) line += ", rank " + count(trust.rank);
  if (trust.signal > 0)
    line += fmt::format(", signal {:.2g} of the noise{}", trust.signal,
                        trust.any_signal ? " (rates hold for any)" : "");
  if (trust.filtered_signal > 0)
    line += fmt::format(", signal {:.2g} of the noise in the {}gradient", trust.filtered_signal,
                        trust.any_signal ? "" : "filtered ");
  if (std::isfinite(trust.root_rate)) {
    line += fmt::format(", fastest mode {:.2g} in a mean's memory", trust.root_rate);
    if (std::isfinite(trust.root_lag))
      line += fmt::format(", noise changes {:.2g} in the root's", trust.root_lag);
    line += fmt::format(", signal {:.2g} of the noise under it", trust.root_signal);
  }
  return line;
}

std::string untrusted_points(const std::vector<std::string>& untrusted) {
  std::vector<std::pair<std::string, int>> counts;
  int points = 0;
  for (const std::string& names : untrusted) {
    points += !names.empty();
    std::istringstream words(names);
    for (std::string name; words >> name;) {
      const auto known = std::find_if(counts.begin(), counts.end(),
                                      [&](const auto& one) { return one.first == name; });
      if (known == counts.end())
        counts.emplace_back(name, 1);
      else
        ++known->second;
    }
  }
  if (points == 0) return "";
  std::string line = fmt::format(
      "{} of {} points leave the range where the limit can be trusted:", points, untrusted.size());
  for (const auto& [name, count] : counts)
    line += fmt::format("{} {} ({})", name == counts.front().first ? "" : ",", name, count);
  return line;
}

}  // namespace riskcurve
