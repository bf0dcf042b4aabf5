#include "integrate/flow.hpp"

#include <limits>

namespace riskcurve {
namespace {
using Map = Eigen::Map<const Eigen::ArrayXd>;

/// ds/dt, and de/dt after it.
Eigen::ArrayXd slope(const ModeSystem& system, const Now& now) {
  const Rates rates = system.rates(now);
  Eigen::ArrayXd f(system.modes() + now.extra.size());
  f.head(system.modes()) =
      -2 * now.gamma * rates.drift * *now.state + now.gamma * now.gamma * rates.diffusion;
  if (now.extra.size() > 0) f.tail(now.extra.size()) = system.extra_rate(now);
  return f;
}
}  // namespace

Now Flow::at(const double* x, const Eigen::ArrayXd& s, double t) const {
  // Explicit stages may overshoot; a response is only defined for R > 0.
  return {t, step_size(t), std::max(system->risk(s), 1e-300),
          Map(x + system->modes(), system->extra_initial.size()), &s};
}

void Flow::rate(const double* x, double* dxdt, double t) const {
  const Eigen::ArrayXd s = Map(x, system->modes()), f = slope(*system, at(x, s, t));
  std::copy(f.begin(), f.end(), dxdt);
}

void Flow::jacobian(const double* x, double* matrix, double* dfdt, double t) const {
  const Eigen::Index modes = system->modes(), n = modes + system->extra_initial.size();
  const Eigen::ArrayXd s = Map(x, modes);
  const Now now = at(x, s, t);
  Eigen::Map<Eigen::Matrix<double, -1, -1, Eigen::RowMajor>> j(matrix, n, n);
  j.setZero();

  // Columns through a scalar (R, each extra state, t) by central differences of the scalars.
  const auto shifted = [&](auto Now::*scalar, double by) {
    Now other = now;
    other.*scalar += by;
    if (scalar == &Now::time) other.gamma = step_size(other.time);
    return slope(*system, other);
  };
  const double delta = 1e-5 * now.risk;
  const Eigen::ArrayXd by_risk =
      (shifted(&Now::risk, delta) - shifted(&Now::risk, -delta)) / (2 * delta);
  j.leftCols(modes) = by_risk.matrix() * (0.5 * system->weight).matrix().transpose();
  j.diagonal().head(modes) -= 2 * now.gamma * system->rates(now).drift.matrix();
  for (Eigen::Index e = 0; e < now.extra.size(); ++e) {
    Now up = now, down = now;
    const double d = 1e-6 * std::max(1e-6, std::abs(now.extra[e]));
    up.extra[e] += d;
    down.extra[e] -= d;
    j.col(modes + e) = (slope(*system, up) - slope(*system, down)) / (2 * d);
  }
  const double dt = 1e-6 * std::max(1.0, t);
  Eigen::Map<Eigen::ArrayXd>(dfdt, n) = (shifted(&Now::time, dt) - slope(*system, now)) / dt;
}

double step_error(const ModeSystem& system, const double* x, const double* error, double rtol,
                  double atol) {
  const Eigen::Index modes = system.modes(), extras = system.extra_initial.size();
  const Map s(x, modes), ds(error, modes);
  double worst = (system.weight * ds.abs()).sum() /
                 (rtol * (system.weight * s.abs()).sum() + 2 * atol + 1e-300);
  for (Eigen::Index e = modes; e < modes + extras; ++e)
    worst = std::max(worst, std::abs(error[e]) / (rtol * std::abs(x[e]) + 1e-300));
  return std::isfinite(worst) ? worst : std::numeric_limits<double>::infinity();
}

}  // namespace riskcurve
