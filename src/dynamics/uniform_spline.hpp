#pragma once
#include <algorithm>
#include <array>
#include <boost/math/interpolators/cardinal_cubic_b_spline.hpp>
#include <cstddef>
#include <vector>

namespace riskcurve {

/// The cubic spline through values at low, low + step, ..; Boost's, kept as the cubic of each
/// interval, which is quicker to evaluate. Beyond its ends the last cubic goes on.
class UniformSpline {
 public:
  UniformSpline() = default;
  UniformSpline(const std::vector<double>& values, double low, double step)
      : low_(low), step_(step) {
    const boost::math::interpolators::cardinal_cubic_b_spline<double> spline(
        values.begin(), values.end(), low, step);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const double at = low + step * static_cast<double>(i), next = at + step;
      const double f = spline(at), g = spline(next), df = step * spline.prime(at),
                   dg = step * spline.prime(next);
      cubics_.push_back({f, df, 3 * (g - f) - 2 * df - dg, 2 * (f - g) + df + dg});
    }
  }

  double operator()(double y) const {
    const auto [c, x] = at(y);
    return c[0] + x * (c[1] + x * (c[2] + x * c[3]));
  }
  double prime(double y) const {
    const auto [c, x] = at(y);
    return (c[1] + x * (2 * c[2] + x * 3 * c[3])) / step_;
  }

 private:
  struct At {
    const std::array<double, 4>& cubic;
    double x;
  };
  At at(double y) const {
    const double x = (y - low_) / step_;
    const std::size_t last = cubics_.size() - 1;
    const std::size_t i = x > 0 ? std::min(static_cast<std::size_t>(x), last) : 0;
    return {cubics_[i], x - static_cast<double>(i)};
  }
  double low_ = 0, step_ = 1;
  std::vector<std::array<double, 4>> cubics_;
};

}  // namespace riskcurve
