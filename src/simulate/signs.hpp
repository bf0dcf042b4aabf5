#pragma once

namespace riskcurve {

/// Entries of x become their signs; sign(0) = 0.
template <class Point>
void take_signs(Point& x) {
  for (double& entry : x.reshaped()) entry = static_cast<double>((entry > 0) - (entry < 0));
}

}  // namespace riskcurve
