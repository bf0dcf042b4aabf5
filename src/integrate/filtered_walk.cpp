#include "integrate/filtered_walk.hpp"

#include <algorithm>
#include <cmath>

#include "integrate/walked_modes.hpp"
#include "riskcurve/dynamics/blocks.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

// Between looks, of steps before and of log R; the more, the better a look was foretold.
constexpr double kOfTime = 0.6, kOfRisk = 0.6, kLonger = 3;
constexpr double kForetold = 0.01, kForetoldLasting = 0.002, kLeastRoom = 0.3, kMostRoom = 2.5;
constexpr double kQuick = 1e-3,
                 kQuickRoom = 0.2;  // where modes that a step more than answers count
// The same of a part between looks.
constexpr double kPartOfTime = 0.1, kPartOfRisk = 0.06;
constexpr double kGrowthWalk =
    100;  // times R(0), or so many looks and no end: a step size too large
constexpr long kMostLooks = 3000;
constexpr double kNoMomentum = 1e-9;
constexpr double kSameTime = 1e-9;

class Walker {
 public:
  Walker(const ModeSystem& system, double step, const ArrayXd& at, WalkTrace* trace)
      : modes_(system, step), at_(at), trace_(trace) {
    curve_.warnings = system.warnings;
    curve_.steps = at;
    curve_.risk = ArrayXd::Zero(at.size());
    curve_.status = RiskCurve::Status::ok;
    curve_.message = "solved";
    start_ = modes_.risk();
  }

  RiskCurve walk() {
    for (; next_ < at_.size() && at_[next_] <= 0; ++next_) curve_.risk[next_] = start_;
    if (next_ == at_.size() || start_ < kVanishedRisk) return curve_;
    line_ = WalkLine(look(), modes_.units(start_));
    while (next_ < at_.size() && modes_.risk() >= kVanishedRisk)
      if (!to_next_look()) {
        curve_.status = RiskCurve::Status::diverged;
        curve_.message = "the risk diverges: the step size is too large";
        break;
      }
    return curve_;
  }

 private:
  struct Part {
    double n, end, risk, left;
    double fall;  // log of the risk after it over that before
  };

  WalkRates look() {
    ++curve_.evaluations;
    return modes_.look(k_);
  }

  bool to_next_look() {
    modes_.set_out();
    const WalkedModes::State from = modes_.state();
    const double clock = clock_, k = k_, risk = modes_.risk(), fall = fall_;
    most_ = std::max(1.0, std::floor(std::min(kOfTime * room_ * k, kLonger * last_)));
    parts_.clear();
    if (!choose_parts()) return false;
    const double ahead = std::log((clock_ + first_) / (clock + first_)), there = modes_.risk();
    const auto keep = [&] {
      record(k, risk);
      last_ = k_ - k;
      return true;
    };
    if (there < kVanishedRisk) return keep();
    if (modes_.lasting())
      modes_.remember(line_.at(0.5 * ahead, modes_.units(std::sqrt(risk * there))), from);
    else
      modes_.remember(line_.at(ahead, modes_.units(there)), from);
    const WalkUnits units = modes_.units(there);
    const WalkRates then = look(), told = line_.at(ahead, units);
    if (curve_.evaluations > kMostLooks) return false;
    const double off = std::max(std::abs(modes_.taken(told) / modes_.taken(then) - 1),
                                std::abs(modes_.added(told) / modes_.added(then) - 1));
    room_ = std::clamp(
        std::sqrt((modes_.lasting() ? kForetoldLasting : kForetold) / std::max(off, 1e-9)),
        kLeastRoom, kMostRoom);
    // They take half of a step a look.
    if (modes_.quick_share(then) > kQuick) room_ = std::min(room_, kQuickRoom);
    // The same steps again, now that both ends are known.
    WalkLine line(then, units);
    line.lean_on(line_, ahead, modes_.step(), modes_.entries());
    if (k_ - k == 1) {  // of rates that are known
      line_ = line;
      return keep();
    }
    line_.take_slope(line);
    modes_.go_back(from);
    k_ = k, clock_ = clock, fall_ = fall;
    for (Part& part : parts_) {
      take_part(part.n, clock, part.fall);
      part.risk = modes_.risk();
      part.left = modes_.left();
      if (!kept_within_bounds()) return false;
    }
    line_ = line;
    return keep();
  }

