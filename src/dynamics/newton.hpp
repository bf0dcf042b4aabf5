#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

/// The root of an increasing function, f(x) -> {value, slope}: Newton, kept inside the bracket that
/// its own evaluations build, steps of at most `stride`. Quadratic convergence is counted on: the
/// last step is taken once it is below 1e-8 (1 + |x|).
template <class Function>
double increasing_root(Function&& f, double x,
                       double low = -std::numeric_limits<double>::infinity(),
                       double high = std::numeric_limits<double>::infinity(), double stride = 8) {
  x = std::clamp(x, low, high);
  for (int iteration = 0; iteration < 400; ++iteration) {
    const auto [value, slope] = f(x);
    if (value == 0) return x;
    (value < 0 ? low : high) = x;
    double next = x - std::clamp(value / slope, -stride, stride);
    if (std::abs(next - x) <= 1e-8 * (1 + std::abs(x))) return next;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (!std::isfinite(next)) break;
    if (next == low || next == high) return next;
    x = next;
  }
  throw Failure("root of a monotone function not found");
}

}  // namespace riskcurve
