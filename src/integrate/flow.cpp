#include "integrate/flow.hpp"

#include <limits>

namespace riskcurve {
namespace {
using Map = Eigen::Map<const Eigen::ArrayXd>;

/// start + t as a double `low` of the stretch and a share of the way from it to its neighbour.
struct Place {
  double low, high, share;
};

Place place(const Flow& flow, double t) {
  const double inside = std::nextafter(flow.end, 0.0);
  const double low = std::max(flow.start, std::min(flow.start + t, inside));
  const double rest = t - (low - flow.start);
  if (std::abs(rest) <= 1e-15 * t) return {low, low, 0};
  double high = std::nextafter(low, rest > 0 ? HUGE_VAL : 0.0);
  if (high > inside) high = std::nextafter(low, 0.0);  // the end itself may be past a jump
  if (high < flow.start) return {low, low, 0};
  return {low, high, rest / (high - low)};
}

template <class Value>
Value between(const Place& at, Value low, const Value& high) {
  low += at.share * (high - low);
  return low;
}

/// ds/dt, and de/dt after it.
Eigen::ArrayXd slope(const Flow& flow, const Now& now) {
  const Eigen::Index modes = flow.system->modes();
  const Rates rates = flow.system->rates(flow.response(now));
  Eigen::ArrayXd f(modes + now.extra.size());
  f.head(modes) =
      -2 * now.gamma * rates.drift * *now.state + now.gamma * now.gamma * rates.diffusion;
  if (now.extra.size() > 0) f.tail(now.extra.size()) = flow.extra_rate(now);
  return f;
}
}  // namespace

double Flow::gamma(double t) const {
  const Place at = place(*this, t);
  const double low = step_size(at.low);
  return at.share == 0 ? low : std::max(0.0, between(at, low, step_size(at.high)));
}

Now Flow::at(const double* x, const Eigen::ArrayXd& s, double t) const {
  // Explicit stages may overshoot; a response is only defined for R > 0.
  return {t, gamma(t), std::max(system->risk(s), 1e-300),
          Map(x + system->modes(), system->extra_initial.size()), &s};
}

Response Flow::response(Now now) const {
  const Place at = place(*this, now.time);
  now.time = at.low;
  const Response low = system->response(now);
  if (at.share == 0) return low;
  now.time = at.high;
  const Response high = system->response(now);
  return {between(at, low.drift, high.drift), between(at, low.diffusion, high.diffusion)};
}

Eigen::ArrayXd Flow::extra_rate(Now now) const {
  const Place at = place(*this, now.time);
  now.time = at.low;
  const Eigen::ArrayXd low = system->extra_rate(now);
  if (at.share == 0) return low;
  now.time = at.high;
  return between(at, low, system->extra_rate(now));
}

void Flow::rate(const double* x, double* dxdt, double t) const {
  const Eigen::ArrayXd s = Map(x, system->modes()), f = slope(*this, at(x, s, t));
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
    if (scalar == &Now::time) other.gamma = gamma(other.time);
    return slope(*this, other);
  };
  const double delta = 1e-5 * now.risk;
  const Eigen::ArrayXd by_risk =
      (shifted(&Now::risk, delta) - shifted(&Now::risk, -delta)) / (2 * delta);
  j.leftCols(modes) = by_risk.matrix() * (0.5 * system->weight).matrix().transpose();
  j.diagonal().head(modes) -= 2 * now.gamma * system->rates(response(now)).drift.matrix();
  for (Eigen::Index e = 0; e < now.extra.size(); ++e) {
    Now up = now, down = now;
    const double d = 1e-6 * std::max(1e-6, std::abs(now.extra[e]));
    up.extra[e] += d;
    down.extra[e] -= d;
    j.col(modes + e) = (slope(*this, up) - slope(*this, down)) / (2 * d);
  }
  double dt = std::min(1e-6 * std::max(1.0, t), 1e-3 * length());
  if (t + dt > length()) dt = -dt;
  Eigen::Map<Eigen::ArrayXd>(dfdt, n) = (shifted(&Now::time, dt) - slope(*this, now)) / dt;
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