  /// Parts of a length that suits them, to where the next look is due.
  bool choose_parts() {
    const double k = k_, clock = clock_, risk = modes_.risk();
    const WalkedModes::State looked = modes_.state();
    while (k_ - k < most_) {
      Index due = next_;
      while (due < at_.size() && whole(due) <= k_ && at_[due] <= k_ * (1 + kSameTime)) ++due;
      if (due == at_.size()) break;
      double n = std::min(most_ - (k_ - k), std::max(1.0, kPartOfTime * k_));
      n = std::min(n, std::max(1.0, whole(due) - k_));
      if (fall_ != 0) n = std::min(n, kPartOfRisk / std::abs(fall_));
      const WalkedModes::State before = modes_.state();
      const double k_before = k_, clock_before = clock_, fall = fall_, risk_before = modes_.risk();
      for (n = std::max(1.0, std::floor(n));; n = std::max(1.0, std::floor(0.4 * n))) {
        take_part(n, clock, NAN);
        if (n == 1 || std::abs(fall_) * n <= 2 * kPartOfRisk) break;
        modes_.go_back(before);
        k_ = k_before, clock_ = clock_before, fall_ = fall;
      }
      const double then = modes_.risk();
      parts_.push_back({n, k_, then, modes_.left(), std::log(then / risk_before)});
      if (!kept_within_bounds()) return false;
      if (then < kVanishedRisk || std::abs(std::log(then / risk)) > kOfRisk * room_) break;
    }
    return true;
  }

  /// n steps, by the rates in their middle, of the risk there: by the log ratio of its ends where
  /// that is known, else foretold and then found. looked: the clock at the last look.
  void take_part(double n, double looked, double ratio) {
    const WalkedModes::State before = modes_.state();
    const double risk = modes_.risk();
    const bool known = std::isfinite(ratio);
    double then = risk * std::exp(std::clamp(known ? ratio : fall_ * n, -1.0, 1.0)), moved = 0,
           jumped = 0;
    for (int pass = 0; pass < (n > 1 && !known ? 2 : 1); ++pass) {
      if (pass > 0) modes_.go_back(before);
      const double last = risk * std::pow(then / risk, (n - 1) / n);  // of the step, not after it
      const WalkUnits units = modes_.units(std::sqrt(risk * last));
      moved = modes_.step() * units.drift * n;
      if (first_ == 0) first_ = moved;
      const auto log_clock = [&](double steps) {
        return std::log((clock_ + steps / n * moved + first_) / (looked + first_));
      };
      ArrayXd tilt;
      if (n > 1) {
        const WalkUnits a = modes_.units(risk), b = modes_.units(last);
        tilt = line_.tilt(log_clock(n - 1) - log_clock(0),
                          std::clamp(std::log(b.noise / b.drift * a.drift / a.noise), -1.0, 1.0));
      }
      jumped =
          modes_.take(line_.of_steps(log_clock(0.5 * (n - 1)), units, modes_.means()), n, tilt);
      then = modes_.risk();
      if (!(std::isfinite(then) && then > 0)) break;
    }
    clock_ += moved;
    // Entries that come to rest at once say nothing of how it goes on.
    fall_ = std::log(jumped != 0 ? std::max(then - jumped, kVanishedRisk) / risk : then / risk) / n;
    k_ += n;
    ++curve_.accepted;
  }

  bool kept_within_bounds() const {
    const double risk = modes_.risk();
    return std::isfinite(risk) && risk <= kGrowthWalk * start_;
  }

  double whole(Index i) const { return std::floor(at_[i] * (1 + kSameTime)); }

  /// At the end of steps, or on the line within them.
  void record(double from, double risk) {
    for (const Part& part : parts_) {
      for (; next_ < at_.size() && at_[next_] <= part.end * (1 + kSameTime); ++next_) {
        const double x = std::min(1.0, (at_[next_] - from) / (part.end - from));
        curve_.risk[next_] = part.risk < kVanishedRisk ? 0 : (1 - x) * risk + x * part.risk;
      }
      from = part.end;
      risk = part.risk;
      if (!trace_) continue;
      trace_->time.push_back(part.end);
      trace_->risk.push_back(part.risk);
      trace_->left.push_back(part.left);
    }
  }

  WalkedModes modes_;
  const ArrayXd& at_;
  WalkTrace* trace_;
  RiskCurve curve_;
  double start_, k_ = 0;
  Index next_ = 0;
  WalkLine line_;                 // at the last look
  double clock_ = 0, first_ = 0;  // gamma times the unit of drifts, summed; that of the first step
  double fall_ = 0;               // dlog R a step
  double most_ = 1, last_ = 1, room_ = 1;
  std::vector<Part> parts_;
};

}  // namespace

bool can_walk(const ModeSystem& system) {
  if (!system.filtered || system.squares) return false;
  if (!system.blocks) return true;
  const Blocks& blocks = *system.blocks;
  return blocks.size == 2 && blocks.jump_period == 0 && blocks.momentum &&
         blocks.momentum->kind == ConstantSchedule::kind && (*blocks.momentum)(0) < kNoMomentum;
}

RiskCurve walk_filtered(const ModeSystem& system, double step, const ArrayXd& at,
                        WalkTrace* trace) {
  return Walker(system, step, at, trace).walk();
}

}  // namespace riskcurve
