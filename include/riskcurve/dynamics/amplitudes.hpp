#pragma once
#include <Eigen/Core>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The mode system one level down, before the mean over the noise: the homogenised limit
///
///     dx_k = -gamma a_k x_k dt + gamma sqrt(c_k) dB_k     (Ito),     s_k = x_k^2,
///
/// with a, c, R of the system (docs/theory/sde.md). A mode that stands for m_k directions holds
/// the square sum of m_k such amplitudes, each with c_k/m_k. The B_k are independent unless
/// `correlation` says otherwise: exact for every optimizer but SignSGD in given coordinates.
struct Amplitudes {
  ModeSystem system;  ///< multiplicity set; > 0 wherever there is initial error
  /// x_k(0) with its sign, shape (modes); empty: sqrt(s_k(0)), enough where noise is independent.
  Eigen::ArrayXd initial = {};
  /// F of dB = F dW, W of independent Brownian motions, rows of unit length or zero: shape (modes,
  /// rank). Empty: independent. Modes are then single directions.
  Eigen::MatrixXd correlation = {};
};

/// The amplitudes of the optimizer named in experiment.optimizer, uncompressed.
/// SignSGD in given coordinates: x_i = w_i^T Delta and F = diag(c)^(-1/2) W^T L for a pivoted
/// Cholesky factor K_sigma = L L^T without its vanishing columns. On the matrix problem the noise
/// of different modes is taken as independent there, with a warning.
/// Throws InputError as mode_system does. Source: (S) for K_sigma;
/// docs/theory/sde.md#homogenised-limits.
Amplitudes amplitudes(const Experiment& experiment);

}  // namespace riskcurve
