#include "integrate/filtered_walk.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

#include "riskcurve/dynamics/blocks.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

double kOfTime = 0.2;   // steps at once, of those before
double kOfRisk = 0.15;  // and of log R, as it went before
constexpr double kJump = 2;       // R that moves by more is looked at again, closer
constexpr double kDiverged = 1e30;
constexpr std::size_t kWindow = 4;  // steps back that rests are correlated, unless they last
double kTogether = 5;               // what lasts: steps are taken together a fifth of their age long
double kOften = 0;
constexpr double kVanished = 1e-280;

/// A^n and sum_(i < n) A^i.
struct Repeated {
  ArrayXd power, sum;
  Repeated(const ArrayXd& map, double n) {
    power = map.unaryExpr([n](double a) { return a > 0 ? std::pow(a, n) : std::pow(a, std::round(n)); });
    sum = ((1 - map).abs() > 1e-12).select((1 - power) / (1 - map), n);
  }
};

/// What a step does, all modes.
struct StepRates {
  ArrayXd drift, of_mean;  // h fresh
  ArrayXd noise, rest;     // variances of the update: of samples, linear, and of what is not
  ArrayXd comes;           // E y rho of rests before, y of the mode

  /// On the line from `before` through this, x of the way beyond.
  StepRates beyond(const StepRates& before, double x) const {
    const auto on = [x](const ArrayXd& a, const ArrayXd& b) -> ArrayXd { return a + x * (a - b); };
    StepRates r{on(drift, before.drift).max(0.0), on(of_mean, before.of_mean), on(noise, before.noise).max(0.0),
            on(rest, before.rest).max(0.0), on(comes, before.comes)};
    return r;
  }
};

struct Lag {
  ArrayXd covariance, response, linear, mean;
  double steps = 1;
  std::shared_ptr<const FilteredAnswer> answer;
  ArrayXd rest;
};

class Walk {
 public:
  Walk(const ModeSystem& system, double step)
      : map_(&*system.filtered), h_(system.weight), n_(system.multiplicity), step_(step) {
    const ArrayXd square = system.initial / n_;
    spread_ = square;
    mean_ = ArrayXd::Zero(h_.size());
    if (map_->sees_means) {
      mean_ = square.sqrt();
      spread_.setZero();
    }
  }

  double risk() const { return 0.5 * (n_ * h_ * (spread_ + mean_.square())).sum(); }

  /// The rates of the step that comes.
  StepRates look(double k) {
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
    auto answer = std::make_shared<const FilteredAnswer>(map_->answer(u, answer_.get()));
    answer_ = answer;
    StepRates r;
    r.drift = h_ * answer->fresh;
    r.of_mean = map_->sees_means ? ArrayXd(h_ * answer->fresh_of_mean) : r.drift;
    r.noise = answer->sampled * (h_ * answer->fresh_noise).square();
    linear_ = r.drift.square() * spread_ + r.noise + (r.of_mean * mean_).square();
    r.rest = (answer->power - linear_).max(0.0);
    look_back(r);
    return r;
  }

  /// n steps that are all like this.
  void take(const StepRates& r, double n) {
    const ArrayXd a = 1 - step_ * r.drift, of_mean = 1 - step_ * r.of_mean;
    const Repeated square(a.square(), n);
    const ArrayXd source =
        step_ * step_ * (r.noise + r.rest) - 2 * step_ * a * r.comes;
    const ArrayXd newest = a * spread_ * r.drift - step_ * r.noise;  // E y' (linear part)
    const ArrayXd mean_part = r.of_mean * mean_;
    age(r, a, n, newest, mean_part);
    spread_ = (square.power * spread_ + square.sum * source).max(0.0);
    mean_ *= Repeated(of_mean, n).power;
  }

