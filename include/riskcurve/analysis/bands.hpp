#pragma once
#include <Eigen/Core>
#include <functional>
#include <string>

#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The noise of a step that all directions share: through the batch's residuals l_i = g_i -
/// epsilon_i, g_i = <x_i, Delta>. An update of length S along y = sum l_i x_i/|l| moves sum p_k s_k
/// by -2 gamma X alpha + gamma^2 Y beta, and what single directions add, with alpha = sum p a s,
/// beta = sum p c, X = S G/E[S G], G = sum l_i g_i/|l|, and Y = S^2/E[S^2].
struct SharedNoise {
  double progress = 0;  ///< Var X - 2R E[S^2]/E[S G]^2: less what single directions have of it
  double both = 0;      ///< Cov(X, Y)
  double size = 0;      ///< Var Y; +inf where a fourth moment of the noise is
};

/// At iteration time t and risk R > 0. With r = 2R, batch b, residuals l = g - epsilon:
///   SGD           progress = 1/b, both = 2/b, size = Var(l^2)/(b E[l^2]^2)
///   SignSGD       progress = (b-2) E[1/|l|^2]/((b-1) E[1/|l|]^2) - 1; b = 1: -1; else 0
///   clipped SGD   progress = (Var(f g) - r E f^2)/(b E[f g]^2), both = Cov(f g, f^2)/(b E[f g]
///                 E[f^2]), size = Var(f^2)/(b E[f^2]^2), f the clipped l. Clipping of the batch
///                 mean, b > 1: sampled (fixed seed, about 2 %).
///   SignSVD, Schatten q   b >> N: progress = (1+q)^2/2 - 1, both = q(1+q), size = 2 q^2, over b;
///                 b << N: those of f = |l|^q sign(l), SignSVD -1/b. Between them weighted by
///                 1/(1 + b/N), N the smaller side. Gaussian residuals. regularized_svd: 0.
/// All are O(1/b), and count at leading order: see docs/theory/bands.md#two-sources-of-spread,
/// which derives them.
std::function<SharedNoise(double t, double risk)> shared_noise(const Experiment& experiment);

/// Var R(T) over runs from the same R(0), to leading order in the inverse dimension:
///
///     int_0^T [4 gamma^2 sum_k p_k^2 s_k c_k/m_k
///              + 4 gamma^2 alpha^2 progress - 4 gamma^3 alpha beta both + gamma^4 beta^2 size] dt,
///
/// p_k = dR(T)/ds_k(t), m_k the directions of mode k. Without `shared`: the first line, the linear
/// noise of the SDE. Throws InputError where multiplicities are unknown.
/// Source: docs/theory/sde.md#linear-noise; the second line is ours (docs/theory/bands.md).
double variance(const Sensitivity& sensitivity,
                const std::function<SharedNoise(double t, double risk)>& shared = {});

/// Where 95 of 100 runs are. R is positive, and its relative fluctuations add up along a run: the
/// band is log-normal, R exp(shift/R -+ 1.96 deviation/R).
struct Bands {
  std::string missing;       ///< why there are none; empty if there are
  Eigen::ArrayXd deviation;  ///< sqrt(Var R), shape (times)
  /// Mean of runs - R to first order in the inverse dimension, where it is known: for sign_sgd,
  /// whose drift is lost to signal in its own noise (docs/theory/bands.md#where-the-mean-goes).
  /// Else 0.
  Eigen::ArrayXd shift;
  Eigen::ArrayXd low, high;
};

/// `system` uncompressed (compress.hpp adds directions up that fluctuate apart) and solved as
/// `curve`: one adjoint sweep a recorded time, beyond 48 of them interpolated.
/// Never throws for a system that has no bands: `missing` says why.
Bands bands(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve);

}  // namespace riskcurve
