#include "integrate/flow.hpp"

#include <limits>

namespace riskcurve {
namespace {
using Map = Eigen::Map<const Eigen::ArrayXd>;

struct Split {
  Map s, extra;
  double risk;
  Split(const ModeSystem& system, const double* x)
      : s(x, system.modes()),
        extra(x + system.modes(), system.extra_initial.size()),
        // Explicit stages may overshoot; a response is only defined for R > 0.
        risk(std::max(0.5 * (system.weight * s).sum(), 1e-300)) {}
};

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
}  // namespace

double Flow::gamma(double t) const {
  const Place at = place(*this, t);
  const double low = step_size(at.low);
  return at.share == 0 ? low : std::max(0.0, between(at, low, step_size(at.high)));
}

Response Flow::response(double t, double risk, const Eigen::ArrayXd& extra) const {
  const Place at = place(*this, t);
  Response now = system->response(at.low, risk, extra);
  if (at.share == 0) return now;
  const Response high = system->response(at.high, risk, extra);
  return {between(at, now.drift, high.drift), between(at, now.diffusion, high.diffusion)};
}

Eigen::ArrayXd Flow::extra_rate(double t, double risk, const Eigen::ArrayXd& extra) const {
  const Place at = place(*this, t);
  const Eigen::ArrayXd low = system->extra_rate(at.low, risk, extra);
  return at.share == 0 ? low : between(at, low, system->extra_rate(at.high, risk, extra));
}

void Flow::rate(const double* x, double* dxdt, double t) const {
  const Split now(*system, x);
  const Eigen::ArrayXd extra = now.extra;
  const Response response = this->response(t, now.risk, extra);
  const double gamma = this->gamma(t);
  Eigen::Map<Eigen::ArrayXd> out(dxdt, system->modes());
  out = -2 * gamma * (system->drift.matrix() * response.drift.matrix()).array() * now.s +
        gamma * gamma * (system->diffusion.matrix() * response.diffusion.matrix()).array();
  if (extra.size() > 0)
    Eigen::Map<Eigen::ArrayXd>(dxdt + system->modes(), extra.size()) =
        extra_rate(t, now.risk, extra);
}

void Flow::jacobian(const double* x, double* matrix, double* dfdt, double t) const {
  const Eigen::Index modes = system->modes(), n = modes + system->extra_initial.size();
  const Split now(*system, x);
  Eigen::Map<Eigen::Matrix<double, -1, -1, Eigen::RowMajor>> j(matrix, n, n);
  j.setZero();
  const double gamma = this->gamma(t);

  // Columns through a scalar (R, each extra state, t) by central differences of the scalars.
  const auto shifted = [&](double risk, const Eigen::ArrayXd& extra, double time) {
    const Response r = this->response(time, risk, extra);
    const double step = this->gamma(time);
    Eigen::ArrayXd f(n);
    f.head(modes) = -2 * step * (system->drift.matrix() * r.drift.matrix()).array() * now.s +
                    step * step * (system->diffusion.matrix() * r.diffusion.matrix()).array();
    if (n > modes) f.tail(n - modes) = extra_rate(time, risk, extra);
    return f;
  };
  const Eigen::ArrayXd extra = now.extra;
  const double delta = 1e-5 * now.risk;
  const Eigen::ArrayXd by_risk =
      (shifted(now.risk + delta, extra, t) - shifted(now.risk - delta, extra, t)) / (2 * delta);
  j.leftCols(modes) = by_risk.matrix() * (0.5 * system->weight).matrix().transpose();
  const Response response = this->response(t, now.risk, extra);
  j.diagonal().head(modes) -= 2 * gamma * (system->drift.matrix() * response.drift.matrix());
  for (Eigen::Index e = 0; e < extra.size(); ++e) {
    Eigen::ArrayXd up = extra, down = extra;
    const double d = 1e-6 * std::max(1e-6, std::abs(extra[e]));
    up[e] += d;
    down[e] -= d;
    j.col(modes + e) = (shifted(now.risk, up, t) - shifted(now.risk, down, t)) / (2 * d);
  }
  double dt = std::min(1e-6 * std::max(1.0, t), 1e-3 * length());
  if (t + dt > length()) dt = -dt;
  Eigen::Map<Eigen::ArrayXd>(dfdt, n) =
      (shifted(now.risk, extra, t + dt) - shifted(now.risk, extra, t)) / dt;
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
