#pragma once
#include <algorithm>

namespace riskcurve {

/// Follows a root from z = square (1 + 8 i) down to square (1 + tilt i): solve(its tilt) moves it,
/// false where it is lost. Far above the axis a root that is not found yet may still be.
template <class Solve>
bool toward_axis(double tilt, const Solve& solve) {
  for (double at = 8;; at = std::max(tilt, 0.7 * at)) {
    if (!solve(at) && at < 4) return false;
    if (at == tilt) return true;
  }
}

}  // namespace riskcurve
