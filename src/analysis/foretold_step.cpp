#include "analysis/foretold_step.hpp"

#include <array>
#include <cmath>

#include "analysis/least_risk.hpp"
#include "integrate/constant_steps.hpp"

namespace riskcurve {
namespace {

constexpr double kForetold = 1e-7;  // rtol
constexpr double kNearly = 1e-3;    // of the risk: what is left to a quartic
constexpr double kSpacing = 0.05;   // of its five points, in log step

/// Rates as an observer slower than the chain's memory sees them (ModeSystem::steady_rates), noise
/// shaped as it is at R(0). Must not outlive the system.
ModeSystem slowly_seen(const ModeSystem& system, double t, double step) {
  const auto seen = [&system, t, step](double risk) {
    return system.steady_response(system.steady(t, step, risk));
  };
  const double gain = system.blocks ? system.blocks->amplification : 1;
  const Eigen::Index before = system.blocks ? system.blocks->before : 0;
  const double risk = system.risk(system.initial);
  const Response start = seen(risk);
  Eigen::ArrayXXd noises = system.diffusion;
  noises.leftCols(before).colwise() *= system.drift.col(0).square();
  const Eigen::ArrayXd total = (noises.matrix().transpose() * system.weight.matrix()).array();
  const auto noise = [before, total, gain](const Response& r) {
    Eigen::ArrayXd n = r.diffusion;
    n.head(before) *= r.drift[0] * r.drift[0];
    return Eigen::ArrayXd(gain * gain * n * total);
  };
  const Eigen::ArrayXd shares = noise(start) / noise(start).sum() / (total > 0).select(total, 1.0);
  ModeSystem slow;
  slow.weight = system.weight;
  slow.initial = system.initial;
  slow.drift = system.drift;
  slow.diffusion = (noises.matrix() * shares.matrix()).array();
  slow.response = [seen, noise, gain](const Now& now) {
    const Response r = seen(now.risk);
    return Response{gain * r.drift, Eigen::ArrayXd::Constant(1, noise(r).sum())};
  };
  return slow;
}

bool has_slow_rates(const ModeSystem& system) {
  return !system.filtered && system.extra_initial.size() == 0 && system.drift.cols() == 1 &&
         (system.blocks || system.squares) && system.risk(system.initial) > kVanishedRisk;
}

}  // namespace

std::optional<Foretold> foretold_step(const ModeSystem& of, double horizon, double start,
                                      double stride) {
  const bool slow = has_slow_rates(of);
  const ModeSystem system = slow ? slowly_seen(of, 0.5 * horizon, start) : of;
  if (!ConstantSteps::knows(system)) return {};
  ConstantSteps steps(system, kForetold);
  const auto log_risk = [&](double x) { return std::log(steps.risk_after(horizon, std::exp(x))); };
  const Least near = least(log_risk, std::log(start), stride, kNearly);
  double x = near.log_step;
  for (int round = 0; round < 3; ++round) {
    std::array<double, 5> y;
    for (int i = 0; i < 5; ++i) {
      y[i] = i == 2 && round == 0 ? near.log_risk : log_risk(x + (i - 2) * kSpacing);
      if (!std::isfinite(y[i])) return {};
    }
    // Derivatives of the quartic through them, over powers of the spacing.
    const double first = (8 * (y[3] - y[1]) - (y[4] - y[0])) / 12,
                 second = (16 * (y[3] + y[1]) - (y[4] + y[0]) - 30 * y[2]) / 12,
                 third = (y[4] - y[0] - 2 * (y[3] - y[1])) / 2,
                 fourth = y[4] + y[0] - 4 * (y[3] + y[1]) + 6 * y[2];
    double u = 0, bend = second;
    for (int i = 0; i < 4; ++i) {
      bend = second + u * (third + u * fourth / 2);
      if (!(bend > 0)) return {};
      u -= (first + u * (second + u * (third / 2 + u * fourth / 6))) / bend;
      if (!(std::abs(u) < 20)) return {};
    }
    x += u * kSpacing;
    if (std::abs(u) < 2) return Foretold{std::exp(x), bend / (kSpacing * kSpacing)};
  }
  return {};
}

}  // namespace riskcurve
