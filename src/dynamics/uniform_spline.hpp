#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace riskcurve {

/// The cubic spline through values at low, low + step, .., at least five; its slopes at both ends
/// are of fourth-order differences. Beyond them the last cubic goes on.
class UniformSpline {
 public:
  UniformSpline() = default;
  UniformSpline(const std::vector<double>& values, double low, double step)
      : low_(low), step_(step), cubics_(values.size() - 1) {
    const std::size_t n = cubics_.size();
    const auto end = [&](std::size_t at, int way) {
      const auto f = [&](int i) { return values[at + static_cast<std::size_t>(way * i)]; };
      return way * (4 * (f(1) + f(3) / 3) - (25.0 / 3 * f(0) + f(4)) / 4 - 3 * f(2));
    };
    // Slopes, per step: m_(i-1) + 4 m_i + m_(i+1) = 3 (f_(i+1) - f_(i-1)).
    std::vector<double> slope(n + 1), over(n + 1, 0);
    slope[0] = end(0, 1);
    for (std::size_t i = 1; i < n; ++i) {
      over[i] = 1 / (4 - over[i - 1]);
      slope[i] = (3 * (values[i + 1] - values[i - 1]) - slope[i - 1]) * over[i];
    }
    slope[n] = end(n, -1);
    for (std::size_t i = n; i-- > 1;) slope[i] -= over[i] * slope[i + 1];
    for (std::size_t i = 0; i < n; ++i) {
      const double f = values[i], g = values[i + 1], df = slope[i], dg = slope[i + 1];
      cubics_[i] = {f, df, 3 * (g - f) - 2 * df - dg, 2 * (f - g) + df + dg};
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
