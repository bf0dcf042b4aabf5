#pragma once
#include <array>
#include <memory>

#include "integrate/filtered_past.hpp"
#include "integrate/led_lanes.hpp"

namespace riskcurve {

// Many steps of a recursion at once, by a few looks at what a step does
// (docs/theory/chain.md#long-runs).

/// What a step does at one instant, and the state it was seen from.
struct Look {
  const BlockInstant at;
  const BlockState state;
  // Of a FilteredMap:
  std::unique_ptr<const FilteredParts> parts;
  FilteredPast past;           ///< the state's, looked back at
  Eigen::ArrayXXd remembered;  ///< E X rho

  /// `near`: one whose past serves too.
  Look(const Recursion& recursion, BlockInstant instant, BlockState seen,
       const Look* near = nullptr);
};

/// `length` steps, looked at half way, at their first one and at their `end`; what a step does is
/// on the parabola through what it did there, on a line through two, or as in the middle.
struct Way {
  double length;
  const Look& middle;
  const Look* first = nullptr;
  const Look* last = nullptr;
  double end = length;

  using Powers = std::array<double, 3>;  ///< of the number of steps after it
  struct Shares {
    Powers first{}, last{};
  };
  /// Of what looks see beyond the middle, in each of the first `steps` steps.
  Shares shares(double steps) const;
  int degree() const { return last ? 2 : first ? 1 : 0; }
};

/// sum over n steps of kept^i i^p, i the steps after each; p to 2.
Way::Powers decaying(double keep, double n);

/// What a step does to lanes of modes, S - n m m^T and m counted apart.
template <int M>
struct LaneStep {
  LaneMatrix<M> map, noise, mean_map;
  LaneVector<M> given;  ///< to the mean

  LaneMoments<M> of(const LaneMoments<M>& moments, bool means) const {
    LaneMoments<M> next = moments;
    next.spread = carried<M>(map, moments.spread);
    add_to<M>(next.spread, noise);
    if (!means) return next;
    next.mean = carried<M>(mean_map, moments.mean);
    add_to<M>(next.mean, given);
    return next;
  }
};

/// The first `steps` of the way, from this state. `step(look, k)`: the LaneStep<M> of modes from k.
template <int M, class StepOf>
void lead_lanes(const Recursion& recursion, const Way& way, double steps, const BlockState& from,
                BlockState& to, StepOf&& step) {
  const bool means = from.mean.size() > 0;
  const int degree = way.degree();
  const Way::Shares shares = way.shares(steps);
  for (Eigen::Index k = 0; k < from.own.rows(); k += kBlock) {
    const LaneStep<M> middle = step(way.middle, k);
    LaneMoments<M> moments(recursion, from, k);
    std::array<LaneMatrix<M>, 3> source;
    std::array<LaneVector<M>, 3> given;
    source[0] = middle.noise;
    for (int p = 1; p <= degree; ++p) set_zero<M>(source[p]);
    if (means) {
      given[0] = middle.given;
      for (int p = 1; p <= degree; ++p) set_zero<M>(given[p]);
    }
    const auto beyond = [&](const Look& look, const LaneMoments<M>& seen,
                            const Way::Powers& share) {
      LaneMoments<M> more = step(look, k).of(seen, means);
      const LaneMoments<M> less = middle.of(seen, means);
      add_to<M>(more.spread, less.spread, -1);
      if (means) add_to<M>(more.mean, less.mean, -1);
      for (int p = 0; p <= degree; ++p) {
        add_to<M>(source[p], more.spread, share[p]);
        if (means) add_to<M>(given[p], more.mean, share[p]);
      }
    };
    if (way.first) beyond(*way.first, moments, shares.first);
    if (way.last) beyond(*way.last, LaneMoments<M>(recursion, way.last->state, k), shares.last);
    moments.spread = led_on<M>(middle.map, moments.spread, source, degree, steps);
    if (means) moments.mean = led_on<M>(middle.mean_map, moments.mean, given, degree, steps);
    moments.store(recursion, k, to);
  }
}

/// The first `steps` of the way, from this state, of a FilteredMap; the past with its lags or
/// without.
BlockState lead_filtered(const Recursion& recursion, const Way& way, double steps,
                         const BlockState& from, bool with_lags);

}  // namespace riskcurve