 private:
  void look_back(StepRates& r) {
    r.comes = ArrayXd::Zero(h_.size());
    for (Lag& lag : lags_) {
      const ArrayXd scale = (linear_ * lag.linear).sqrt();
      ArrayXd product = r.drift * lag.covariance + r.of_mean * mean_ * lag.mean;
      const ArrayXd correlation =
          (scale > 0).select(product / scale.max(1e-300), 0.0).max(-1.0).min(1.0);
      lag.rest = map_->covariance(*answer_, *lag.answer, correlation);
      r.comes += lag.response * lag.rest;
    }
  }
  Lag newest_of(const ArrayXd& covariance, const ArrayXd& mean_part) const {
    Lag lag;
    lag.covariance = covariance;
    lag.response = ArrayXd::Constant(h_.size(), -step_);
    lag.linear = linear_;
    lag.mean = mean_part;
    lag.answer = answer_;
    return lag;
  }
  void age(const StepRates&, const ArrayXd& a, double n, const ArrayXd& newest, const ArrayXd& mean_part) {
    if (!map_->lasting) {
      if (n >= kWindow) {
        lags_.clear();
        Lag lag = newest_of(newest * Repeated(a, 1).power, mean_part);
        lag.response *= Repeated(a, kWindow).sum;
        lag.steps = kWindow;
        lags_.push_front(lag);
        return;
      }
      if (!lags_.empty() && lags_.front().steps > 1) lags_.clear();
      for (double i = 0; i < n; ++i) {
        for (Lag& lag : lags_) {
          lag.covariance *= a;
          lag.response *= a;
        }
        lags_.push_front(newest_of(newest, mean_part));
      }
      if (lags_.size() > kWindow) lags_.resize(kWindow);
      return;
    }
    const Repeated all(a, n);
    for (Lag& lag : lags_) {
      lag.covariance *= all.power;
      lag.response *= all.power;
    }
    // By halves of their age, the newest last.
    for (double upto = n; upto >= 1;) {
      const double length = upto > n / 8 && upto > 2 ? std::ceil(0.5 * upto) : upto;
      const double newer = upto - length;
      Lag lag = newest_of(newest * Repeated(a, newer + std::floor(0.5 * length)).power, mean_part);
      lag.steps = length;
      lag.response *= Repeated(a, newer).power * Repeated(a, length).sum;
      lags_.push_front(std::move(lag));
      upto = newer;
    }
    join_old();
  }
  void join_old() {
    double age = 0;
    for (std::size_t i = 0; i + 1 < lags_.size(); ++i) {
      Lag &later = lags_[i], &earlier = lags_[i + 1];
      if (kTogether * (later.steps + earlier.steps) <= age) {
        const double x = earlier.steps / (later.steps + earlier.steps);
        for (ArrayXd Lag::* of : {&Lag::covariance, &Lag::linear, &Lag::mean})
          later.*of = (1 - x) * later.*of + x * earlier.*of;
        later.response += earlier.response;
        later.steps += earlier.steps;
        lags_.erase(lags_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      age += lags_[i].steps;
    }
  }

  const FilteredMap* map_;
  ArrayXd h_, n_;
  double step_;
  ArrayXd spread_, mean_, linear_;
  std::deque<Lag> lags_;
  std::shared_ptr<const FilteredAnswer> answer_;
};

}  // namespace

bool can_walk(const ModeSystem& system) {
  if (!system.filtered) return false;
  if (!system.blocks) return true;
  const Blocks& blocks = *system.blocks;
  return blocks.size == 2 && blocks.momentum && (*blocks.momentum)(0) == 0 &&
         (*blocks.momentum)(1e15) == 0 && blocks.jump_period == 0;
}

RiskCurve walk_filtered(const ModeSystem& system, double step, const ArrayXd& at) {
  if (getenv("W_TIME")) kOfTime = atof(getenv("W_TIME"));
  if (getenv("W_RISK")) kOfRisk = atof(getenv("W_RISK"));
  if (getenv("W_TOG")) kTogether = atof(getenv("W_TOG"));
  RiskCurve curve;
  curve.warnings = system.warnings;
  curve.steps = at;
  curve.risk = ArrayXd::Constant(at.size(), NAN);
  curve.status = RiskCurve::Status::ok;
  curve.message = "solved";
  Walk walk(system, step);
  const double start = walk.risk();
  StepRates before;
  double k = 0, last = 0;             // where the rates before are from
  double log_risk = std::log(start), longest = 1;
  Index next = 0;
  const auto record = [&](double from, double risk_before, double risk) {
    // On the line within a step, or at its end.
    while (next < at.size() && at[next] <= k) {
      const double x = k > from ? (at[next] - from) / (k - from) : 1;
      curve.risk[next++] = (1 - x) * risk_before + x * risk;
    }
  };
  record(0, start, start);
  while (next < at.size()) {
    const double risk = walk.risk();
    if (risk < kVanished) {
      while (next < at.size()) curve.risk[next++] = 0;
      break;
    }
    const StepRates now = walk.look(k);
    ++curve.evaluations;
    const double room = std::max(1.0, std::floor(at[next]) - k);
    double n = std::floor(std::max(1.0, std::min({kOfTime * k, longest, room})));
    for (;;) {
      const double x = k > last ? 0.5 * (n - 1) / (k - last) : 0;
      const StepRates rates = x > 0 ? now.beyond(before, x) : now;
      const Walk kept = walk;
      walk.take(rates, n);
      const double then = walk.risk();
      const double moved = std::abs(std::log(then / risk));
      if (n == 1 || moved <= std::log(kJump)) break;
      walk = kept;
      n = std::max(1.0, std::floor(0.25 * n));
    }
    const double then = walk.risk();
    ++curve.accepted;
    if (!std::isfinite(then) || then > kDiverged * start) {
      curve.status = RiskCurve::Status::diverged;
      curve.message = "diverged";
      return curve;
    }
    const double from = k;
    before = now;
    last = k;
    k += n;
    const double by_risk = std::abs(std::log(then / risk)) / n;
    longest = std::min(kOfRisk / std::max(by_risk, 1e-300), 2 * n);
    record(from, risk, then);
  }
  (void)log_risk;
  curve.steps = at;
  return curve;
}

}  // namespace riskcurve
