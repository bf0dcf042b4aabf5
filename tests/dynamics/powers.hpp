#pragma once
#include <cmath>

#include "riskcurve/problem/covariance.hpp"

namespace riskcurve {

/// j^(-exponent), j = 1..n, equal values grouped.
inline Spectrum powers(int n, double exponent) {
  Eigen::ArrayXd value(n);
  for (int j = 0; j < n; ++j) value[j] = std::pow(j + 1.0, -exponent);
  return spectrum_of(value, "test");
}

}  // namespace riskcurve
