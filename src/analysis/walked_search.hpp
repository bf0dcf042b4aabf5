#pragma once
#include "analysis/least_risk.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// min over constant steps of log R(T) of a system that can_walk, to 2e-3 of R. A walk at step
/// gamma foretells the others: with R_F what is left of the start and R_N the noise,
///
///     R(T; e^x gamma) ~ R_F(e^x T; gamma) + e^2x R_N(e^x T; gamma),
///
/// exact while either rules, also where sqrt(R) falls straight to its floor and the best step is
/// the notch that gets there at T. What the walks before differ from this by, e^(tilt x), is taken
/// along, also to the next horizon (docs/theory/phases.md#best-steps).
class WalkedSearch {
 public:
  explicit WalkedSearch(const ModeSystem& system) : system_(system) {}
  /// From log_step. Throws Failure where no step down from it comes to an end.
  Least operator()(double horizon, double log_step);
  /// From a guess that may be far below the best. Where entries move by their sign (no means are
  /// seen), R swings with the step beyond the first dip, and dips there are where its swings happen
  /// to meet T, which runs smear out: the least of the first.
  Least from_afar(double horizon, double log_step);

 private:
  double log_risk(double horizon, double log_step) const;

  const ModeSystem& system_;
  double tilt_ = 0;
  bool tilted_ = false;    // tilt_ has been seen
  bool borrowed_ = false;  // the last horizon had its tilt from the one before
};

}  // namespace riskcurve
