#include "integrate/leap_walk.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "integrate/walked_map.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kLeapOfTime = 0.2;   // steps at once, of those before
constexpr double kLeapOfRisk = 0.15;  // and of log R, as it went before
constexpr double kJumpOfLeap = 2;     // R that moves by more is looked at again, closer
constexpr double kSwung = 24;         // steps from which what swings is taken to have come to rest
constexpr double kGrowthOfLeaps =
    100;  // times R(0), or so many looks and no end: a step size too large
constexpr long kMostLeaps = 3000;
constexpr double kNewestLeap = 8;  // of what lasts: the newest 1/8 of the steps is one

/// On the line from `before` through these, `far` of the way beyond; as they are of modes that a
/// step more than answers, whose rates swing from one look to the next.
WalkRates beyond(const WalkRates& now, const WalkRates& before, double step, double far) {
  const ArrayXd x = (now.drift.max(before.drift) * step > 1)
                        .select(0.0, ArrayXd::Constant(now.drift.size(), far));
  const auto on = [&x](const ArrayXd& a, const ArrayXd& b) -> ArrayXd { return a + x * (a - b); };
  return {on(now.drift, before.drift).max(0.0), on(now.of_mean, before.of_mean),
          on(now.noise, before.noise).max(0.0), on(now.rest, before.rest).max(0.0),
          on(now.comes, before.comes)};
}

class LeapWalk {
 public:
  LeapWalk(const ModeSystem& system, double step)
      : map_(system, step), of_risk_(0.5 * system.multiplicity * system.weight), step_(step) {
    const ArrayXd square = system.initial / system.multiplicity,
                  none = ArrayXd::Zero(square.size());
    const bool means = map_.map().sees_means;
    spread_ = means ? none : square;
    mean_ = means ? square.sqrt() : none;
  }

  double risk() const { return (of_risk_ * (spread_ + mean_.square())).sum(); }

  /// The rates of the step that comes.
  WalkRates look(double k) {
    const WalkRates r = map_.look(k, spread_, mean_);
    linear_ = map_.linear(r, spread_, mean_);
    return r;
  }

  /// n steps that are all like this, from step k on.
  void take(const WalkRates& r, double k, double n) {
    const ArrayXd a = 1 - step_ * r.drift;
    const ArrayXd map = a.max(-1.0);
    map_.remember(r, {spread_, mean_, linear_, map, n, kNewestLeap});
    const Repeats square(a.square(), n);
    const ArrayXd source = step_ * step_ * (r.noise + r.rest) - 2 * step_ * a * r.comes;
    // Where one step answers more than there is, rates follow what is left, and repeats of rates
    // held fixed would overshoot and swing: half of one step, which comes to rest where they do.
    // So do single steps of an entry that moves by its sign: sqrt S <- |sqrt S - gamma g| swings
    // for ever, where runs have all phases of it.
    const ArrayXd many = square.power * spread_ + square.sum * source;
    const double part = n > 1 || k >= kSwung ? 0.5 : 1;
    const ArrayXd one = (1 - part) * spread_ + part * (a.square() * spread_ + source);
    spread_ = (a < 0).select(one, many).max(0.0);
    mean_ *= Repeats((1 - step_ * r.of_mean).max(-1.0), n).power;
  }

 private:
  WalkedMap map_;
  ArrayXd of_risk_;
  double step_;
  ArrayXd spread_, mean_, linear_;
};

}  // namespace

RiskCurve walk_by_leaps(const ModeSystem& system, double step, const ArrayXd& at) {
  RiskCurve curve;
  curve.warnings = system.warnings;
  curve.steps = at;
  curve.risk = ArrayXd::Zero(at.size());
  curve.status = RiskCurve::Status::ok;
  curve.message = "solved";
  LeapWalk walk(system, step);
  const double start = walk.risk();
  WalkRates before;
  double k = 0, last = 0, longest = 1;  // last: where the rates before are from
  Index next = 0;
  // At the end of steps from `from`, or on the line within them.
  const auto record = [&](double from, double risk_before, double risk) {
    for (; next < at.size() && at[next] <= k; ++next) {
      const double x = k > from ? (at[next] - from) / (k - from) : 1;
      curve.risk[next] = (1 - x) * risk_before + x * risk;
    }
  };
  record(0, start, start);
  while (next < at.size()) {
    const double risk = walk.risk();
    if (risk < kVanishedRisk) break;
    const WalkRates now = walk.look(k);
    ++curve.evaluations;
    const double room = std::max(1.0, std::floor(at[next]) - k);
    double n = std::floor(std::max(1.0, std::min({kLeapOfTime * k, longest, room}))), then = 0;
    for (;; n = std::max(1.0, std::floor(0.25 * n))) {
      LeapWalk ahead = walk;
      const double x = k > last ? 0.5 * (n - 1) / (k - last) : 0;
      ahead.take(x > 0 ? beyond(now, before, step, x) : now, k, n);
      then = ahead.risk();
      if (n > 1 && !(std::abs(std::log(then / risk)) <= std::log(kJumpOfLeap))) continue;
      walk = std::move(ahead);
      break;
    }
    ++curve.accepted;
    if (!std::isfinite(then) || then > kGrowthOfLeaps * start || curve.evaluations > kMostLeaps) {
      curve.status = RiskCurve::Status::diverged;
      curve.message = "the risk diverges: the step size is too large";
      return curve;
    }
    before = now;
    last = k;
    k += n;
    longest = std::min(kLeapOfRisk * n / std::max(std::abs(std::log(then / risk)), 1e-300), 2 * n);
    record(last, risk, then);
  }
  return curve;
}

}  // namespace riskcurve
