#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/dynamics/blocks.hpp"
#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// An instant of a run, as rates see it.
struct Now {
  double time = 0;                        ///< iteration time t, one unit a step
  double gamma = 0;                       ///< raw step size; 0 where there is none in question
  double risk = 0;                        ///< R > 0
  Eigen::ArrayXd extra = {};              ///< e, in the shape of extra_initial
  const Eigen::ArrayXd* state = nullptr;  ///< s of all modes where whoever asks has it
  double momentum = 0;                    ///< of a filter before the map
  double filtered = 0;  ///< the signal of the filtered gradient (Blocks::filtered_total)
  double signal = 0;    ///< that of the gradient itself, where a system has RootOfSquares
};

/// The scalar factors of the rates at one instant: g_q and n_r below.
struct Response {
  Eigen::ArrayXd drift;      ///< g_q, shape (Q)
  Eigen::ArrayXd diffusion;  ///< n_r, shape (N)
};

/// a_k and c_k at one instant, shape (modes).
struct Rates {
  Eigen::ArrayXd drift, diffusion;
};

/// A quantity of every mode's directions, and how it answers; shape (modes).
struct DirectionRate {
  Eigen::ArrayXd value;
  Eigen::ArrayXd by_mean, by_variance, by_gain;  ///< slopes; empty unless asked for
};
/// What a map makes of a direction whose input U has mean m and variance v over runs: its mean is
/// mean m, its linear part drift (U - m), and what is left has `rest` times the variance that it
/// has at m = 0.
struct DirectionRates {
  DirectionRate mean, drift, rest;
};
/// A map behind a filter that sees single directions, small signals or large ones: moments of mode
/// k are S = C + n m m^T of n = multiplicity directions, m the mean over runs of each, and
///
///     m <- A(mean_k) m,    C <- A(drift_k) C A(drift_k)^T + rest_k c_after q q^T + c_before z z^T
///
/// in the words of Blocks, rates at the mean f^T m and the variance f^T C f/n + r^2 c_before/n of
/// the filtered gradient (docs/theory/chain.md#single-directions).
struct DirectionMap {
  /// drift: one number, the gain g; diffusion as ModeSystem::response has it, at m = 0.
  std::function<Response(const Now& now)> response;
  std::function<DirectionRates(double gain, double momentum, const Eigen::ArrayXd& mean,
                               const Eigen::ArrayXd& variance, bool slopes)>
      rates;
};

/// What a map of a filtered gradient U = p M + r G is given at step k: second moments over one
/// direction of each mode, gradients over h, shape (modes).
struct FilteredGradient {
  Eigen::ArrayXd weight, multiplicity;  ///< h, and the directions of each mode
  double time = 0;                      ///< k
  double risk = 0, memory = 0;     ///< R, and its mean over what M holds, by the square of weights
  double momentum = 0;             ///< beta of M <- beta M + (1 - beta) G
  double fresh = 1, share = 0;     ///< r, p
  Eigen::ArrayXd error;            ///< E of y^2, y the error that the newest gradient answers to
  Eigen::ArrayXd cross, signal;    ///< E y M, and E M^2 without the noise of samples in it
  Eigen::ArrayXd noise;            ///< E M^2 of that noise
  Eigen::ArrayXd mean, held_mean;  ///< E y and E M over runs; empty unless FilteredMap::sees_means
  Eigen::ArrayXd squares;          ///< V before the step; empty without RootOfSquares
};
/// And what it makes of it: f(U) = h (fresh r G + held p M) + rest, of E f^2 = power.
struct FilteredAnswer {
  Eigen::ArrayXd fresh, held;  ///< slopes by the mean of the newest gradient, and by the memory
  Eigen::ArrayXd fresh_noise;  ///< by the newest gradient's noise
  Eigen::ArrayXd sampled;      ///< variance of that noise, gradients over h
  Eigen::ArrayXd power;        ///< E of one direction's f^2
  Eigen::ArrayXd squares;      ///< V with this step's; empty without RootOfSquares
  Eigen::ArrayXd fresh_of_mean,
      held_of_mean;                       ///< what E y and E M answer with, where they are seen
  std::shared_ptr<const void> resolvent;  ///< for `covariance`, and to start the next answer from
};
/// A map of the filtered gradient that sees a signal of any size: slopes differ between modes and
/// between what is new and what is remembered, and what is not linear is correlated over time. Mode
/// k holds one direction's moments S, and
///
///     X <- A X + z zeta + q rho,   A = fixed + q (fresh v^T r + held p e_M^T) h,
///
/// E rho_t rho_(t-n) from `covariance`, given the correlation of the linear parts at both times
/// (docs/theory/signal.md). Solved step by step. With `sees_means` X = m + what runs differ by,
/// m <- A(of_mean) m; with `lasting` rests are correlated for as long as gradients are.
struct FilteredMap {
  std::function<FilteredAnswer(const FilteredGradient& gradient, const FilteredAnswer* last)>
      answer;
  std::function<Eigen::ArrayXd(const FilteredAnswer& now, const FilteredAnswer& then,
                               const Eigen::ArrayXd& correlation)>
      covariance;  ///< empty: too little to count
  bool sees_means = false, lasting = false;
};

