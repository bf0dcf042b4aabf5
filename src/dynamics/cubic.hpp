#pragma once

namespace riskcurve {

/// Of tables over R: nodes are at powers of 4 or 16 of it, so that one and what a run falls to from
/// there are between the same two.
inline constexpr double kRiskOfNodes = 1.32;

/// f at x by the cubic through its values at first, first + 1, first + 2 and first + 3.
template <class Whole, class F>
auto cubic_from(Whole first, double x, const F& f) {
  const double at = x - first;
  const auto weight = [at](int i) {
    double product = 1;
    for (int j = 0; j < 4; ++j)
      if (j != i) product *= (at - j) / (i - j);
    return product;
  };
  auto sum = f(first);
  sum *= weight(0);
  for (int i = 1; i < 4; ++i) sum += weight(i) * f(first + i);
  return sum;
}

}  // namespace riskcurve
