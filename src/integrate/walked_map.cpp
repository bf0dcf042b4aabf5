#include "integrate/walked_map.hpp"

#include <algorithm>
#include <cmath>

namespace riskcurve {

using Eigen::ArrayXd;

namespace {

constexpr double kLagsOfWalk = 4;  // steps back that rests are correlated, unless they last

}  // namespace

Repeats::Repeats(const ArrayXd& map, double n)
    : power(n == 1 ? map : ArrayXd((n * map.abs().max(1e-300).log()).exp())) {
  const bool odd = std::fmod(n, 2) != 0;
  if (n != 1 && odd && (map < 0).any()) power = (map < 0).select(-power, power);
  sum = ((1 - map).abs() > 1e-12).select((1 - power) / (1 - map), n);
}

WalkedMap::WalkedMap(const ModeSystem& system, double step)
    : map_(&*system.filtered), h_(system.weight), n_(system.multiplicity), step_(step) {}

ArrayXd WalkedMap::linear(const WalkRates& r, const ArrayXd& spread, const ArrayXd& mean) const {
  return r.drift.square() * spread + r.noise + (r.of_mean * mean).square();
}

WalkRates WalkedMap::look(double k, const ArrayXd& spread, const ArrayXd& mean) {
  FilteredGradient u;
  u.weight = h_;
  u.multiplicity = n_;
  u.time = k;
  u.error = spread + mean.square();
  u.risk = u.memory = 0.5 * (n_ * h_ * u.error).sum();
  u.cross = u.signal = u.noise = ArrayXd::Zero(h_.size());
  if (map_->sees_means) {
    u.mean = mean;
    u.held_mean = ArrayXd::Zero(h_.size());
  }
  answer_ = std::make_shared<const FilteredAnswer>(map_->answer(u, answer_.get()));
  WalkRates r;
  r.drift = h_ * answer_->fresh;
  r.of_mean = map_->sees_means ? ArrayXd(h_ * answer_->fresh_of_mean) : r.drift;
  r.noise = answer_->sampled * (h_ * answer_->fresh_noise).square();
  const ArrayXd linear = this->linear(r, spread, mean), of_mean = r.of_mean * mean;
  r.rest = (answer_->power - linear).max(0.0);
  r.comes = ArrayXd::Zero(h_.size());
  for (const FilteredLag& lag : lags_)
    r.comes += lag.response.col(0) * rest_between(*map_, *answer_, r.drift, linear, of_mean, lag);
  return r;
}

/// A step of the last answer, `age` steps ago; `length` of them, the youngest as old.
FilteredLag WalkedMap::lag_of(const WalkRates& r, const Steps& steps, double age,
                              double length) const {
  const ArrayXd newest =
      steps.map * steps.spread * r.drift - step_ * r.noise;  // E y (linear part), after
  const ArrayXd by = !map_->lasting && length > 1 ? steps.map.abs() : steps.map;
  FilteredLag lag;
  lag.covariance = newest * Repeats(by, age + std::floor(0.5 * length)).power;
  lag.response = -step_ * Repeats(by, age).power * Repeats(by, length).sum;
  lag.linear = steps.linear;
  lag.mean = r.of_mean * steps.mean;
  lag.steps = length;
  lag.answer = answer_;
  return lag;
}

void WalkedMap::remember(const WalkRates& r, const Steps& steps) {
  const double n = steps.n;
  const ArrayXd all = Repeats(steps.map, n).power;
  for (FilteredLag& lag : lags_) {
    lag.covariance.col(0) *= all;
    lag.response.col(0) *= all;
  }
  if (!map_->lasting) {
    // Those of many steps as one; else one by one.
    if (n >= kLagsOfWalk || (!lags_.empty() && lags_.front().steps > 1)) lags_.clear();
    // What changes sign from step to step, its rests do too: together they add up.
    if (n >= kLagsOfWalk)
      lags_.push_front(lag_of(r, steps, 0, kLagsOfWalk));
    else
      for (double age = n - 1; age >= 0; --age) lags_.push_front(lag_of(r, steps, age, 1));
    lags_.resize(std::min(lags_.size(), static_cast<std::size_t>(kLagsOfWalk)));
    return;
  }
  // By halves of their age, the newest last.
  for (double upto = n; upto >= 1;) {
    const double length = upto > n / steps.newest && upto > 2 ? std::ceil(0.5 * upto) : upto;
    upto -= length;
    lags_.push_front(lag_of(r, steps, upto, length));
  }
  join_old(lags_);
}

}  // namespace riskcurve
