#include "analysis/walked_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "integrate/filtered_walk.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

constexpr double kBehind = -0.7, kBeyond = 0.4;  // how far a walk foretells, in log step
constexpr double kGain = 2e-3;                   // of R: not walked for
constexpr double kStraightGain = 0.01;           // the same without a tilt
constexpr double kSure = 0.25;                   // nor so far, in log step
constexpr double kTooNear = 0.02;                // nearer walks say nothing of a tilt
constexpr double kProbe = 0.1;
constexpr double kNearby = 0.35;  // walks whose tilt is that of the best step
constexpr double kSteepestTilt = 3;
constexpr double kClimb = 0.7;                      // from a guess far below
constexpr double kDipBelow = 1.5, kDipAbove = 1.5;  // of a guess: where first dips are looked for,
constexpr double kDipStride = 0.3, kDipCloser = 0.25, kDipAccuracy = 1e-3;
constexpr int kMostWalks = 12, kMostDown = 40, kGrid = 110;

class ForetoldByWalk {
 public:
  ForetoldByWalk(const ModeSystem& system, double log_step, double horizon)
      : log_step_(log_step), horizon_(horizon) {
    const RiskCurve curve = walk_filtered(system, std::exp(log_step),
                                          ArrayXd{{horizon, std::exp(kBeyond) * horizon}}, &trace_);
    log_risk_ = curve.status == RiskCurve::Status::diverged && !(curve.risk[0] > 0)
                    ? HUGE_VAL
                    : std::log(curve.risk[0]);
  }
  double log_step() const { return log_step_; }
  double log_risk() const { return log_risk_; }
  /// How far to either side: no further than the walk went.
  double behind() const {
    return std::max(kBehind, std::min(0.0, std::log(trace_.time.front() / horizon_)));
  }
  double beyond() const {
    return std::min(kBeyond, std::max(0.0, std::log(trace_.time.back() / horizon_)));
  }
  /// log R(T) at e^x of the step.
  double at(double x) const {
    const double t = std::exp(x) * horizon_;
    const auto after = std::lower_bound(trace_.time.begin() + 1, trace_.time.end() - 1, t);
    const std::ptrdiff_t i = after - trace_.time.begin();
    const auto of = [i](const std::vector<double>& a) {
      return std::pair(a[static_cast<std::size_t>(i - 1)], a[static_cast<std::size_t>(i)]);
    };
    const auto [from, to] = of(trace_.time);
    const double share = std::clamp(std::log(t / from) / std::log(to / from), 0.0, 1.0);
    const auto between = [share](double a, double b) {
      return a > 0 && b > 0 ? a * std::pow(b / a, share) : (1 - share) * a + share * b;
    };
    const auto [risk, risk_after] = of(trace_.risk);
    const auto [left, left_after] = of(trace_.left);
    return std::log(between(left, left_after) +
                    std::exp(2 * x) * between(risk - left, risk_after - left_after));
  }

  /// Where that times e^(tilt x) is least within these bounds, and by how much.
  std::pair<double, double> lowest(double from, double to, double tilt) const {
    std::pair<double, double> found{0, 0};
    const double here = at(0);
    for (int n = 0; n <= kGrid; ++n) {
      const double x = from + (to - from) * n / kGrid, gain = here - at(x) - tilt * x;
      if (gain > found.second) found = {x, gain};
    }
    return found;
  }

 private:
  double log_step_, horizon_, log_risk_;
  WalkTrace trace_;
};

/// What the walk at `from` foretells wrongly, per log step, seen from that at `to`; nan: they are
/// too near each other or too far apart.
double tilt_between(const ForetoldByWalk& from, const ForetoldByWalk& to) {
  const double apart = to.log_step() - from.log_step();
  if (std::abs(apart) < kTooNear || apart < from.behind() || apart > from.beyond()) return NAN;
  const double off = to.log_risk() - from.log_risk() - (from.at(apart) - from.at(0));
  return std::clamp(off / apart, -kSteepestTilt, kSteepestTilt);
}

}  // namespace

