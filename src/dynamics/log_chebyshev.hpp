#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>

namespace riskcurve {

/// A smooth positive function of x > 0, tabulated as it is asked for: one Chebyshev polynomial of
/// log f an octave, so that relative accuracy (1e-13 or better where f is analytic in log x)
/// survives where f falls by hundreds of decades. Values below 1e-200 are returned as 1e-200. For
/// responses that cost integrals. Threads may share one: an octave is filled once, and no value
/// depends on who asked first.
template <int kTerms>
class LogChebyshevOf {
 public:
  explicit LogChebyshevOf(std::function<double(double)> f)
      : f_(std::move(f)), panels_(std::make_unique<Panel[]>(kHighest - kLowest + 1)) {}

  double operator()(double x) const {
    int octave;
    const double mantissa = std::frexp(x, &octave);  // x = mantissa 2^octave, in [1/2, 1)
    const Coefficients& c = panel(octave);
    // Clenshaw in y = log2(x) mapped to (-1, 1).
    const double y = 2 * (std::log2(mantissa) + 1) - 1;
    double high = 0, higher = 0;
    for (int m = kTerms - 1; m > 0; --m) {
      const double now = c[m] + 2 * y * high - higher;
      higher = high;
      high = now;
    }
    return std::exp(c[0] + y * high - higher);
  }

 private:
  static constexpr int kLowest = -1073, kHighest = 1024;  // octaves of double, subnormal ones too
  using Coefficients = std::array<double, kTerms>;
  struct Panel {
    std::once_flag filled;
    std::unique_ptr<const Coefficients> of;
  };

  const Coefficients& panel(int octave) const {
    Panel& panel = panels_[static_cast<std::size_t>(octave - kLowest)];
    std::call_once(panel.filled, [&] { panel.of = std::make_unique<Coefficients>(fit(octave)); });
    return *panel.of;
  }

  Coefficients fit(int octave) const {
    Coefficients value{}, c{};
    const auto node = [](int j) { return std::cos(M_PI * (j + 0.5) / kTerms); };
    const auto log_f = [&](int j) {
      return std::log(std::max(f_(std::exp2(octave - 1 + 0.5 * (node(j) + 1))), 1e-200));
    };
    // Far from where f bends its values are on a line: what bends as a square shows in the middle,
    // what bends as a cube between it and an end.
    constexpr int last = kTerms - 1, middle = kTerms / 2 - 1, between = kTerms / 4;
    for (const int j : {0, between, middle, last}) value[j] = log_f(j);
    c[1] = (value[0] - value[last]) / (node(0) - node(last));
    c[0] = value[0] - c[1] * node(0);
    const auto on_line = [&](int j) {
      return std::abs(value[j] - c[0] - c[1] * node(j)) < 1e-15 + 1e-12 * std::abs(value[j]);
    };
    if (on_line(middle) && on_line(between)) return c;
    c = {};
    for (int j = 1; j < last; ++j)
      if (j != middle && j != between) value[j] = log_f(j);
    for (int m = 0; m < kTerms; ++m) {
      for (int j = 0; j < kTerms; ++j) c[m] += value[j] * std::cos(M_PI * m * (j + 0.5) / kTerms);
      c[m] *= (m == 0 ? 1.0 : 2.0) / kTerms;
    }
    return c;
  }

  std::function<double(double)> f_;
  std::unique_ptr<Panel[]> panels_;
};
using LogChebyshev = LogChebyshevOf<18>;

}  // namespace riskcurve
