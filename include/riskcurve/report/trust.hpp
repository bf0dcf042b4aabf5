#pragma once
#include <string>
#include <vector>

#include "riskcurve/analysis/trust.hpp"
#include "riskcurve/report/record.hpp"

namespace riskcurve {

/// intrinsic_dimension, of matrix problems also ..._out and ..._in; participation, step_rate; of
/// matrix problems rank, signal.
Record to_record(const Trust& trust);

/// The numbers in a line: "trust: intrinsic dimension 120, 96 directions share the risk, ...".
std::string trust_line(const Trust& trust);

/// One line that counts, over the points of a table, each number out of its range (untrusted of
/// trust.hpp): "2 of 12 points leave the range ...: participation (2), step_rate (1)"; empty where
/// none does.
std::string untrusted_points(const std::vector<std::string>& untrusted);

}  // namespace riskcurve
