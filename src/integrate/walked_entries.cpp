#include "integrate/walked_entries.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kNotLinear = 1e-4;  // of the bound, at least
constexpr double kEntry = 2.5;  // directions of a mode: fewer are one, or it and its mirror image
constexpr double kSlow = 0.2;   // of an error, in one step: several are taken at once,
constexpr double kTogetherOf = 0.3;  // of so much
constexpr double kAtRest = 1e-7;     // what no longer moves by more

/// One entry under these rates.
struct Entry {
  double step, noise, comes;

  /// S after m steps that answer with d, and what is left of S before.
  std::pair<double, double> after(double spread, double d, double m) const {
    const double a = 1 - step * d, gone = 1 - a * a, power = m == 1 ? a * a : std::pow(a * a, m);
    const double source = step * step * noise - 2 * step * a * comes;
    const double sum = gone > 1e-12 ? (1 - power) / gone : m;
    return {std::max(0.0, power * spread + sum * source), power};
  }
};

}  // namespace

WalkedEntries::WalkedEntries(const ModeSystem& system, double step)
    : of_risk_(0.5 * system.weight * system.multiplicity), step_(step) {
  if (system.filtered->sees_means) return;
  for (Index k = 0; k < system.modes(); ++k)
    if (system.multiplicity[k] < kEntry) modes_.push_back(k);
}

double WalkedEntries::seen(double aside, double spread) const {
  return aside / std::sqrt(1 + spread * aside * aside / bound_);
}

void WalkedEntries::put_aside(WalkRates& r, const ArrayXd& spread, const WalkRates& last) {
  const auto linear = [&](Index k) { return r.drift[k] * r.drift[k] * spread[k]; };
  for (const Index k : modes_) bound_ = std::max(bound_, linear(k) + r.noise[k] + r.rest[k]);
  for (const Index k : modes_) {
    // They follow what a step more than answers, which follows them.
    if (last.drift.size() > 0 && step_ * std::min(r.drift[k], last.drift[k]) > 1)
      r.comes[k] = 0.5 * (r.comes[k] + last.comes[k]);
    r.drift[k] /= std::sqrt(std::max(1 - linear(k) / bound_, kNotLinear));
  }
}

void WalkedEntries::see(WalkRates& r, const ArrayXd& spread) const {
  for (const Index k : modes_) r.drift[k] = seen(r.drift[k], spread[k]);
}

void WalkedEntries::see_maps(ArrayXd& size, const WalkRates& r) const {
  for (const Index k : modes_) size[k] = std::min(std::abs(1 - step_ * r.drift[k]), 1.0);
}

double WalkedEntries::take(const WalkRates& r, double n, bool swings, const Errors& before,
                           Errors& after) const {
  double jumped = 0;
  for (const Index k : modes_) {
    const Entry entry{step_, r.noise[k], r.comes.size() > 0 ? r.comes[k] : 0};
    double spread = before.spread[k], kept = 1, steps = n;
    bool halved = false, moves = true;
    while (steps > 0 && moves) {
      const double d = seen(r.drift[k], spread), answered = step_ * d, last = spread;
      double m = 1, part = 1;
      auto next = entry.after(spread, d, 1);
      if (answered > 1) {
        next.second = 0;
        part = swings ? 1 : 0.5;
        halved = halved || !swings;
      } else if (answered < kSlow && steps > 1) {
        m = std::min(steps, std::max(1.0, std::floor(kTogetherOf / answered)));
        next = entry.after(spread, d, m);
        next = entry.after(spread, seen(r.drift[k], std::sqrt(spread * next.first)), m);
      }
      spread += part * (next.first - spread);
      kept *= next.second;
      steps -= m;
      moves = std::abs(spread - last) > kAtRest * spread;
    }
    if (steps > 0) kept = 0;
    after.spread[k] = spread;
    after.left[k] = kept * before.left[k];
    if (halved) jumped += of_risk_[k] * (spread - before.spread[k]);
  }
  return jumped;
}

}  // namespace riskcurve
