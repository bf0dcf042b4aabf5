#pragma once
#include <vector>

#include "integrate/walked_map.hpp"

namespace riskcurve {

/// Modes of one direction, whose squares f answers to and no means: the more such an entry is of
/// its row and column, the nearer the square of what f makes of it comes to its bound,
///
///     d = d_0/sqrt(1 + S d_0^2/bound),
///
/// d_0 what it answers with where it is little: rates on a line between looks are d_0, and steps
/// follow S. Beyond gamma d = 1 half of every step is taken: that comes to rest where steps do,
/// sqrt S <- |sqrt S - gamma g| swings for ever (docs/theory/signal.md#many-steps-at-once).
class WalkedEntries {
 public:
  WalkedEntries(const ModeSystem& system, double step);
  bool any() const { return !modes_.empty(); }

  /// From rates at errors `spread` to those of the line; rests of steps before, where a step more
  /// than answers, half those of `last` look (empty: none).
  void put_aside(WalkRates& rates, const Eigen::ArrayXd& spread, const WalkRates& last);
  /// And back.
  void see(WalkRates& rates, const Eigen::ArrayXd& spread) const;
  /// |A| at d.
  void see_maps(Eigen::ArrayXd& size, const WalkRates& seen) const;

  /// n steps of the line's rates, of S and of what is left of the start, from `before`; `swings`:
  /// whole steps beyond gamma d = 1. Returns what entries added to the risk that took half of one.
  struct Errors {
    Eigen::ArrayXd spread, left;
  };
  double take(const WalkRates& rates, double n, bool swings, const Errors& before,
              Errors& after) const;

 private:
  double seen(double aside, double spread) const;

  std::vector<Eigen::Index> modes_;
  Eigen::ArrayXd of_risk_;
  double step_, bound_ = 1;  // a singular direction has a square of 1, or what was seen
};

}  // namespace riskcurve
