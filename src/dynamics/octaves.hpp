#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace riskcurve {

/// Which of the bins of `width` octaves holds x > 0; never negative.
inline int octave(double x, int width = 1) {
  constexpr int below = 1 << 12;  // more than doubles have
  return (std::ilogb(x) + below) / width;
}

/// Runs (first, count) of decreasing values that lie in one such bin, the first value in a run of
/// its own; those of 0 are left out.
inline std::vector<std::pair<Eigen::Index, Eigen::Index>> octaves(const Eigen::ArrayXd& value,
                                                                  int width = 1) {
  std::vector<std::pair<Eigen::Index, Eigen::Index>> runs;
  for (Eigen::Index first = 0; first < value.size();) {
    if (!(value[first] > 0)) break;
    const double* const next = value.data() + first + 1;
    const auto of_it = [&, bin = octave(value[first], width)](double x) {
      return x > 0 && octave(x, width) == bin;
    };
    const Eigen::Index count =
        first == 0 ? 1
                   : 1 + (std::partition_point(next, value.data() + value.size(), of_it) - next);
    runs.emplace_back(first, count);
    first += count;
  }
  return runs;
}

}  // namespace riskcurve
