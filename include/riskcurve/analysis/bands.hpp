#pragma once
#include <Eigen/Core>
#include <functional>
#include <string>

#include "riskcurve/integrate/sensitivity.hpp"

namespace riskcurve {

/// Var R(T) over runs from the same R(0), to leading order in the inverse dimension:
///
///     int_0^T [4 gamma^2 sum_k p_k^2 s_k c_k/m_k
///              + 4 gamma^2 alpha^2 Var X - 4 gamma^3 alpha beta Cov(X, Y) + gamma^4 beta^2 Var Y]
///              dt,
///
/// p_k = dR(T)/ds_k(t), m_k the directions of mode k, X, Y, alpha, beta of SharedNoise. Without
/// `shared`: the first line, the linear noise of the SDE. Throws InputError where multiplicities
/// are unknown. Source: docs/theory/sde.md#linear-noise; the second line is ours
/// (docs/theory/bands.md).
double variance(const Sensitivity& sensitivity,
                const std::function<SharedNoise(const Now& now)>& shared = {});

/// Where 95 of 100 runs are. R is positive, and its relative fluctuations add up along a run: the
/// band is log-normal, R exp(shift/R -+ 1.96 deviation/R).
struct Bands {
  std::string missing;       ///< why there are none; empty if there are
  Eigen::ArrayXd deviation;  ///< sqrt(Var R), shape (times)
  /// Mean of runs - R to first order in the inverse dimension, where the system knows the loss of
  /// its drift. Else 0.
  Eigen::ArrayXd shift;
  Eigen::ArrayXd low, high;
};

/// `system` uncompressed (compress.hpp adds directions up that fluctuate apart) and solved as
/// `curve`: one adjoint sweep a recorded time, beyond 48 of them interpolated.
/// Never throws for a system that has no bands: `missing` says why.
Bands bands(const ModeSystem& system, const Schedule& step, const RiskCurve& curve);

}  // namespace riskcurve
