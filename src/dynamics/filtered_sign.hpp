#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "dynamics/batch_samples.hpp"
#include "dynamics/cubic.hpp"
#include "dynamics/entry_transform.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {

// The sign of a filtered gradient, U = p M + r G, M <- beta M + (1 - beta) G, p + r = 1
// (docs/theory/chain.md#a-filter-before-the-map).

/// Its lag weights w_0 = r, w_l = p (1 - beta) beta^(l-1), which add to one.
struct LagWeights {
  double beta, first, later;  ///< w_0; (1 - beta) p: w_1

  LagWeights(double momentum, double share);
  double sum(double steps) const;                 ///< sum w_l, l < steps
  double squares(double steps = HUGE_VAL) const;  ///< sum w_l^2, l < steps
  double correlation()
      const;  ///< r_1, of the weights with themselves one later: r_l = r_1 beta^(l-1)
};

/// The noise of the gradient as the sign sees it. Lags add up to S = sum w_l^2 q_l, q = |l|^2/b^2,
/// and D = sum over steps t of w_t/sqrt(S_t) is what the noise of one batch moves the sign by:
///     seen N:    a filtered gradient's sign has the slope sqrt(2/pi)/sqrt(N sum w_l^2) per unit of
///                signal; 2P/b where the memory is long and the residuals' variance finite;
///     felt:      E q D^2 sum w_l^2, in N: the noise of the sign's linear part, against that slope;
///     remainder: sum over lags of E arcsin r_l - r_l, r_l the correlation of M and M l steps
///     later,
///                over its value where S does not fluctuate.
/// N to about 1e-6, the others to 1e-3. No moment of the noise is needed.
struct SignNoise {
  double seen, felt, remainder;
};
class FilteredNoise {
 public:
  /// Varying momentum is interpolated, in cubics of log(1 - beta); else computed for every value.
  FilteredNoise(const NoiseLaw& noise, int batch, GradientOf entries, const Filter& filter);
  /// After so many steps from nothing, where the residuals are not Gaussian: N of the lags so far.
  SignNoise operator()(double risk, double momentum, double steps = HUGE_VAL) const;
  /// What directions share through a batch, by the linear part: sampled (fixed seed).
  SharedNoise shared(double risk, double momentum) const;

 private:
  /// What they depend on beside R and beta.
  struct Setting {
    NoiseLaw noise;
    ResidualLaw law;
    int batch;
    GradientOf entries;
    Filter filter;
    std::shared_ptr<BatchDraws> draws;
    LagWeights weights(double momentum) const { return {momentum, filter.share_of(momentum)}; }
    double seen(double risk, double momentum) const {
      return seen(entry_transform(law, risk, entries), momentum);
    }
    double seen(const EntryTransform& of, double momentum, double steps = HUGE_VAL) const;
    /// The others, with seen = 1.
    SignNoise spread(double risk, double momentum) const;
    Eigen::Array3d shared(double risk, double momentum) const;
    /// After t = 1, 2, 4, .. steps, the last 0: log N_t/N, and the log of what the filter holds of
    /// noise that grew so over what it would of N_t from the start on.
    std::vector<Eigen::Array2d> starts(double risk, double momentum) const;
    static constexpr double kStart = 8;  // times 1/(1 - beta), until they are over
  };
  /// Of one momentum; filled as it is asked for.
  class AtMomentum {
   public:
    AtMomentum(const Setting& setting, double momentum);
    SignNoise operator()(double risk, double steps) const;
    Eigen::Array3d shared(double risk) const;

   private:
    static constexpr int kLowest = -540, kHighest = 540;  // powers of 4 of R
    struct Node {
      std::once_flag filled, drawn;
      SignNoise spread;
      std::vector<Eigen::Array2d> starts;
      Eigen::Array3d shared;
    };
    Node& node_at(int power_of_4) const {
      return nodes_[static_cast<std::size_t>(power_of_4 - kLowest)];
    }
    const Node& spread_at(int power_of_4) const;
    const Eigen::Array3d& shared_at(int power_of_4) const;
    /// Of R, from where noise rules to where it is nothing: cubics, beyond which nothing changes.
    /// f says what each of the nodes has, of which there is one in so many powers of 4.
    template <class F>
    auto between(double risk, int powers, const F& f) const;
    Setting setting_;
    double momentum_;
    LogChebyshevOf<10> seen_;  ///< of R^(1/4), in which an octave is four of R; 1e-7
    double scale_ = 0;         ///< a typical epsilon^2
    /// Gaussian residuals: N over 2P.
    struct Unit {
      double seen = 0;
      SignNoise spread{};
    };
    Unit unit_;
    std::unique_ptr<Node[]> nodes_;
  };
  struct Tables {
    std::mutex lock;
    std::map<double, std::unique_ptr<const AtMomentum>> of;
    std::once_flag filled;
    std::unique_ptr<const AtMomentum> first;  ///< of filter.momentum, where that does not vary
  };
  const AtMomentum& of(double momentum) const;

  Setting setting_;
  Filter filter_;
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

/// c of a filtered gradient's signal: over the root of its noise, the same in all modes, as signs
/// see it.
double signal_scale(const FilteredGradient& u, const SignNoise& noise);

/// sum_l f_l over lags at once: log m at y + log w_l, and w_l Q there, over lags l < steps.
struct LagSums {
  double log, slope;
};
LagSums lag_sums(const EntryTransform& transform, double y, const LagWeights& weights,
                 double steps = HUGE_VAL);

/// Between two times of a filter: E q D^2 sum w_l^2, and the sum over lags of E arcsin r_l - r_l,
/// of batches with this transform. 1e-3 (docs/theory/chain.md#a-filter-before-the-map).
struct SignSpread {
  double felt, remainder;
};
SignSpread sign_spread(const EntryTransform& batch_of_one, int batch, const LagWeights& weights);

/// (2/pi) sum over all lags of arcsin(rho r_l) - rho r_l, rho = sin(theta): what the sign adds to
/// the noise of its linear part, between coordinates of correlation rho.
double sign_remainder(double theta, const LagWeights& weights);

/// A function of x >= 0 between its values at whole x: cubics.
template <class F>
auto between_wholes(double x, const F& f) {
  return cubic_from(std::max(0.0, std::floor(x) - 1), x, f);
}
/// Momenta that tables are made for are whole multiples of it in -log(1 - beta).
inline constexpr double kMomentaApart = 0.125;
/// Of momentum between few of its values: cubics in log(1 - beta).
template <class F>
auto between_momenta(double momentum, const F& f) {
  return between_wholes(-std::log1p(-momentum) / kMomentaApart,
                        [&](double whole) { return f(-std::expm1(-kMomentaApart * whole)); });
}

}  // namespace riskcurve
