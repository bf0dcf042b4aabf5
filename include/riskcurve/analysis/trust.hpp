#pragma once
#include <string>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/signal.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The numbers that say whether the high-dimensional limit can be trusted (docs/theory/trust.md).
struct Trust {
  double intrinsic_dimension = 0;  ///< tr K / ||K||; of a matrix problem the lesser of both sides
  double intrinsic_dimension_out = 0, intrinsic_dimension_in = 0;  ///< 0 for vector problems
  /// (sum h s)^2 / sum (h s)^2 over single directions at the start: how many share the risk.
  /// Like step_rate nan where it was not looked at.
  double participation = 0;
  /// Largest gamma a_k g along the curve: the rate per step that the continuum treats as small.
  double step_rate = 0;
  /// Spectral optimizers: largest ||K_out Delta K_in||/||G - E G|| in operator norm along the
  /// curve, estimated from the spectra (signal_ratio at the largest R). docs/theory/matrix.md needs
  /// it small: it grows with the batch, and with a target of low rank.
  double signal = 0;
  /// Matrix problems: how many singular directions of M = K_out^(1/2) Delta K_in^(1/2) share the
  /// initial risk, (tr M M^T)^2/tr (M M^T)^2 (risk_rank). Residuals are Gaussian given the label
  /// noise only where it is large: their excess kurtosis is about 6 over it. 0 for vector problems.
  double rank = 0;
};

/// Lower limits of the first two, upper limits of the next two, lower limit of the last, beyond
/// which `warnings` speaks. SignSVD at N = 50 (isotropic and power-law sides, B from N/2 to N^2),
/// until the risk has halved, was above the prediction by at most 6 % below a signal of 0.4 at rank
/// above 5; by 3 (steep power laws, where one mode carries the signal) to 9 % (isotropic) at 0.5,
/// by 8 to 23 % at 1; and by 6 to 41 % below rank 5, whatever the signal.
constexpr double kTrustedIntrinsicDimension = 20;
constexpr double kTrustedParticipation = 10;
constexpr double kTrustedStepRate = 0.2;
constexpr double kTrustedSignal = 0.4;
constexpr double kTrustedRank = 5;

/// `system` uncompressed; the curve supplies (t, R) along the way, the experiment the schedule.
Trust trust(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve);
/// The same of another constant step, along the curve that it solves over so many steps.
Trust trust(Experiment experiment, const ModeSystem& system, double step, double steps);
/// What does not depend on steps taken, at one excess risk: participation and step_rate are nan.
Trust trust(const Experiment& experiment, double risk);

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

}  // namespace riskcurve
