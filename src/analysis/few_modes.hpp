#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

/// Whether rates depend on what has been, so that no sweep back knows their derivatives: searches
/// then differ solves.
inline bool knows_the_past(const ModeSystem& system) {
  return system.filtered || (system.squares && system.squares->tilts);
}

/// A mode system for searches that solve it again and again up to one horizon. Modes that a
/// schedule will hardly have moved by its horizon cannot tell each other apart and share one rule
/// of `compress`, at its accuracy: of a power law of 10^18 directions most octaves are such.
class FewModes {
 public:
  FewModes(const ModeSystem& system, double horizon);

  /// The system for a solve under this schedule; it lives until the next call.
  const ModeSystem& under(const Schedule& step);

 private:
  /// gamma g a/(1 - momentum) per unit of a, at most: its root is how far underdamped blocks turn
  /// within their memory.
  double turning(const Schedule& step) const;
  int nodes(double rate) const;

  const ModeSystem& whole_;
  double horizon_, largest_response_;  // of all risks; +inf: modes are not merged
  ModeSystem few_;
  double turn_ = 0;  // the turning that few_ has nodes for
  double slow_ = 0;  // the rate below which few_ has merged modes; 0: there is none yet
};

}  // namespace riskcurve
