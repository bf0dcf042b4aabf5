#include "analysis/few_modes.hpp"

#include <algorithm>
#include <cmath>

#include "riskcurve/analysis/schedules.hpp"

namespace riskcurve {
namespace {

/// The largest g of all risks a run may come to: responses are monotone in R or nearly so.
double largest_response(const ModeSystem& system, double horizon) {
  if (system.drift.cols() != 1 || system.extra_initial.size() > 0) return HUGE_VAL;
  const double start = system.risk(system.initial);
  double largest = 0;
  for (const double t : {0.0, 0.5 * horizon, horizon * (1 - 4e-16)}) {
    double last = 0;
    for (const double part : {1e2, 1.0, 1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-100, 0.0}) {
      Now now{t, 0, std::max(part * start, kVanishedRisk)};
      if (system.blocks) now.momentum = system.blocks->at(t, 0).momentum;
      const double response = system.steady_response(now).drift[0];
      if (!(response <= largest)) largest = response;
      // Noise alone decides by now; tables are not filled for risks that no run comes to.
      if (part <= 1e-16 && std::abs(response - last) < 1e-3 * last) break;
      last = response;
    }
  }
  return largest;
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
  if (!std::isfinite(slow) || slow == 0) {
    if (!whole_.blocks) return whole_;
    slow = 0;
  }
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
  return static_cast<int>(std::min(40.0, 8 + 2.3 * std::sqrt(turn_ * rate)));
}

}  // namespace riskcurve
