#include "integrate/walked_modes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kSteepest = 3;    // slope of a line, log over log
constexpr double kNewestLag = 32;  // of what lasts: the newest 1/32 of the steps is one
constexpr double kLittle = 1e-2;   // of a clock: below, powers

}  // namespace

WalkLine::WalkLine(const WalkRates& rates, const WalkUnits& units)
    : of_{rates.drift / units.drift, rates.of_mean / units.drift, rates.noise / units.noise,
          rates.rest / units.noise, rates.comes / units.noise},
      all_(of_.noise + of_.rest) {}

void WalkLine::lean_on(const WalkLine& other, double ahead, double step, bool either) {
  const Eigen::Array<bool, Eigen::Dynamic, 1> quick =
      (either ? of_.drift.max(other.of_.drift) : of_.drift) * step > 1;
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
      map_(system, step),
      of_risk_(0.5 * system.weight * system.multiplicity),
      step_(step),
      entries_(system, step) {
  const ArrayXd square = system.initial / system.multiplicity, none = ArrayXd::Zero(square.size());
  if (means())
    now_ = {{none, {}}, square.sqrt(), none};
  else
    now_ = {{square, square}, none, none};
}

double WalkedModes::risk() const {
  return (of_risk_ * (now_.spread + now_.mean.square())).sum();
}
double WalkedModes::left() const {
  return (of_risk_ * (means() ? ArrayXd(now_.mean.square()) : now_.left)).sum();
}

WalkUnits WalkedModes::units(double risk) const {
  Now now;
  now.risk = risk;
  const Response of = system_->response(now);
  const auto some = [](double x) { return x > 0 && std::isfinite(x) ? x : 1; };
  return {some(of.drift[0]), some(of.diffusion[0])};
}

WalkRates WalkedModes::look(double k) {
  WalkRates line = map_.look(k, now_.spread, now_.mean);
  if (!entries()) return looked_ = line;
  const WalkRates last = std::exchange(looked_, line);
  entries_.put_aside(line, now_.spread, k >= kSwings ? last : WalkRates{});
  looked_.comes = line.comes;
  looked_at_ = k;
  return line;
}

void WalkedModes::set_out() {
  now_.log_map.setZero();
  now_.steps = 0;
}

double WalkedModes::take(const WalkRates& line, double n, const ArrayXd& tilt) {
  const WalkRates r = seen(line);
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
    const double part = swings(n) ? 1 : 0.5;
    const ArrayXd one = (1 - part) * now_.spread + part * (a.square() * now_.spread + source);
    spread = (a < 0).select(now_.steps == 0 ? one : now_.spread, spread);
  }
  if (means()) now_.mean *= Repeats((1 - step_ * r.of_mean).max(-1.0), n).power;
  WalkedEntries::Errors after{spread.max(0.0), {}};
  if (!means()) after.left = now_.left * (a < 0).select(0.0, power);
  const double jumped = entries_.take(line, n, swings(n), now_, after);
  static_cast<WalkedEntries::Errors&>(now_) = std::move(after);
  now_.log_map += log_map;
  now_.steps += n;
  return jumped;
}

WalkRates WalkedModes::seen(WalkRates rates) const {
  entries_.see(rates, now_.spread);
  return rates;
}

double WalkedModes::taken(const WalkRates& line) const {
  const WalkRates r = seen(line);
  return (of_risk_ * (r.drift * now_.spread + r.of_mean * now_.mean.square())).sum();
}
double WalkedModes::added(const WalkRates& line) const {
  const WalkRates r = seen(line);
  const ArrayXd a = 1 - step_ * r.drift;
  return (of_risk_ * (step_ * (r.noise + r.rest) - 2 * a * r.comes)).sum();
}

double WalkedModes::quick_share(const WalkRates& line) const {
  const WalkRates r = seen(line);
  const ArrayXd each = of_risk_ * (now_.spread + now_.mean.square());
  return (step_ * r.drift > 1).select(each, 0.0).sum() / each.sum();
}

void WalkedModes::remember(const WalkRates& rates, const State& from) {
  const double n = now_.steps;
  State at = now_;
  if (n > 1 && lasting()) {
    at.spread = (from.spread > 0).select((from.spread * now_.spread).sqrt(), 0.5 * now_.spread);
    at.mean = (from.mean * now_.mean).max(0.0).sqrt();
  }
  WalkRates r = looked_;
  if (n > 1) {
    r = rates;
    entries_.see(r, at.spread);
  } else if (entries()) {
    // One step as it was; others have lags that do not see what one step changes.
    map_.remember(r, {from.spread, from.mean, map_.linear(r, from.spread, from.mean),
                      (1 - step_ * r.drift).max(-1.0), n, kNewestLag});
    return;
  }
  const State& looked = n > 1 ? at : from;
  ArrayXd size = (now_.log_map / n).exp().min(1.0);
  entries_.see_maps(size, r);
  const ArrayXd a = (step_ * r.drift > 1).select(-size, size),
                linear = map_.linear(r, looked.spread, looked.mean);
  map_.remember(r, {at.spread, at.mean, linear, a, n, kNewestLag});
}

}  // namespace riskcurve
