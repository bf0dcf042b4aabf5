#pragma once
#include <cmath>
#include <memory>

#include "integrate/look.hpp"

namespace riskcurve {

/// Many steps of a recursion at once, where little changes from one to the next: maps and noise on
/// a parabola through three looks, powers by doubling, also for modes that have long forgotten
/// where they began. The error of R (and of the average's) by what a line through two makes of it
/// (docs/theory/chain.md#long-runs).
class Leaper {
 public:
  Leaper(const Recursion& recursion, double rtol, double horizon = INFINITY)
      : recursion_(recursion), rtol_(rtol), horizon_(horizon) {}

  /// Whether the chain allows it: nothing happens every so many steps.
  static bool can(const Recursion& recursion);

  /// Takes up to `most` steps from step k; returns how many, 0 where steps are better taken one by
  /// one: fewest() of them.
  double leap(double k, double most, double& weights, BlockState& state);
  /// Steps from k to the next break of what they depend on, or to the horizon, from where schedules
  /// are not asked.
  double until_break(double k) const;
  double fewest() const {
    const auto& filtered = recursion_.system().filtered;
    return filtered ? (filtered->covariance ? (filtered->lasting ? 64 : 256) : 24) : 32;
  }

 private:
  BlockState led(const Way& way, double steps, const BlockState& from, bool with_lags = true) const;
  /// Whether schedules do, from one step to the next as over n of them.
  bool goes_on(double k, double n) const;
  /// At the step after `steps` from k, of the state `before` it.
  std::unique_ptr<Look> look(double k, double steps, double weights, BlockState before,
                             const Look* near = nullptr) const;
  double weights_after(double k, double n, double weights) const;

  const Recursion& recursion_;
  double rtol_, horizon_;
  double length_ = 64;  ///< to try next
  double rest_ = 0;     ///< length of a leap that hardly changed, nor its rates
  int trusted_ = 0;     ///< leaps of no more steps that are taken as they are: nothing happens
  std::unique_ptr<Look> kept_;  ///< at the step after the last leap
  double kept_at_ = -1;
};

}  // namespace riskcurve
