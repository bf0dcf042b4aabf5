#pragma once
#include <deque>
#include <functional>
#include <memory>

#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Of a FilteredMap, n steps ago; shape (modes, M). Steps long ago are taken together.
struct FilteredLag {
  Eigen::ArrayXXd covariance;  ///< of X with the linear part of the map then
  Eigen::ArrayXXd response;    ///< of X to the rest of the map then, summed over the steps
  Eigen::ArrayXd linear;       ///< E of the square of that linear part
  Eigen::ArrayXd mean;         ///< and its mean, where means are seen
  double steps = 1;
  std::shared_ptr<const FilteredAnswer> answer;
  Eigen::ArrayXd rest;  ///< E of the rests then and now, as last looked at
};
/// What a FilteredMap remembers, one direction of each mode.
struct FilteredPast {
  std::deque<FilteredLag> lags;      ///< the last step first
  Eigen::ArrayXd noise;              ///< E M^2 of samples' noise, over h^2
  double risk = 0, weight = 0;       ///< mean of R over the memory by the squares of its weights
  double looked = -1, interval = 1;  ///< when `rest` was, and how long it serves
  bool steady = false;  ///< of steps that were all alike: nothing is kept for the next answer
};

/// Of RootTilts, made anew every few steps: of modes' errors, as parts of E Delta^2 and of E
/// Delta(0), shape (padded modes, nodes).
struct TiltedErrors {
  Eigen::ArrayXXd square, mean;           ///< the mean under weight decay alone
  Eigen::ArrayXd share, share_of_square;  ///< of the mean rate, by either; empty: 1
  Eigen::ArrayXd squares;                 ///< s when they were made
  Eigen::ArrayXd progress;                ///< sum of gamma a since
  double steps = 0, decay = 0;            ///< steps since, and their sum of gamma omega
};

/// The moments of all modes between two steps, padded to whole lanes (block_lanes.hpp).
struct BlockState {
  Eigen::ArrayXXd own;     ///< S, shape (padded modes, M (M + 1)/2)
  Eigen::ArrayXXd cross;   ///< between two workers; empty where there is one
  Eigen::ArrayXXd mean;    ///< of one direction, shape (padded modes, M); empty without directions
  Eigen::ArrayXd squares;  ///< V, padded; empty without RootOfSquares
  TiltedErrors errors;     ///< empty without RootTilts
  FilteredPast past;       ///< empty without FilteredMap
};

/// All that one step does: computed from the state it begins with.
struct BlockInstant {
  ChainNow chain;
  BlockStep step;
  Now now;  ///< with R and the filtered signal
  Response factors;
  Eigen::ArrayXd drift, after, before;  ///< a, c_after, c_before; padded. Empty: 0
  bool jumps = false;

  // With RootOfSquares: V of this step, g and what is under its root over V; what squares gain,
  // over gamma^2 s, by errors that go with v (empty: 0)
  Eigen::ArrayXd squares, gain, excess;
  Eigen::ArrayXd share, beside;  ///< signal over noise, and what that does to a; empty: nothing
  double grown = 1;

  // With a FilteredMap:
  std::shared_ptr<const FilteredAnswer> answer;

  // With directions:
  DirectionRates directions;      ///< padded
  Eigen::ArrayXd mean, variance;  ///< what they are rates of; padded
  Eigen::ArrayXd after_at_zero;   ///< c_after where there is no mean
};

/// The recursion of theory-free blocks, S <- A S A^T + noise, a step at a time.
class Recursion {
 public:
  Recursion(const ModeSystem& system, const Schedule& schedule);

  BlockState start() const;
  /// `weights` is the sum of gamma_i^weight_power over the steps before k.
  BlockInstant instant(double k, double weights, const BlockState& state,
                       bool slopes = false) const;
  void advance(const BlockInstant& instant, BlockState& state) const;
  double risk(const BlockState& state) const { return form(state, weight_, blocks_.gradient_at); }
  /// nan without an average.
  double averaged_risk(const BlockState& state) const;
  /// s_k = v^T S_k v, shape (modes).
  Eigen::ArrayXd squares(const BlockState& state) const;

