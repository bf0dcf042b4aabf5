#pragma once
#include "integrate/recursion.hpp"

namespace riskcurve {

/// Many steps of a recursion at once, where little changes from one to the next: maps and noise of
/// the middle, and to first order what changes along the way, in powers by doubling. Second order,
/// also of modes that have long forgotten where they began; the error of R (and of the average's)
/// by halving, and extrapolated (docs/theory/chain.md#long-runs).
class Leaper {
 public:
  Leaper(const Recursion& recursion, double rtol) : recursion_(recursion), rtol_(rtol) {}

  /// Whether the chain allows it: nothing happens every so many steps.
  static bool can(const Recursion& recursion);

  /// Takes up to `most` steps from step k; returns how many, 0 where steps are better taken one by
  /// one: fewest() of them.
  double leap(double k, double most, double& weights, BlockState& state);
  double fewest() const {
    const auto& filtered = recursion_.system().filtered;
    return filtered ? (filtered->covariance ? 256 : 24) : 32;
  }

 private:
  /// `at`: that of the first step, `instant(k, 0, weights, from)`.
  BlockState after(double k, double n, double weights, const BlockState& from,
                   const BlockInstant& at) const;
  BlockState filtered_after(double k, double n, double weights, const BlockState& from,
                            const BlockInstant& at) const;
  /// Whether schedules do, from one step to the next as over n of them.
  bool goes_on(double k, double n) const;
  /// Of the step after `steps` from k.
  BlockInstant instant(double k, double steps, double weights, const BlockState& state) const;
  double weights_after(double k, double n, double weights) const;

  const Recursion& recursion_;
  double rtol_;
  double length_ = 64;  ///< to try next
  double rest_ = 0;     ///< length of a leap that hardly changed, nor its rates
  int trusted_ = 0;     ///< leaps of no more steps that are taken as they are: nothing happens
};

}  // namespace riskcurve