/// What a root does that lasts and does not average itself: errors fall sooner where v is small.
/// With r(u) = E[Delta^2 e^(-x v)]/(E Delta^2 E e^(-x v)) at nodes u = -log E e^(-x v), the first u
/// = 0, and a the rate of all v,
///
///     r Delta^2 <- moved r Delta^2 - 2 gamma a drift r Delta^2 + what is the same under all v,
///
/// likewise E Delta with gamma a. Source: ours; docs/theory/adaptive.md#a-root-that-lasts.
struct RootTilts {
  Eigen::MatrixXd drift, moved;  ///< shape (nodes, nodes)
};

/// Updates over the root of a running mean of squares, as Adam's: V_k, of mode k in units of h,
///
///     V_k <- keep V_k + take (N + signal_k),
///     V_hat = V_k, or `corrected` V_k/(1 - keep^t) after t steps,
///     g_k = 1/(sqrt(V_hat) + floor_k),                 rates g_k a_k, and g_k^2 c_after,
///
/// `each`: signal_k = h_k s_k/n_k of the mode's directions, floor_k = floor/sqrt(h_k), and g_k a_k
/// times under(signal_k/N, t + 1), more than 1; else the mean over all, sum drift_j h_j s_j/sum
/// drift_j n_j, and floor. V(0) = 0. Of a FilteredMap V is what its answers say it is, of
/// coordinates. Source: ours; docs/theory/adaptive.md.
struct RootOfSquares {
  double keep = 0, take = 1;
  bool corrected = false, each = false;
  double floor = 0;
  std::function<double(const Now& now)> power;  ///< N
  /// What a signal does to the rates beside the root; empty: nothing.
  std::function<Eigen::ArrayXd(const Eigen::ArrayXd& share, double steps)> under;
  /// Over the steps up to now, a few; empty: v averages itself.
  std::function<RootTilts(const Now& now, double steps)> tilts;
};

/// The noise of a step that all directions share: through the batch's residuals l_i = g_i -
/// epsilon_i, g_i = <x_i, Delta>. An update of length S along y = sum l_i x_i/|l| moves sum p_k s_k
/// by -2 gamma X alpha + gamma^2 Y beta, and what single directions add, with alpha = sum p a s,
/// beta = sum p c, X = S G/E[S G], G = sum l_i g_i/|l|, and Y = S^2/E[S^2]. All are O(1/b), and
/// count at leading order: see docs/theory/bands.md#two-sources-of-spread, which derives them for
/// each optimizer.
struct SharedNoise {
  double progress_variance = 0;  ///< Var X - 2R E[S^2]/E[S G]^2: less what single directions have
  double covariance = 0;         ///< Cov(X, Y)
  double size_variance = 0;      ///< Var Y; +inf where a fourth moment of the noise is
};

/// Noise that is correlated between modes, each a single direction of amplitude x_k, s_k = x_k^2.
struct Correlation {
  Eigen::ArrayXd initial;  ///< x_k(0) with its sign, shape (modes)
  /// F of dB = F dW, W of independent Brownian motions, rows of unit length or zero: shape (modes,
  /// rank).
  Eigen::MatrixXd factor;
};

/// A risk below this is reported as 0: what a mode system is made of would leave the doubles.
constexpr double kVanishedRisk = 1e-280;

/// The mode system: what every optimizer produces, and all that integrators and analyses read.
/// Mode k carries a second moment s_k >= 0; with k steps of raw size gamma (iteration time t, one
/// unit a step),
///
///     ds_k/dt = -2 gamma(t) a_k s_k + gamma(t)^2 c_k,         R = sum_k h_k s_k / 2,
///     a_k = sum_q g_q(now) drift(k, q),   c_k = sum_r n_r(now) diffusion(k, r),
///     de/dt = extra_rate(now),            now = (t, gamma, R, e, s).
///
/// Q = N = 1 for most optimizers: fixed vectors times scalar responses
/// (docs/theory/mode-system.md). Larger Q, N are rates that are a short sum of products; e are
/// extra scalar states (Adam's mean second moment). Noise correlated between steps enters through
/// c_k as its sum over lags. A mode may stand for many (a group of equal rates, a quadrature node):
/// s_k and c_k are then sums. Source: (C) 2406.11733, (S) 2411.12135 for SGD, clipped SGD and
/// SignSGD; the form is ours.
struct ModeSystem {
  Eigen::ArrayXd weight;        ///< h_k >= 0, shape (modes)
  Eigen::ArrayXXd drift;        ///< shape (modes, Q)
  Eigen::ArrayXXd diffusion;    ///< shape (modes, N)
  Eigen::ArrayXd initial;       ///< s_k(0) >= 0, shape (modes)
  Eigen::ArrayXd multiplicity;  ///< directions each mode stands for; may be empty (unknown)

  /// g and n. Like all functions here safe to call from several threads at once, with numbers that
  /// do not depend on who asked before.
  std::function<Response(const Now& now)> response;

