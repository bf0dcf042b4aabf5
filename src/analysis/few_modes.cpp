#include "analysis/few_modes.hpp"

#include <algorithm>
#include <cmath>

#include "riskcurve/analysis/schedules.hpp"

namespace riskcurve {
namespace {

/// The largest g of all risks a run may come to: responses are monotone in R or nearly so. Of few
/// risks, as many take a table each; of the first step, which may be far from those later, at the
/// start alone.
double largest_response(const ModeSystem& system, double horizon) {
  if (system.drift.cols() != 1 || system.extra_initial.size() > 0) return HUGE_VAL;
  // Directions of their own are merged, if at all, whatever their rates.
  if (system.filtered || system.directions || (system.squares && system.squares->each))
    return HUGE_VAL;
  const double start = system.risk(system.initial);
  const auto response = [&](double t, double part) {
    Now now{t, 0, std::max(part * start, kVanishedRisk)};
    if (system.blocks) now.momentum = system.blocks->at(t, 0).momentum;
    return system.steady_response(now).drift[0];
  };
  double largest = 0;
  const auto see = [&](double g) {
    if (!(g <= largest)) largest = g;
    return g;
  };
  for (const double at : {0.0, 0.5 * horizon, horizon * (1 - 4e-16)}) {
    const double t = system.settled(at), first = see(response(t, 1));
    if (see(response(t, 0.1)) < first) see(response(t, 1e2));
    // Noise alone decides by then, or nothing does.
    const double low = see(response(t, 1e-16)), lower = see(response(t, 0.5e-16));
    if (std::abs(low - lower) < 3e-4 * low) continue;
    for (const double part : {1e-100, 0.0}) see(response(t, part));
  }
  const double settled = response(system.settled(0), 1);
  const double started = settled > 0 ? response(0, 1) / settled : 1;
  return started > 1 ? largest * started : largest;
}

double integral(const Schedule& step, double horizon) {
  const Eigen::ArrayXd at = schedule_mesh(horizon);
  double sum = 0;
  for (Eigen::Index i = 1; i < at.size(); ++i)
    sum += 0.5 * (at[i] - at[i - 1]) * (step(at[i - 1]) + step(at[i] * (1 - 4e-16)));
  return sum;
}

}  // namespace

FewModes::FewModes(const ModeSystem& system, double horizon)
    : whole_(system), horizon_(horizon), largest_response_(largest_response(system, horizon)) {}

const ModeSystem& FewModes::under(const Schedule& step) {
  const double gain = whole_.blocks ? whole_.blocks->amplification : 1;
  const double clock = integral(step, horizon_) * largest_response_ * gain;
  double slow = 0.25 / clock;  // it has not half decayed by then
  if (!std::isfinite(slow)) slow = 0;
  if (slow > 0) slow = std::ldexp(1.0, 2 * static_cast<int>(std::floor(0.5 * std::log2(slow))));
  const double turn = whole_.blocks ? turning(step) : 0;
  if (slow == slow_ && turn <= turn_ && few_.modes() > 0) return few_;
  turn_ = 2 * turn;
  few_ = compress(
      whole_, [this](double rate) { return nodes(rate); }, slow_ = slow);
  return few_;
}

double FewModes::turning(const Schedule& step) const {
  const Eigen::ArrayXd at = schedule_mesh(horizon_);
  double largest = 0, memory = 1;
  for (const double t : at) {
    largest = std::max(largest, step(t));
    if (whole_.blocks->momentum) memory = std::min(memory, 1 - (*whole_.blocks->momentum)(t));
  }
  return largest * largest_response_ * whole_.blocks->amplification / memory;
}

int FewModes::nodes(double rate) const {
  // Of a root that lasts less is known than 1e-8 of R.
  const double least = whole_.squares && whole_.squares->tilts ? 4 : 8;
  return static_cast<int>(std::min(40.0, least + 2.3 * std::sqrt(turn_ * rate)));
}

}  // namespace riskcurve
