#include "integrate/leap_walk.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <utility>

#include "integrate/filtered_past.hpp"

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
constexpr double kLagsOfLeaps = 4;  // steps back that rests are correlated, unless they last

/// A^n and sum_(i < n) A^i.
struct LeapRepeats {
  ArrayXd power, sum;

  LeapRepeats(const ArrayXd& map, double n)
      : power(map.unaryExpr([n](double a) { return std::pow(a, n); })),
        sum(((1 - map).abs() > 1e-12).select((1 - power) / (1 - map), n)) {}
};

/// What a step does, all modes.
struct LeapRates {
  ArrayXd drift, of_mean;  // h fresh
  ArrayXd noise, rest;     // variances: of samples in the linear part, and of what is not linear
  ArrayXd comes;           // E y rho of rests before

  /// On the line from `before` through these, `far` of the way beyond; as they are of modes that a
  /// step more than answers, whose rates swing from one look to the next.
  LeapRates beyond(const LeapRates& before, double step, double far) const {
    const ArrayXd x =
        (drift.max(before.drift) * step > 1).select(0.0, ArrayXd::Constant(drift.size(), far));
    const auto on = [&x](const ArrayXd& a, const ArrayXd& b) -> ArrayXd { return a + x * (a - b); };
    return {on(drift, before.drift).max(0.0), on(of_mean, before.of_mean),
            on(noise, before.noise).max(0.0), on(rest, before.rest).max(0.0),
            on(comes, before.comes)};
  }
};

class LeapWalk {
 public:
  LeapWalk(const ModeSystem& system, double step)
      : map_(&*system.filtered), h_(system.weight), n_(system.multiplicity), step_(step) {
    const ArrayXd square = system.initial / n_;
    spread_ = map_->sees_means ? ArrayXd::Zero(h_.size()).eval() : square;
    mean_ = map_->sees_means ? square.sqrt().eval() : ArrayXd::Zero(h_.size());
  }

  double risk() const { return 0.5 * (n_ * h_ * (spread_ + mean_.square())).sum(); }

  /// The rates of the step that comes.
  LeapRates look(double k) {
    FilteredGradient u;
    u.weight = h_;
    u.multiplicity = n_;
    u.time = k;
    u.risk = u.memory = risk();
    u.error = spread_ + mean_.square();
    u.cross = u.signal = u.noise = ArrayXd::Zero(h_.size());
    if (map_->sees_means) {
      u.mean = mean_;
      u.held_mean = ArrayXd::Zero(h_.size());
    }
    answer_ = std::make_shared<const FilteredAnswer>(map_->answer(u, answer_.get()));
    LeapRates r;
    r.drift = h_ * answer_->fresh;
    r.of_mean = map_->sees_means ? ArrayXd(h_ * answer_->fresh_of_mean) : r.drift;
    r.noise = answer_->sampled * (h_ * answer_->fresh_noise).square();
    linear_ = r.drift.square() * spread_ + r.noise + (r.of_mean * mean_).square();
    r.rest = (answer_->power - linear_).max(0.0);
    r.comes = ArrayXd::Zero(h_.size());
    const ArrayXd mean = r.of_mean * mean_;
    for (const FilteredLag& lag : lags_)
      r.comes += lag.response.col(0) * rest_between(*map_, *answer_, r.drift, linear_, mean, lag);
    return r;
  }

  /// n steps that are all like this, from step k on.
  void take(const LeapRates& r, double k, double n) {
    const ArrayXd a = 1 - step_ * r.drift;
    remember(r, a.max(-1.0), n);
    const LeapRepeats square(a.square(), n);
    const ArrayXd source = step_ * step_ * (r.noise + r.rest) - 2 * step_ * a * r.comes;
    // Where one step answers more than there is, rates follow what is left, and repeats of rates
    // held fixed would overshoot and swing: half of one step, which comes to rest where they do.
    // So do single steps of an entry that moves by its sign: sqrt S <- |sqrt S - gamma g| swings
    // for ever, where runs have all phases of it.
    const ArrayXd many = square.power * spread_ + square.sum * source;
    const double part = n > 1 || k >= kSwung ? 0.5 : 1;
    const ArrayXd one = (1 - part) * spread_ + part * (a.square() * spread_ + source);
    spread_ = (a < 0).select(one, many).max(0.0);
    mean_ *= LeapRepeats((1 - step_ * r.of_mean).max(-1.0), n).power;
  }

 private:
  /// A step of this answer, `age` steps ago; `length` of them, the youngest as old.
  FilteredLag lag_of(const LeapRates& r, const ArrayXd& a, double age, double length) const {
    const ArrayXd newest = a * spread_ * r.drift - step_ * r.noise;  // E y (linear part), after
    const ArrayXd by = !map_->lasting && length > 1 ? a.abs() : a;
    FilteredLag lag;
    lag.covariance = newest * LeapRepeats(by, age + std::floor(0.5 * length)).power;
    lag.response = -step_ * LeapRepeats(by, age).power * LeapRepeats(by, length).sum;
    lag.linear = linear_;
    lag.mean = r.of_mean * mean_;
    lag.steps = length;
    lag.answer = answer_;
    return lag;
  }

  void remember(const LeapRates& r, const ArrayXd& a, double n) {
    const ArrayXd all = LeapRepeats(a, n).power;
    for (FilteredLag& lag : lags_) {
      lag.covariance.col(0) *= all;
      lag.response.col(0) *= all;
    }
    if (!map_->lasting) {
      // Those of many steps as one; else one by one.
      if (n >= kLagsOfLeaps || (!lags_.empty() && lags_.front().steps > 1)) lags_.clear();
      // What changes sign from step to step, its rests do too: together they add up.
      if (n >= kLagsOfLeaps)
        lags_.push_front(lag_of(r, a, 0, kLagsOfLeaps));
      else
        for (double age = n - 1; age >= 0; --age) lags_.push_front(lag_of(r, a, age, 1));
      lags_.resize(std::min(lags_.size(), static_cast<std::size_t>(kLagsOfLeaps)));
      return;
    }
    // By halves of their age, the newest last.
    for (double upto = n; upto >= 1;) {
      const double length = upto > n / 8 && upto > 2 ? std::ceil(0.5 * upto) : upto;
      upto -= length;
      lags_.push_front(lag_of(r, a, upto, length));
    }
    join_old(lags_);
  }

  const FilteredMap* map_;
  ArrayXd h_, n_;
  double step_;
  ArrayXd spread_, mean_, linear_;
  std::deque<FilteredLag> lags_;
  std::shared_ptr<const FilteredAnswer> answer_;
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
  LeapRates before;
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
    const LeapRates now = walk.look(k);
    ++curve.evaluations;
    const double room = std::max(1.0, std::floor(at[next]) - k);
    double n = std::floor(std::max(1.0, std::min({kLeapOfTime * k, longest, room}))), then = 0;
    for (;; n = std::max(1.0, std::floor(0.25 * n))) {
      LeapWalk ahead = walk;
      const double x = k > last ? 0.5 * (n - 1) / (k - last) : 0;
      ahead.take(x > 0 ? now.beyond(before, step, x) : now, k, n);
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
