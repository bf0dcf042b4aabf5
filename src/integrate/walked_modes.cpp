#include "integrate/walked_modes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kSteepest = 3;    // slope of a line, log over log
constexpr double kLagsOfWalk = 4;  // steps back that rests are correlated, unless they last
constexpr double kNewestLag = 32;  // of what lasts: the newest 1/32 of the steps is one
constexpr double kLittle = 1e-2;   // of a clock: below, powers

/// A^n and sum_(i < n) A^i.
struct Repeats {
  ArrayXd power, sum;

  Repeats(const ArrayXd& map, double n)
      : power(n == 1 ? map : ArrayXd((n * map.abs().max(1e-300).log()).exp())) {
    const bool odd = std::fmod(n, 2) != 0;
    if (n != 1 && odd && (map < 0).any()) power = (map < 0).select(-power, power);
    sum = ((1 - map).abs() > 1e-12).select((1 - power) / (1 - map), n);
  }
};

}  // namespace

WalkLine::WalkLine(const WalkRates& rates, const WalkUnits& units)
    : of_{rates.drift / units.drift, rates.of_mean / units.drift, rates.noise / units.noise,
          rates.rest / units.noise, rates.comes / units.noise},
      all_(of_.noise + of_.rest) {}

void WalkLine::lean_on(const WalkLine& other, double ahead, double step) {
  const Eigen::Array<bool, Eigen::Dynamic, 1> quick = of_.drift * step > 1;
  const auto slope = [&](const ArrayXd& a, const ArrayXd& b) -> ArrayXd {
    const ArrayXd log_ratio = (a.abs().max(1e-300) / b.abs().max(1e-300)).log() / ahead;
    return (a * b > 0 && !quick).select(log_ratio, 0.0).max(-kSteepest).min(kSteepest);
  };
  slope_ = {slope(of_.drift, other.of_.drift), slope(of_.of_mean, other.of_.of_mean),
            slope(of_.noise, other.of_.noise), slope(of_.rest, other.of_.rest),
            slope(of_.comes, other.of_.comes)};
  all_slope_ = slope(all_, other.all_);
}

void WalkLine::take_slope(const WalkLine& other) {
  slope_ = other.slope_;
  all_slope_ = other.all_slope_;
}

ArrayXd WalkLine::on_line(const ArrayXd& a, const ArrayXd& slope, double ahead, double unit) const {
  if (slope.size() == 0 || ahead == 0) return unit * a;
  return unit * a * (ahead * slope).exp();
}

WalkRates WalkLine::at(double ahead, const WalkUnits& units) const {
  return {on_line(of_.drift, slope_.drift, ahead, units.drift),
          on_line(of_.of_mean, slope_.of_mean, ahead, units.drift),
          on_line(of_.noise, slope_.noise, ahead, units.noise),
          on_line(of_.rest, slope_.rest, ahead, units.noise),
          on_line(of_.comes, slope_.comes, ahead, units.noise)};
}

WalkRates WalkLine::of_steps(double ahead, const WalkUnits& units, bool means) const {
  WalkRates r;
  r.drift = on_line(of_.drift, slope_.drift, ahead, units.drift);
  if (means) r.of_mean = on_line(of_.of_mean, slope_.of_mean, ahead, units.drift);
  r.noise = on_line(all_, all_slope_, ahead, units.noise);
  if ((of_.comes != 0).any()) r.comes = on_line(of_.comes, slope_.comes, ahead, units.noise);
  return r;
}

ArrayXd WalkLine::tilt(double ahead, double of_units) const {
  if (slope_.drift.size() == 0) return ArrayXd::Constant(of_.drift.size(), of_units);
  return of_units + ahead * (all_slope_ - slope_.drift);
}

WalkedModes::WalkedModes(const ModeSystem& system, double step)
    : system_(&system),
      map_(&*system.filtered),
      h_(system.weight),
      n_(system.multiplicity),
      of_risk_(0.5 * h_ * n_),
      step_(step) {
  const ArrayXd square = system.initial / n_, none = ArrayXd::Zero(h_.size());
  if (map_->sees_means)
    now_ = {none, square.sqrt(), {}, none};
  else
    now_ = {square, none, square, none};
}

double WalkedModes::risk() const {
  return (of_risk_ * (now_.spread + now_.mean.square())).sum();
}
double WalkedModes::left() const {
  return (of_risk_ * (map_->sees_means ? ArrayXd(now_.mean.square()) : now_.left)).sum();
}

WalkUnits WalkedModes::units(double risk) const {
  Now now;
  now.risk = risk;
  const Response of = system_->response(now);
  const auto some = [](double x) { return x > 0 && std::isfinite(x) ? x : 1; };
  return {some(of.drift[0]), some(of.diffusion[0])};
}

ArrayXd WalkedModes::linear_square(const WalkRates& r, const State& at) const {
  return r.drift.square() * at.spread + r.noise + (r.of_mean * at.mean).square();
}

WalkRates WalkedModes::look(double k) {
  FilteredGradient u;
  u.weight = h_;
  u.multiplicity = n_;
  u.time = k;
  u.risk = u.memory = risk();
  u.error = now_.spread + now_.mean.square();
  u.cross = u.signal = u.noise = ArrayXd::Zero(h_.size());
  if (map_->sees_means) {
    u.mean = now_.mean;
    u.held_mean = ArrayXd::Zero(h_.size());
  }
  answer_ = std::make_shared<const FilteredAnswer>(map_->answer(u, answer_.get()));
  WalkRates r;
  r.drift = h_ * answer_->fresh;
  r.of_mean = map_->sees_means ? ArrayXd(h_ * answer_->fresh_of_mean) : r.drift;
  r.noise = answer_->sampled * (h_ * answer_->fresh_noise).square();
  linear_ = linear_square(r, now_);
  r.rest = (answer_->power - linear_).max(0.0);
  r.comes = ArrayXd::Zero(h_.size());
  const ArrayXd mean = r.of_mean * now_.mean;
  for (const FilteredLag& lag : lags_)
    r.comes += lag.response.col(0) * rest_between(*map_, *answer_, r.drift, linear_, mean, lag);
  looked_ = r;
  return r;
}