  Eigen::ArrayXd extra_initial;  ///< e(0); empty for most
  std::function<Eigen::ArrayXd(const Now& now)> extra_rate;

  /// What stands around the update; empty: nothing, and mode k carries s_k alone.
  std::optional<Blocks> blocks;
  /// Of blocks whose map sees single directions. `response` then says what a map that sees the
  /// mean over all of them would do: what slow observers ask for.
  std::optional<DirectionMap> directions;
  /// Of blocks whose map sees signals of any size; `response` then stands for small ones.
  std::optional<FilteredMap> filtered;
  /// What updates are divided by, beside the response's part; solved step by step.
  std::optional<RootOfSquares> squares;

  std::vector<double> breaks;  ///< iteration times where the response is not smooth in t
  double noise_variance = 0;   ///< E epsilon^2: P = R + noise_variance/2; may be +inf

  /// Named quantities worth reading along the curve: for SignSGD its four effects. They are given
  /// the system they are read from, which may be a compressed one (compress, below).
  std::map<std::string,
           std::function<double(const ModeSystem& system, const Now& now, const Eigen::ArrayXd& s)>>
      observable;
  std::vector<std::string> warnings;  ///< approximations made while it was filled

  // What its optimizer knows of itself beyond the mean curve; empty where it is not known.
  std::string optimizer;  ///< its name, for messages
  std::function<SharedNoise(const Now& now)> shared_noise;
  /// The relative loss of drift at finite dimension, to first order in its inverse:
  /// ds_k = -2 gamma (1 - loss) a_k s_k dt + .. (docs/theory/bands.md).
  std::function<double(const ModeSystem& system, const Now& now, const Eigen::ArrayXd& s)>
      drift_loss;
  /// Signal over noise of the gradient at risk R, where the rates hold for a small one
  /// (signal.hpp).
  std::function<double(double risk)> signal;
  /// Empty: independent, or taken to be.
  std::function<Correlation()> correlation;

  Eigen::Index modes() const { return weight.size(); }
  double risk(const Eigen::ArrayXd& s) const { return 0.5 * (weight * s).sum(); }

  /// t = 0, R(0) and e(0), the step size left open.
  Now start() const { return {0, 0, risk(initial), extra_initial, &initial}; }
  /// The response with the largest g of RootOfSquares once V is N.
  Response steady_response(const Now& now) const;
  /// t, or where means of squares fade a time when their start is forgotten.
  double settled(double t) const;
  /// An instant at risk R, settled, with what a filter before the map holds when it has run long,
  /// of noise alone.
  Now steady(double t, double gamma, double risk) const;
  /// What an observer slower than the chain's memory sees, ds/dt = -2 gamma a s + gamma^2 c: the
  /// rates with everything that the buffer adds up.
  Rates steady_rates(double t, double gamma, double risk) const;
  /// a and c, now or of given factors.
  Rates rates(const Now& now) const { return rates(response(now)); }
  Rates rates(const Response& factors) const {
    return {(drift.matrix() * factors.drift.matrix()).array(),
            (diffusion.matrix() * factors.diffusion.matrix()).array()};
  }
};

/// sum_k h_k a_k s_k and sum_k h_k c_k: dR/dt = -gamma descent + gamma^2 injected/2. Their ratio is
/// the step size of fastest descent.
struct Flux {
  double descent, injected;
};
inline Flux flux(const ModeSystem& system, const Rates& rates, const Eigen::ArrayXd& s) {
  return {(system.weight * rates.drift * s).sum(), (system.weight * rates.diffusion).sum()};
}

/// Throws InputError unless shapes agree, numbers are finite and h, drift, s(0) are non-negative.
void validate(const ModeSystem& system);

/// The same risk curve from fewer modes. The risk depends on the modes only through the measures
/// h s(0) and h c over the rate a, and on those only through integrals of e^(-2 a tau), analytic in
/// log a. So each octave of a keeps, of each measure, the Gauss rule with `nodes` points: positive
/// weights, exact to degree 2 nodes - 1 (8 nodes: about 1e-13 of R at every tau). Octaves with
/// fewer modes keep them as they are; cost after it does not depend on the dimension. Rates below
/// `slow` share one rule: on clocks tau up to 1/(4 slow) they have not decayed enough to differ (5
/// nodes: 1e-9 of R).
/// In the result h = 1: s_k is twice the mode's share of the risk.
/// Systems with several drift products, or fewer modes than it would leave, come back unchanged.
/// Modes of a DirectionMap are merged where weight and mean square are alike (1e-3 of R).
/// Observables indexed by the original modes turn nan; drift_loss and correlation are left out.
/// Source: docs/theory/integrator.md#compression; ours.
ModeSystem compress(const ModeSystem& system, int nodes = 8, double slow = 0);
/// The same with `nodes` points for the octave below each rate: underdamped blocks turn, and ask
/// for more (docs/theory/chain.md#compression).
ModeSystem compress(const ModeSystem& system, const std::function<int(double rate)>& nodes,
                    double slow = 0);

}  // namespace riskcurve