  /// The step size at step k. Throws InputError unless it is finite and >= 0.
  double gamma(double k) const;
  const ModeSystem& system() const { return system_; }
  const Blocks& blocks() const { return blocks_; }
  const Schedule& schedule() const { return schedule_; }
  const Eigen::ArrayXd& weight() const { return weight_; }      ///< h, padded
  const Eigen::ArrayXd& inverse() const { return inverse_; }    ///< l, padded; empty: 0
  const Eigen::ArrayXd& filtered() const { return filtered_; }  ///< drift h/filtered_total, padded
  const Eigen::ArrayXd& multiplicity() const { return multiplicity_; }  ///< n, padded with ones
  /// Workers that meet are taken to see the mean over directions.
  bool sees_directions() const {
    return system_.directions && system_.blocks && blocks_.workers == 1;
  }
  bool sees_means() const {
    return sees_directions() || (system_.filtered && system_.filtered->sees_means);
  }
  Eigen::Index padded() const { return padded_; }
  Eigen::ArrayXd pad(const Eigen::ArrayXd& values) const;

 private:
  /// sum_k weight_k x^T S_k x/2
  double form(const BlockState& state, const Eigen::ArrayXd& weight, const BlockVector& x) const;

  void divide_by_root(const BlockState& state, BlockInstant& at) const;
  void answer_filtered(const BlockState& state, BlockInstant& at) const;
  void see_directions(const BlockState& state, bool slopes, BlockInstant& at) const;

  const ModeSystem& system_;
  const Schedule& schedule_;
  Blocks blocks_;
  Eigen::Index padded_;
  Eigen::ArrayXd weight_, inverse_, filtered_, multiplicity_, floor_;
};

// Blocks of a DirectionMap, mode by mode (recursion_directions.cpp).

/// m(0), from S(0) = n m m^T.
Eigen::ArrayXXd means_of(const BlockState& state, const Eigen::ArrayXd& multiplicity, int size);
void advance_directions(const Recursion& recursion, const BlockInstant& at, BlockState& state);
/// Updates over a root that lasts (recursion_tilted.cpp): what a step's rates are for errors that
/// go with v, and these errors after it.
void share_drift(const TiltedErrors& errors, BlockInstant& at);
void tilt_errors(const Recursion& recursion, const BlockInstant& at, BlockState& state);
/// Blocks of a FilteredMap (recursion_filtered.cpp).
void advance_filtered(const Recursion& recursion, const BlockInstant& at, BlockState& state);

/// The recursion from `state` = start() on, which ends as the last state; `visit` sees the state
/// before every step, and the sum of gamma^weight_power over earlier ones. Without a visitor, runs
/// of more than kLeapAbove steps take many at once where that is exact to 1e-6 of R a leap.
constexpr double kLeapAbove = 5e5, kLeapAboveFiltered = 5e3;
RiskCurve march(const Recursion& recursion, const Eigen::ArrayXd& at, const SolveOptions& options,
                BlockState& state,
                const std::function<void(long k, double weights, const BlockState& state)>& visit);

/// solve() by the recursion: of a system with blocks, or of the bare update.
RiskCurve solve_recursion(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
                          const SolveOptions& options);

/// The continuum of blocks by Odeint's dopri5: first order in the step size, for cross-checks.
/// Throws InputError for chains that have none.
RiskCurve solve_block_flow(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
                           const SolveOptions& options);

/// sensitivity() of the recursion, exact but for the shares of TiltedErrors, taken as they are.
Sensitivity sensitivity_of_recursion(const ModeSystem& system, const Schedule& step, double horizon,
                                     const SolveOptions& options);

}  // namespace riskcurve