Least WalkedSearch::operator()(double horizon, double log_step) {
  std::vector<ForetoldByWalk> walks;
  double high = INFINITY;  // the least step that diverged
  double x = log_step;
  for (int i = 0; i < kMostDown && std::ssize(walks) < kMostWalks; ++i) {
    ForetoldByWalk walk(system_, x, horizon);
    if (walk.log_risk() == -INFINITY) return {x, -INFINITY};
    if (!std::isfinite(walk.log_risk())) {
      high = std::min(high, x);
      x = walks.empty() ? x + kBehind : 0.5 * (x + walks.front().log_step());
      if (!walks.empty() && high - walks.front().log_step() < kTooNear) break;
      continue;
    }
    // The lowest first.
    walks.push_back(std::move(walk));
    std::stable_sort(walks.begin(), walks.end(),
                     [](const auto& a, const auto& b) { return a.log_risk() < b.log_risk(); });
    const ForetoldByWalk& best = walks.front();
    double least = best.behind(), most = best.beyond();
    most = std::min(most, high - best.log_step());
    double nearest = INFINITY, tilt = NAN;
    for (std::size_t j = 1; j < walks.size(); ++j) {
      const double apart = walks[j].log_step() - best.log_step();
      (apart < 0 ? least : most) = apart < 0 ? std::max(least, apart) : std::min(most, apart);
      double seen = tilt_between(best, walks[j]);
      if (std::isnan(seen)) seen = tilt_between(walks[j], best);
      if (std::isnan(seen) || std::abs(apart) > nearest) continue;
      nearest = std::abs(apart);
      tilt = seen;
    }
    if (std::isfinite(tilt)) tilt_ = tilt, tilted_ = true;
    const double gain_straight = best.lowest(least, most, 0).second;
    auto [to, gain] = best.lowest(least, most, tilt_);
    // A tilt seen at another horizon serves once.
    const bool near = nearest < kNearby,
               sure = near || (tilted_ && !borrowed_ && gain_straight < kStraightGain);
    if (gain < kGain * static_cast<double>(std::max<std::size_t>(walks.size(), 2) - 1) &&
        std::abs(to) < kSure && sure) {
      borrowed_ = !near;
      return {best.log_step() + to, best.log_risk() - gain};
    }
    if (walks.size() > 1 && most - least < kTooNear) break;
    // At the edge of another walk it is not believed.
    const double edge = 0.02 * (most - least);
    const bool at_least = to - least < edge && least > best.behind(),
               at_most = most - to < edge && most < best.beyond();
    if (walks.size() > 1 && (at_least || at_most)) to *= 0.5;
    // Where it seems best already, a tilt is looked for.
    if (!near && std::abs(to) < kProbe) to = to < 0 ? -kProbe : kProbe;
    x = best.log_step() + to;
    const bool again = std::any_of(walks.begin(), walks.end(), [x](const auto& before) {
      return std::abs(before.log_step() - x) < kTooNear;
    });
    if (again) break;
  }
  if (walks.empty())
    throw Failure(
        fmt::format("the risk diverges at step size {:.4g} and at all above it", std::exp(x)));
  borrowed_ = false;
  return {walks.front().log_step(), walks.front().log_risk()};
}

double WalkedSearch::log_risk(double horizon, double log_step) const {
  const RiskCurve curve = walk_filtered(system_, std::exp(log_step), ArrayXd::Constant(1, horizon));
  return curve.status == RiskCurve::Status::diverged ? INFINITY : std::log(curve.risk[0]);
}

Least WalkedSearch::from_afar(double horizon, double log_step) {
  const auto risk_at = [&](double x) { return log_risk(horizon, x); };
  double lowest = INFINITY;
  if (system_.filtered->sees_means) {
    for (double risk = 0; (risk = risk_at(log_step)) < lowest; log_step += kClimb) lowest = risk;
    return (*this)(horizon, log_step - kClimb);
  }
  double best = log_step;
  for (double x = log_step - kDipBelow; x < log_step + kDipAbove; x += kDipStride) {
    const double risk = risk_at(x);
    if (risk > lowest + std::log(2.0)) break;
    if (risk < lowest) lowest = risk, best = x;
  }
  return least(risk_at, best, kDipCloser, kDipAccuracy);
}

}  // namespace riskcurve
