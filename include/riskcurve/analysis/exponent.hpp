#pragma once
#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// y ~ prefactor x^value.
struct Exponent {
  double value = 0;
  /// What is uncertain about `value` as a local exponent: half the difference of the exponents of
  /// the lower and the upper half of the points, or the standard error of the line, whichever is
  /// larger. 0 for a power law, and large where y bends on logarithmic axes. nan for two points.
  double error = 0;
  double prefactor = 0;
};

/// The least-squares line through (log x, log y). Shapes (points); pairs that are not positive and
/// finite are left out. Throws InputError where fewer than two different x remain.
Exponent fit_exponent(const Eigen::ArrayXd& x, const Eigen::ArrayXd& y);

}  // namespace riskcurve
