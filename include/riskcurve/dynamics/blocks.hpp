#pragma once
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/chain.hpp"

namespace riskcurve {

/// Moments that a block may carry beside the error itself.
constexpr int kLargestBlock = 4;
using BlockMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor,
                                  kLargestBlock, kLargestBlock>;
using BlockVector = Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, kLargestBlock, 1>;

/// A step of a chain: its number, and what its maps depend on.
struct ChainNow {
  double step = 0;  ///< k = 0, 1, ..
  double gamma = 0, momentum = 0, weight_decay = 0;
  double average_decay = 0;  ///< of an exponential moving average
  double weights = 0;        ///< sum over i <= k of gamma_i^weight_power
};

/// What one step does to X of a mode of rates a, l:
///
///     X <- A X + q sqrt(c_after) xi_1 + (z_0 + a z_1) sqrt(c_before) xi_2,
///     A = fixed + a q f^T + l (pull_0 + a pull_1) e^T.
struct BlockStep {
  BlockMatrix fixed;
  BlockVector push, read;  ///< q: where the update goes; f: the error that it answers to
  BlockVector noise_fixed, noise_drift;           ///< z_0, z_1
  BlockVector pull_fixed, pull_drift, pull_read;  ///< of w theta in the gradient; e = 0: none
};

/// What stands around an update map that is linear in the error up to noise: mode k then carries a
/// block of moments S_k = E X X^T of X = (Delta, momentum, theta*, average, ..) in place of s_k =
/// E Delta^2, and per step, exactly (docs/theory/chain.md),
///
///     S <- A S A^T + c_after q q^T + c_before z z^T,    z = z_0 + a_k z_1,
///     R = sum_k h_k v^T S_k v/2,    averaged risk = sum_k h_k w^T S_k w/2,
///
/// a_k and c_k the rates of the mode system at R; c_before sums the columns of `diffusion` whose
/// noise enters with the gradient, before the filter. Jumps stand between steps.
struct Blocks {
  int size = 1;
  BlockVector gradient_at;  ///< v: where gradients are taken
  BlockVector report_at;    ///< w; empty: no average
  std::vector<BlockMatrix>
      start;                     ///< S_k(0) = s_k(0) start[0] + sum_i more_initial(k, i) start[i+1]
  Eigen::ArrayXXd more_initial;  ///< shape (modes, start.size() - 1)
  Eigen::Index before = 0;       ///< so many of the first columns of `diffusion` are c_before
  /// Of the filtered gradient's signal, read as Now::filtered:
  /// sum_k drift_k h_k f^T S_k f/filtered_total. 0: none.
  double filtered_total = 0;
  Eigen::ArrayXd inverse;                          ///< l_k, shape (modes); empty: 0
  std::function<double(double drift)> inverse_of;  ///< l of a compressed mode

  std::function<BlockStep(const ChainNow& now)> step;
  /// After every `jump_period` steps (0: never), X <- X applied to the mean of Delta over workers:
  /// X_i <- J (I - e_0 e_0^T) X_i + J e_0 mean_j (e_0^T X_j).
  std::function<BlockMatrix(const ChainNow& now)> jump;
  double jump_period = 0;
  int workers = 1;

  std::optional<Schedule> momentum, weight_decay;
  std::optional<double> average_decay;  ///< of an exponential moving average
  double weight_power = 0;
  /// What the step size comes to in the end, over gamma: (1 - dampening)/(1 - momentum) at most
  /// where the buffer adds updates up.
  double amplification = 1;

  bool jumps_after(double k) const { return jump_period > 0 && std::fmod(k + 1, jump_period) == 0; }
  /// Without `weights`, which count from the start.
  ChainNow at(double k, double gamma) const {
    return {k,
            gamma,
            momentum ? (*momentum)(k) : 0,
            weight_decay ? (*weight_decay)(k) : 0,
            average_decay.value_or(0),
            0};
  }
};

/// The bare update, Delta <- Delta - gamma u: a block of one. Its recursion is exact in the step
/// size.
Blocks bare_blocks();

}  // namespace riskcurve
