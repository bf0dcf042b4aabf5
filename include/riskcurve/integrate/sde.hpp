#pragma once
#include <cstdint>
#include <functional>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/schedule.hpp"
#include "riskcurve/run/ensemble.hpp"

namespace riskcurve {

enum class SdeMethod {
  ornstein_uhlenbeck,  ///< exact transition under coefficients fixed for the step (default)
  euler_maruyama       ///< for comparison
};

struct SdeOptions {
  SdeMethod method = SdeMethod::ornstein_uhlenbeck;
  int runs = 100;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores this process may use. The numbers do not depend on it.
  /// A step loses or gains at most this fraction of the risk, gross, and moves the step size and
  /// the responses at most as much; none is shorter than so many iterations (the algorithm itself
  /// resolves no less). Euler-Maruyama and correlated noise also bound the fastest decay, at
  /// gamma a_max h <= change and 1.
  double change = 0.05;
  double step = 0;  ///< > 0: steps of this length instead (iteration time)
  /// Called from one thread at a time with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress = {};
  KeptRuns* kept = nullptr;  ///< as of EnsembleOptions
};

/// Runs the mode system one level down, before the mean over the noise, at the times `at`
/// (iteration times, increasing, >= 0). The homogenised limit is
///
///     dx_k = -gamma a_k x_k dt + gamma sqrt(c_k) dB_k     (Ito),     s_k = x_k^2.
///
/// A mode that stands for m_k directions holds the square sum of m_k such amplitudes, each with
/// c_k/m_k. The B_k are independent unless system.correlation says otherwise: exact for every
/// optimizer but SignSGD in given coordinates. One step from t to t + h, given the state:
///
///     x_k -> e^(-z_k) x_k + sigma_k xi_k,    z_k = h (gamma a_k|_t + gamma a_k|_(t+h))/2,
///     sigma_k^2 = int_0^h e^(-2 z_k (1 - u/h)) f_k(u) du,     f_k linear from gamma^2 c_k at t
///     to that at t + h; the risk at t + h is predicted from coefficients frozen at t.
///
/// Exact, for a step of any length, wherever the responses are constant; of second order in h for
/// the mean curve, up to a first-order term that falls as 1/d; of strong order 1 where c does not
/// depend on R, else 1/2. The mean over runs is that of the real algorithm up to O(1/d); the spread
/// is the limit's own, and can differ from real runs where the mean update is a large part of the
/// update in the direction of the error (docs/theory/sde.md#what-the-spread-means).
/// Modes of m directions: s -> sigma^2 times a noncentral chi-square of m degrees of freedom.
/// Correlated noise: xi = F eta. The variance of each mode is then still exact, and the covariance
/// of two at most 1 + (z_k - z_l)^2/24 times the exact one.
/// Each run has random numbers of its own: bit-identical for any thread count.
/// Source: (C), (S) for the homogenised limits; docs/theory/sde.md; the step is ours.
/// Throws InputError for bad times or options, a system without multiplicities or with initial
/// error in a mode of none (compressed ones), and shapes that disagree.
Ensemble solve_sde(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
                   const SdeOptions& options = {});

}  // namespace riskcurve
