#include "analysis/least_risk.hpp"

#include <algorithm>
#include <cmath>

namespace riskcurve {

Least least(const std::function<double(double)>& log_risk, double log_step, double stride,
            double accuracy) {
  struct Point {
    double x, y;
  };
  const auto at = [&](double x) { return Point{x, log_risk(x)}; };
  Point a = at(log_step), b, c;
  while (std::isinf(a.y) && a.y > 0) a = at(a.x - stride);
  b = at(a.x + stride);
  if (b.y > a.y) std::swap(a, b), stride = -stride;
  while ((c = at(b.x + stride)).y < b.y) a = b, b = c, stride *= 2;
  if (a.x > c.x) std::swap(a, c);
  // A cubic is believed once it has foretold a risk: where the target is a few modes, sqrt(R) falls
  // straight to its floor, and the best step is the notch that gets there at T.
  double third = 0, surprise = INFINITY;  // divided difference of the last four points
  // Steps nearer to each other differ by less than risks err.
  const double narrow = std::max(1e-5, 1e4 * accuracy * accuracy);
  for (int i = 0; i < 40 && c.x - a.x > narrow && std::isfinite(b.y); ++i) {
    const double left = (b.y - a.y) / (b.x - a.x), right = (c.y - b.y) / (c.x - b.x);
    const double bend = (right - left) / (c.x - a.x);
    const auto cubed = [&](double of) { return (of - a.x) * (of - b.x) * (of - c.x); };
    double x = 0.5 * (a.x + b.x) - left / (2 * bend);
    const double tilt =
        third * ((x - a.x) * (x - b.x) + (x - b.x) * (x - c.x) + (x - c.x) * (x - a.x));
    if (const double near = x - tilt / (2 * bend); near > a.x && near < c.x) x = near;
    const bool inside = std::isfinite(x) && x > a.x && x < c.x;
    const double gain = inside ? bend * (x - b.x) * (x - b.x) : INFINITY;
    if (gain < accuracy && surprise < 3 * accuracy) break;
    const bool right_wide = c.x - b.x > b.x - a.x;
    if (gain < accuracy || !inside)
      x = right_wide ? b.x + 0.38 * (c.x - b.x) : b.x - 0.38 * (b.x - a.x);
    const Point p = at(x);
    const double parabola = a.y + (x - a.x) * (left + bend * (x - b.x));
    surprise = std::abs(p.y - parabola - third * cubed(x));
    third = (p.y - parabola) / cubed(x);
    if (!std::isfinite(third)) third = 0, surprise = INFINITY;
    if (p.y < b.y) {
      (x < b.x ? c : a) = b;
      b = p;
    } else {
      (x < b.x ? a : c) = p;
    }
  }
  return {b.x, b.y};
}

}  // namespace riskcurve
