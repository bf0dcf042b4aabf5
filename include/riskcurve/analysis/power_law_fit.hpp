#pragma once
#include <optional>

#include "riskcurve/problem/spectrum.hpp"

namespace riskcurve {

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