void WalkedModes::set_out() {
  now_.log_map.setZero();
  now_.steps = 0;
}

void WalkedModes::take(const WalkRates& r, double n, const ArrayXd& tilt) {
  const ArrayXd a = 1 - step_ * r.drift, log_map = n * a.abs().max(1e-300).log(),
                power = n == 1 ? ArrayXd(a.square()) : ArrayXd((2 * log_map).exp()),
                gone = 1 - power, gone_once = (2 - step_ * r.drift) * (step_ * r.drift);
  ArrayXd source = step_ * step_ * r.noise;
  if (r.comes.size() > 0) source -= 2 * step_ * a * r.comes;
  ArrayXd sum = (gone_once.abs() > 1e-12).select(gone / gone_once, n);
  if (tilt.size() > 0) {
    // What has long forgotten where it began is where its noise is now, not in the middle.
    const ArrayXd clock = -2 * log_map;
    sum *= 1 + tilt * (clock > kLittle)
                          .select(0.5 * (1 + power) / gone.max(1e-12) - 1 / clock.max(1e-12),
                                  clock / 12);
  }
  ArrayXd spread = power * now_.spread + sum * source;
  if ((a < 0).any()) {
    // Where one step answers more than there is, rates follow what is left, and repeats of rates
    // held fixed would overshoot and swing: half of one step a look, which comes to rest where they
    // do.
    const double part = n > 1 ? 0.5 : 1;
    const ArrayXd one = (1 - part) * now_.spread + part * (a.square() * now_.spread + source);
    spread = (a < 0).select(now_.steps == 0 ? one : now_.spread, spread);
  }
  now_.spread = spread.max(0.0);
  if (map_->sees_means)
    now_.mean *= Repeats((1 - step_ * r.of_mean).max(-1.0), n).power;
  else
    now_.left *= (a < 0).select(0.0, power);
  now_.log_map += log_map;
  now_.steps += n;
}

double WalkedModes::taken(const WalkRates& r) const {
  return (of_risk_ * (r.drift * now_.spread + r.of_mean * now_.mean.square())).sum();
}
double WalkedModes::added(const WalkRates& r) const {
  const ArrayXd a = 1 - step_ * r.drift;
  return (of_risk_ * (step_ * (r.noise + r.rest) - 2 * a * r.comes)).sum();
}

double WalkedModes::quick_share(const WalkRates& r) const {
  const ArrayXd each = of_risk_ * (now_.spread + now_.mean.square());
  return (step_ * r.drift > 1).select(each, 0.0).sum() / each.sum();
}

/// A step of the last answer, `age` steps ago; `length` of them, the youngest as old.
FilteredLag WalkedModes::lag_of(const WalkRates& r, const State& at, const ArrayXd& map, double age,
                                double length) const {
  const ArrayXd newest = map * at.spread * r.drift - step_ * r.noise;  // E y (linear part), after
  const ArrayXd by = !map_->lasting && length > 1 ? map.abs() : map;
  FilteredLag lag;
  lag.covariance = newest * Repeats(by, age + std::floor(0.5 * length)).power;
  lag.response = -step_ * Repeats(by, age).power * Repeats(by, length).sum;
  lag.linear = linear_;
  lag.mean = r.of_mean * at.mean;
  lag.steps = length;
  lag.answer = answer_;
  return lag;
}

void WalkedModes::remember(const WalkRates& rates, const State& from) {
  const double n = now_.steps;
  State at = now_;
  if (n > 1 && map_->lasting) {
    at.spread = (from.spread > 0).select((from.spread * now_.spread).sqrt(), 0.5 * now_.spread);
    at.mean = (from.mean * now_.mean).max(0.0).sqrt();
  }
  if (n > 1) linear_ = linear_square(rates, at);
  const WalkRates& r = n > 1 ? rates : looked_;
  const ArrayXd size = (now_.log_map / n).exp().min(1.0),
                a = (step_ * r.drift > 1).select(-size, size), all = Repeats(a, n).power;
  for (FilteredLag& lag : lags_) {
    lag.covariance.col(0) *= all;
    lag.response.col(0) *= all;
  }
  if (!map_->lasting) {
    // Those of many steps as one; else one by one.
    if (n >= kLagsOfWalk || (!lags_.empty() && lags_.front().steps > 1)) lags_.clear();
    // What changes sign from step to step, its rests do too: together they add up.
    if (n >= kLagsOfWalk)
      lags_.push_front(lag_of(r, at, a, 0, kLagsOfWalk));
    else
      for (double age = n - 1; age >= 0; --age) lags_.push_front(lag_of(r, at, a, age, 1));
    lags_.resize(std::min(lags_.size(), static_cast<std::size_t>(kLagsOfWalk)));
    return;
  }
  // By halves of their age, the newest last.
  for (double upto = n; upto >= 1;) {
    const double length = upto > n / kNewestLag && upto > 2 ? std::ceil(0.5 * upto) : upto;
    upto -= length;
    lags_.push_front(lag_of(r, at, a, upto, length));
  }
  join_old(lags_);
}

}  // namespace riskcurve
