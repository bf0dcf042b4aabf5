#pragma once
#include <string>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The numbers that say whether the high-dimensional limit can be trusted (theory.md section 10).
struct Trust {
  double intrinsic_dimension = 0;  ///< tr K / ||K||
  /// (sum h s)^2 / sum (h s)^2 over single directions at the start: how many share the risk.
  double participation = 0;
  /// Largest gamma a_k g along the curve: the rate per step that the continuum treats as small.
  double step_rate = 0;
  /// Spectral optimizers: largest ||K_out Delta K_in||/||G - E G|| in operator norm along the
  /// curve, estimated from the spectra. Section 4 needs it small.
  double signal = 0;
};

/// Lower limits of the first two, upper limit of the third, beyond which `warnings` speaks.
constexpr double kTrustedIntrinsicDimension = 20;
constexpr double kTrustedParticipation = 10;
constexpr double kTrustedStepRate = 0.2;
constexpr double kTrustedSignal = 0.5;

/// `system` uncompressed; the curve supplies (t, R) along the way.
Trust trust(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve);
/// One line for each number out of its range, naming the number.
std::vector<std::string> warnings(const Trust& trust);

/// The step size above which the risk diverges: the limit R -> inf of
/// 4 g R / (n sum_k h_k c_k/a_k), from the balance R = gamma n/(4 g) sum h c/a. For SGD it is
/// 2b/tr K; +inf for SignSGD and clipped SGD. Systems with several products: nan.
double largest_stable_step(const ModeSystem& system);

}  // namespace riskcurve
