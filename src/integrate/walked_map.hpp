#pragma once
#include <deque>
#include <memory>

#include "integrate/filtered_past.hpp"

namespace riskcurve {

// A FilteredMap with nothing around it, y <- y - gamma f, as walks look at it and remember it
// (docs/theory/signal.md#many-steps-at-once).

/// A^n and sum_(i < n) A^i of every mode.
struct Repeats {
  Eigen::ArrayXd power, sum;
  Repeats(const Eigen::ArrayXd& map, double n);
};

/// What a step does, all modes.
struct WalkRates {
  Eigen::ArrayXd drift, of_mean;  ///< h fresh
  Eigen::ArrayXd noise, rest;  ///< variances: of samples in the linear part, of what is not linear
  Eigen::ArrayXd comes;        ///< E y rho of rests before
};

class WalkedMap {
 public:
  WalkedMap(const ModeSystem& system, double step);

  /// The rates of the step that comes, with these errors: y has a mean over runs where it is seen.
  WalkRates look(double k, const Eigen::ArrayXd& spread, const Eigen::ArrayXd& mean);
  /// E of the square of the linear part.
  Eigen::ArrayXd linear(const WalkRates& r, const Eigen::ArrayXd& spread,
                        const Eigen::ArrayXd& mean) const;

  /// What n steps of the answer last looked at leave of their rests, A = `map` each; errors and
  /// linear part as they were in their middle. What lasts is kept by halves of its age, the newest
  /// 1/`newest` of the steps as one.
  struct Steps {
    const Eigen::ArrayXd &spread, &mean, &linear, &map;
    double n, newest;
  };
  void remember(const WalkRates& r, const Steps& steps);

  const FilteredMap& map() const { return *map_; }

 private:
  FilteredLag lag_of(const WalkRates& r, const Steps& steps, double age, double length) const;

  const FilteredMap* map_;
  Eigen::ArrayXd h_, n_;
  double step_;
  std::deque<FilteredLag> lags_;
  std::shared_ptr<const FilteredAnswer> answer_;
};

}  // namespace riskcurve
