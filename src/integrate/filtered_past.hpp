#pragma once
#include "integrate/recursion.hpp"

namespace riskcurve {

// What a FilteredMap did before, and what of it comes again (docs/theory/signal.md#the-rest).

/// What one step does, as the past is told: all modes, shape (modes, M) and (modes).
struct FilteredStep {
  const BlockInstant& at;
  Eigen::ArrayXXd part;        ///< the linear part of the map over X
  Eigen::ArrayXXd covariance;  ///< of X after the step with that part
  Eigen::ArrayXd linear;       ///< E of the square of the part, and its mean where means are seen
  Eigen::ArrayXd mean;
};

/// And all that it is made of, seen by this state.
struct FilteredParts {
  FilteredStep step;
  Eigen::ArrayXXd of_mean;  ///< u^ of the mean
  Eigen::ArrayXXd mean;     ///< m
  Eigen::ArrayXd rest;      ///< variance of what is not linear
  Eigen::ArrayXXd z;

  FilteredParts(const Recursion& recursion, const BlockInstant& at, const BlockState& state);
};

/// E of the rest of `answer`, whose linear part over X has these squares and mean, and of a lag's.
Eigen::ArrayXd rest_between(const FilteredMap& map, const FilteredAnswer& answer,
                            const Eigen::ArrayXXd& part, const Eigen::ArrayXd& linear,
                            const Eigen::ArrayXd& mean, const FilteredLag& lag);
/// Steps that last, taken together a fifth of their age long.
void join_old(std::deque<FilteredLag>& lags);

/// A x of every mode: the fixed part, and where the linear part of the map goes.
Eigen::ArrayXXd mapped(const BlockStep& step, const Eigen::ArrayXXd& part,
                       const Eigen::ArrayXXd& x);
/// A of mode k.
BlockMatrix map_of_mode(const BlockStep& step, const Eigen::ArrayXXd& part, Eigen::Index k);

/// E of the rest now and of those before, where they are to be looked at.
void look_back(const FilteredMap& map, const FilteredStep& step, FilteredPast& past);
/// E X rho: of the rests before, what X holds.
Eigen::ArrayXXd remembered(const FilteredPast& past, Eigen::Index modes, int size);
/// A step goes by.
void remember(const FilteredMap& map, const FilteredStep& step, FilteredPast& past);
/// The lags after so many steps that are all like this one, where rests last; and of steps that
/// were all alike, where they do not. Not yet looked at.
std::deque<FilteredLag> lasting_after(const FilteredStep& step, std::deque<FilteredLag> lags,
                                      double steps);
std::deque<FilteredLag> lags_alike(const FilteredStep& step);

}  // namespace riskcurve
