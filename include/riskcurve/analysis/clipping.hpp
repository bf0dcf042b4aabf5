#pragma once
#include <optional>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// What per-sample clipping of the residual l at `threshold` does at excess risk R. The best step
/// descends by (sum h a s)^2/(2 sum h c), that is by mu^2/nu of what it is for mu = nu = 1.
/// Source: (C); docs/theory/clipping.md.
struct Clipping {
  double threshold;   ///< residual units, C/sqrt(tr K)
  double reduction;   ///< descent reduction mu = P(|l| <= threshold)
  double variance;    ///< nu = E min(l^2, threshold^2)
  double comparison;  ///< mu^2 E l^2/nu: above 1, clipping improves the best descent (CCC)
  double stability;   ///< mu E l^2/nu: above 1, clipping raises the largest stable step
};
/// Both criteria are +inf where E l^2 is. Throws InputError unless risk and threshold are finite
/// and positive.
Clipping clipping(const ResidualLaw& law, double risk, double threshold);

/// argmax over thresholds of mu^2/nu, what the greedy step makes the most of: the optimal threshold
/// schedule is this along the risk curve. +inf: no threshold beats none (Gaussian noise, always);
/// 0: the smaller the better, down to the sign of the residual.
/// Relative accuracy 1e-6. Throws InputError unless risk is finite and positive.
double optimal_threshold(const ResidualLaw& law, double risk);

/// The optimal threshold c*(R) and both criteria there, at each of these risks: shape
/// (risk.size()). Where c* is +inf both are 1: nothing is clipped.
struct ClippingCurve {
  Eigen::ArrayXd threshold, comparison, stability;
};
ClippingCurve optimal_clipping(const ResidualLaw& law, const Eigen::ArrayXd& risk);

/// Clipped SGD that clips every sample at c*(R) of the moment: a = lambda mu(c*(R), R), c = lambda
/// nu(c*(R), R)/b. For a drift eta = gamma mu a step the noise is gamma^2 nu = eta^2 nu/mu^2, least
/// at c*: so this threshold goes with the best step-size schedule, whatever the horizon (where
/// nu/mu^2 at c* grows with R, docs/theory/clipping.md#the-optimal-threshold). Thresholds are kept
/// between a thousandth of the median |l| and 20 sqrt(E l^2), where c* is 0 or +inf. Observable:
/// threshold.
ModeSystem optimally_clipped_sgd(const VectorProblem& problem, int batch);
/// The same in place of the experiment's own threshold. Throws InputError unless its optimizer
/// clips single samples.
ModeSystem optimally_clipped_sgd(const Experiment& experiment);
/// optimal_clipping of the experiment's noise at these risks; nullopt where its optimizer does not
/// clip.
std::optional<ClippingCurve> optimal_clipping(const Experiment& experiment,
                                              const Eigen::ArrayXd& risk);

}  // namespace riskcurve
