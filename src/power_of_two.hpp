#pragma once
#include <cmath>

namespace riskcurve {

/// The power of two in (x/2, x], and 1 where x is not positive and finite. Numbers are divided by
/// it before they are squared: that changes no digit, and risks of 1e-200 or 1e200 have squares.
inline double power_of_two(double x) {
  return x > 0 && std::isfinite(x) ? std::ldexp(1.0, std::ilogb(x)) : 1.0;
}

}  // namespace riskcurve
