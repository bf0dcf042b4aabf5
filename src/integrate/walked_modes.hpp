#pragma once
#include "integrate/walked_entries.hpp"

namespace riskcurve {

// The modes of a FilteredMap with nothing around it, y <- y - gamma f, and what takes many steps of
// them at once (docs/theory/signal.md#many-steps-at-once).

/// What rates are measured in: those of small signals at the same risk. In these units they go with
/// the shape of what is left, and change slowly.
struct WalkUnits {
  double drift, noise;
};

/// Rates in units, on the line of their logarithms over that of the clock.
class WalkLine {
 public:
  WalkLine() = default;
  WalkLine(const WalkRates& rates, const WalkUnits& units);
  /// Its slope is that from `other`, `ahead` before it (after it, where negative); none of modes
  /// that a step more than answers, whose rates swing from one look to the next (`either`: at one
  /// of the two).
  void lean_on(const WalkLine& other, double ahead, double step, bool either);
  void take_slope(const WalkLine& other);
  WalkRates at(double ahead, const WalkUnits& units) const;
  /// What steps need of them: rest and noise as one, of_mean only where means are seen.
  WalkRates of_steps(double ahead, const WalkUnits& units, bool means) const;
  /// By how much noise over drift grows along the line, in logarithms, beside what units do.
  Eigen::ArrayXd tilt(double ahead, double of_units) const;

 private:
  Eigen::ArrayXd on_line(const Eigen::ArrayXd& a, const Eigen::ArrayXd& slope, double ahead,
                         double unit) const;

  WalkRates of_, slope_;
  Eigen::ArrayXd all_, all_slope_;  // noise and rest
};

class WalkedModes {
  static constexpr double kSwings = 24;  // steps; then what swings is taken to have come to rest

 public:
  WalkedModes(const ModeSystem& system, double step);

  double risk() const;
  double left() const;  ///< of the start, means included
  WalkUnits units(double risk) const;
  /// The rates of the step that comes, as lines have them (WalkedEntries).
  WalkRates look(double k);
  void set_out();  ///< from here steps are counted
  /// n steps that are all like this (WalkLine::of_steps); from the first to the last, noise over
  /// drift grows by `tilt`, in logarithms; empty: by nothing. Returns what entries added to the
  /// risk that came to rest in it.
  double take(const WalkRates& rates, double n, const Eigen::ArrayXd& tilt);

  /// What steps change, to go back to.
  struct State : WalkedEntries::Errors {
    Eigen::ArrayXd mean;
    Eigen::ArrayXd log_map;  ///< log |A| of all steps since then
    double steps = 0;
  };
  const State& state() const { return now_; }
  void go_back(const State& state) { now_ = state; }
  /// The steps since `from`, where they set out: what lasts has the rates of their middle, else
  /// those of the end, and of the last few steps alone.
  void remember(const WalkRates& rates, const State& from);
  bool lasting() const { return map_.map().lasting; }
  bool means() const { return map_.map().sees_means; }
  bool entries() const { return entries_.any(); }

  double step() const { return step_; }
  /// What a step of these rates takes off the risk's errors, and what it adds, over gamma.
  double taken(const WalkRates& rates) const;
  double added(const WalkRates& rates) const;
  /// The share of the risk in modes that a step of these more than answers.
  double quick_share(const WalkRates& rates) const;

 private:
  /// Rates at the errors that there are, of a line's.
  WalkRates seen(WalkRates rates) const;
  /// Whether steps beyond gamma d = 1 are whole.
  bool swings(double n) const { return n == 1 && !(entries() && looked_at_ >= kSwings); }

  const ModeSystem* system_;
  WalkedMap map_;
  Eigen::ArrayXd of_risk_;
  double step_;
  State now_;
  WalkedEntries entries_;
  WalkRates looked_;
  double looked_at_ = 0;
};

}  // namespace riskcurve
