#pragma once
#include "riskcurve/problem/spectrum.hpp"

namespace riskcurve {

/// A spectrum at a few of its nodes.
struct SpectrumRows {
  Eigen::ArrayXd index;          ///< the last index of the node's run
  Eigen::ArrayXd value;          ///< its eigenvalue
  Eigen::ArrayXd trace_percent;  ///< of the eigenvalues up to it, in percent
};

/// About `rows` nodes, evenly spaced in log index where the spectrum has enough of them; the last
/// one among them.
SpectrumRows spectrum_rows(const Spectrum& spectrum, int rows);

}  // namespace riskcurve
