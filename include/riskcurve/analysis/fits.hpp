#pragma once
#include <optional>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/spectrum.hpp"

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

/// lambda_j ~ prefactor j^(-2 alpha) for first <= j <= last.
struct PowerLawFit {
  double alpha = 0, prefactor = 0;
  double first = 0, last = 0;  ///< indices, counted from 1
  double deviation = 0;        ///< root mean square of log(lambda_j / fit) over log-spaced indices
};

/// The power law that describes the most of the spectrum: among all ranges of indices, the one
/// with the largest last/first whose least-squares line through (log j, log lambda_j), with
/// log-spaced j, leaves a root mean square deviation of at most `tolerance`. Empty unless the range
/// holds at least a factor of ten in j.
std::optional<PowerLawFit> fit_power_law(const Spectrum& spectrum, double tolerance = 0.05);

}  // namespace riskcurve
