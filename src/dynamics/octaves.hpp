#pragma once
#include <Eigen/Core>
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
    Eigen::Index last = first + 1;
    while (first > 0 && last < value.size() && value[last] > 0 &&
           octave(value[last], width) == octave(value[first], width))
      ++last;
    if (value[first] > 0) runs.emplace_back(first, last - first);
    first = last;
  }
  return runs;
}

}  // namespace riskcurve
