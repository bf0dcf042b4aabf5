#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "dynamics/batch_power.hpp"
#include "dynamics/filtered_sign.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {

// An average of gradients over the root of one of their squares, F = m/sqrt(v), m = sum w_k
// g_(t-k), v = sum u_k g_(t-k)^2, u_k = (1 - beta_2) beta_2^k, w_k the lag weights of a filter
// (docs/theory/adaptive.md). Gradients are normal given their batch's residuals, of power q.

/// A, the slope of E F against a signal of all lags, in units of 1/sqrt(E q); C = C(1) = sum over
/// lags of E F F', what adds up in a random walk; C_0 = C'(0), that sum between coordinates of
/// small correlation, over it.
struct AdaptiveScalars {
  double gain, noise, linear;
};

struct SumsOverLags;
/// The sums at s of q = 1 (large batches) over all lags.
SumsOverLags steady_sums(double s, const LagWeights& weights, double beta2);

/// Of q that does not fluctuate (large batches), in closed form but for the integrals; 1e-9.
/// C_0 = A^2.
class SteadyScalars {
 public:
  SteadyScalars(const LagWeights& weights, double beta2);
  AdaptiveScalars scalars() const { return {gain_, noise_, gain_ * gain_}; }
  /// C(rho), rho in [0, 1]: between coordinates of any correlation.
  double noise_between(double rho) const;

 private:
  struct Node {
    double s, weight;  // of ds/sqrt(pi s)
    double later;      // H(s)
  };
  LagWeights weights_;
  double beta2_, gain_, noise_;
  std::vector<Node> nodes_;
};

/// Of any batch and noise law at risk R: the scalars, and the power N of the gradient's noise over
/// h that `gain` is in units of: 2P/b, or 1/A^2 (then A = 1) where that is infinite.
struct AdaptiveNoise {
  double power;
  AdaptiveScalars scalars;  ///< C and C_0 of the steps so far; A of many
  double started = 1;       ///< A of the steps so far over A
  double passed = 1;        ///< A^2 over the square of what this step's noise moves by in all
};
class AdaptiveLaw {
 public:
  AdaptiveLaw(const NoiseLaw& noise, int batch, GradientOf entries, const LagWeights& weights,
              double beta2);
  /// A and C to about 1e-6. After so many steps from nothing, of means over what weights they have
  /// by then: A and C to about 1e-3, C_0/C between that of SignSGD and the last.
  AdaptiveNoise operator()(double risk, double steps = HUGE_VAL) const;
  /// What directions share through the linear part of a batch: sampled (fixed seed).
  SharedNoise shared(double risk) const;

  /// Of the gradient's squares, and of what they are on average over normals given the batch; in
  /// units of a typical power at R.
  BatchPower power(double risk) const;
  BatchPower power_of_means(double risk) const;
  const LagWeights& weights() const { return weights_; }
  double beta2() const { return beta2_; }
  /// log2 R, within what makes a difference: from where noise rules to where it is nothing.
  double place(double risk) const;

 private:
  AdaptiveScalars at(double risk) const;  // of A in raw units, 1/sqrt(q)
  /// log A_t/A, log C_t/C and the log of `passed` after t = 1, 2, 4, .. steps.
  using Starts = std::vector<Eigen::Array3d>;
  /// C_0/A^2, of A in raw units where the power is infinite. It varies slowly with R.
  double linear(double risk) const;
  SharedNoise sampled(double risk) const;
  /// A typical power of the residuals, the median of z^2 being 0.45.
  double typical(double risk) const { return (scale_ + 0.9 * risk) / batch_; }
  /// Steps after which starts are over.
  double start_memory() const { return 8 / (1 - std::max(beta2_, weights_.beta)); }
  Starts starts(double risk) const;

  NoiseLaw noise_;
  ResidualLaw law_;
  int batch_;
  GradientOf entries_;
  LagWeights weights_;
  double beta2_;
  using Table = LogChebyshevOf<8>;  // of R^(1/4)
  struct Done {
    std::mutex lock;
    std::map<double, AdaptiveScalars> at;
  };
  /// Of a function of R by its values at powers of 4 times kRiskOfNodes: cubics in log R.
  template <class F>
  auto between_powers_of_4(double risk, const F& f) const;
  double linear_at(int power_of_4) const;
  const SharedNoise& shared_at(int power_of_16) const;
  const Starts& starts_at(int power_of_4) const;
  struct Spreads;
  std::shared_ptr<const Table> gain_, ratio_;
  std::shared_ptr<Spreads> spreads_;
  double scale_;  // a typical epsilon^2
  /// Of Gaussian residuals, 2P/b = 1: the same whatever their noise.
  struct Unit {
    AdaptiveScalars scalars{};
    Starts starts;
  };
  Unit gaussian_unit() const;
  std::shared_ptr<const Unit> unit_;  ///< empty: they are not Gaussian
};

}  // namespace riskcurve
