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
  for (const double t : {0.0, 0.5 * horizon, horizon * (1 - 4e-16)})
    for (const double part : {1e2, 1.0, 1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-100, 0.0}) {
      const Now now{t, 0, std::max(part * start, kVanishedRisk)};
      const double response = system.response(now).drift[0];
      if (!(response <= largest)) largest = response;
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
  const double clock = integral(step, horizon_) * largest_response_;
  double slow = 0.25 / clock;  // it has not half decayed by then
  if (!std::isfinite(slow) || slow == 0) return whole_;
  slow = std::ldexp(1.0, 2 * static_cast<int>(std::floor(0.5 * std::log2(slow))));
  if (slow != slow_) few_ = compress(whole_, 8, slow_ = slow);
  return few_;
}

}  // namespace riskcurve
