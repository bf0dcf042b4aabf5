#pragma once
#include <functional>

#include "dynamics/resolved_sign.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

// What signs and rows have in common that see a signal of any size: gradients around h y, of noise
// that only adds up to h 2P/B and what single directions' samples have
// (docs/theory/signal.md#signs).

constexpr double kAlikeSigns = 4;  // bins an octave of eigenvalues

/// Whether the basis has nothing to do with the directions, of which there are several kinds.
bool dense(const Covariance& side);

/// Of one row of the gradient: E over its runs of y and of y - E y squared.
struct Errors {
  Eigen::ArrayXd mean, spread;
};
Errors errors_of(const FilteredGradient& u);

/// E of an entry's noise over h at a risk, where its root divides what is left: 2/(pi phi^2), phi
/// as SignSGD's small signals have it.
struct NoisePower {
  std::function<double(double risk)> phi;
  double noise_variance;
  double operator()(double risk) const;
};
NoisePower noise_power(const ModeSystem& signs, double noise_variance);

/// "signal_power": that of the mean gradient over that of its noise, over all directions. `noise`:
/// of an entry, over h.
void observe_signal(ModeSystem& system, std::function<double(const Now& now)> noise);

/// Samples of a direction add to their own residuals: 1 + 2 q_j/2P, of both sides where both
/// differ.
Eigen::ArrayXd with_own_part(const MatrixProblem& problem, const FilteredGradient& u,
                             double noise_variance);

}  // namespace riskcurve
