#pragma once
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The numbers that say whether the high-dimensional limit can be trusted (docs/theory/trust.md).
struct Trust {
  double intrinsic_dimension = 0;  ///< tr K / ||K||; of a matrix problem the lesser of both sides
  double intrinsic_dimension_out = 0, intrinsic_dimension_in = 0;  ///< 0 for vector problems
  /// (sum h s)^2 / sum (h s)^2 over single directions at the start: how many share the risk.
  /// Like step_rate nan where it was not looked at; and where there is no risk to share.
  double participation = 0;
  /// Largest gamma a_k g along the curve: the rate per step that the continuum treats as small.
  double step_rate = 0;
  /// Spectral optimizers: largest ||K_out Delta K_in||/||G - E G|| in operator norm along the
  /// curve, estimated from the spectra (signal_ratio at the largest R). docs/theory/matrix.md needs
  /// it small: it grows with the batch, and with a target of low rank.
  double signal = 0;
  /// Whether the rates hold for a signal of any size: then neither `signal` nor `rank` warns.
  bool any_signal = false;
  /// Matrix problems: how many singular directions of M = K_out^(1/2) Delta K_in^(1/2) share the
  /// initial risk, (tr M M^T)^2/tr (M M^T)^2 (risk_rank). Residuals are Gaussian given the label
  /// noise only where it is large: their excess kurtosis is about 6 over it. 0 for vector problems.
  double rank = 0;
  /// A filter before a map that ignores scale: the largest share, along the curve, that the signal
  /// has in the power of the filtered gradient, over that of its noise. Signs by the rates for any
  /// signal, not along coordinates: the same of the gradient once the risk has halved. 0 elsewhere.
  double filtered_signal = 0;
  /// Updates over the root of a mean of squares, the largest along the curve of three numbers that
  /// rates with instant memories would need small, and that the recursion carries: the fastest
  /// mode's gamma a/(1 - beta_1), the relative change of N = 2P/b over 1/(1 - beta_2) steps, and
  /// the signal's share h s/n over N in the squares of one mode. nan without such a root, the
  /// second where nothing is forgotten.
  double root_rate = NAN, root_lag = NAN, root_signal = NAN;
};

/// Lower limits of the first two, upper limits of the next two, lower limit of the last, beyond
/// which `warnings` speaks. SignSVD at N = 50 (isotropic and power-law sides, B from N/2 to N^2),
/// until the risk has halved, was above the prediction by at most 6 % below a signal of 0.4 at rank
/// above 5; by 3 (steep power laws, where one mode carries the signal) to 9 % (isotropic) at 0.5,
/// by 8 to 23 % at 1; and by 6 to 41 % below rank 5, whatever the signal.
constexpr double kTrustedIntrinsicDimension = 20;
constexpr double kTrustedParticipation = 10;
constexpr double kTrustedStepRate = 0.2;
constexpr double kTrustedSignal = kSmallSignal;
constexpr double kTrustedRank = kManyDirections;
/// An upper limit too: runs of sign_sgd with momentum (docs/theory/chain.md#how-far-it-holds), and
/// of sign_sgd at large batches (docs/theory/trust.md#filtered-signal).
constexpr double kTrustedFilteredSignal = 1;

/// `system` uncompressed; the curve supplies (t, R) along the way, the experiment the schedule.
Trust trust(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve);
/// The same of another constant step, along the curve that it solves over so many steps.
Trust trust(Experiment experiment, const ModeSystem& system, double step, double steps);
/// What does not depend on steps taken, at one excess risk: participation and step_rate are nan.
/// `any_signal`: of rates that hold for one of any size.
Trust trust(const Experiment& experiment, double risk, bool any_signal = false);

/// The number `participation` above.
double participation(const ModeSystem& system);
/// gamma max_k a_k g at iteration time t and risk R; nan where optimizers have states of their own.
double step_rate(const ModeSystem& system, double step, double t, double risk);

/// One line for each number out of its range, naming the number.
std::vector<std::string> warnings(const Trust& trust);
/// The members out of their range, by name, in one text: "participation step_rate"; empty if none.
std::string untrusted(const Trust& trust);

/// The step size above which the risk diverges: the limit R -> inf of
/// 4 g R / (n sum_k h_k c_k/a_k), from the balance R = gamma n/(4 g) sum h c/a. For SGD it is
/// 2b/tr K; +inf for SignSGD and clipped SGD. Systems with several products: nan.
double largest_stable_step(const ModeSystem& system);

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
  /// Mean of runs - R to first order in the inverse dimension: where the system knows the loss of
  /// its drift, and of maps of singular values. Else 0.
  Eigen::ArrayXd shift;
  Eigen::ArrayXd low, high;
};

/// `system` uncompressed (`compress` adds directions up that fluctuate apart) and solved as
/// `curve`: one adjoint sweep a recorded time, beyond 48 of them interpolated.
/// Never throws for a system that has no bands: `missing` says why.
/// averaged: of the averaged risk.
Bands bands(const ModeSystem& system, const Schedule& step, const RiskCurve& curve,
            bool averaged = false);

/// A predicted curve with what is needed to judge it.
struct Prediction {
  RiskCurve curve;  ///< its warnings include those of `trust` and of an unstable step size
  Trust trust;
  double noise_variance = 0;            ///< P = R + noise_variance/2; may be +inf
  double largest_stable_step = 0;       ///< raw step size
  std::optional<Bands> bands;           ///< if asked for
  std::optional<Bands> averaged_bands;  ///< the same of an averaged risk
  bool stepped = false;  ///< solved step by step (Method::recursion), exact in the step size
};

/// Fills the experiment's mode system, compresses it where it is large (unless modes are kept), and
/// solves it at the times of experiment.run: by options.method, but step by step where a chain
/// stands around the update, or steps are too large for a continuum (step_rate above its limit, on
/// runs of at most 1e7 steps). Bands that are missing leave a warning; they are
/// withheld where trust.signal is above its limit, and the mean of runs moves by more than they
/// scatter. Throws InputError as mode_system and solve do.
Prediction predict(const Experiment& experiment, const SolveOptions& options = {},
                   bool with_bands = false);

}  // namespace riskcurve
