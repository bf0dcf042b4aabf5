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
}  // namespace

void Flow::rate(const double* x, double* dxdt, double t) const {
  const Split now(*system, x);
  const Eigen::ArrayXd extra = now.extra;
  const Response response = system->response(t, now.risk, extra);
  const double gamma = step_size(t);
  Eigen::Map<Eigen::ArrayXd> out(dxdt, system->modes());
  out = -2 * gamma * (system->drift.matrix() * response.drift.matrix()).array() * now.s +
        gamma * gamma * (system->diffusion.matrix() * response.diffusion.matrix()).array();
  if (extra.size() > 0)
    Eigen::Map<Eigen::ArrayXd>(dxdt + system->modes(), extra.size()) =
        system->extra_rate(t, now.risk, extra);
}

void Flow::jacobian(const double* x, double* matrix, double* dfdt, double t) const {
  const Eigen::Index modes = system->modes(), n = modes + system->extra_initial.size();
  const Split now(*system, x);
  Eigen::Map<Eigen::Matrix<double, -1, -1, Eigen::RowMajor>> j(matrix, n, n);
  j.setZero();
  const double gamma = step_size(t);

  // Columns through a scalar (R, each extra state, t) by central differences of the scalars.
  const auto shifted = [&](double risk, const Eigen::ArrayXd& extra, double time) {
    const Response r = system->response(time, risk, extra);
    const double step = step_size(time);
    Eigen::ArrayXd f(n);
    f.head(modes) = -2 * step * (system->drift.matrix() * r.drift.matrix()).array() * now.s +
                    step * step * (system->diffusion.matrix() * r.diffusion.matrix()).array();
    if (n > modes) f.tail(n - modes) = system->extra_rate(time, risk, extra);
    return f;
  };
  const Eigen::ArrayXd extra = now.extra;
  const double delta = 1e-5 * now.risk;
  const Eigen::ArrayXd by_risk =
      (shifted(now.risk + delta, extra, t) - shifted(now.risk - delta, extra, t)) / (2 * delta);
  j.leftCols(modes) = by_risk.matrix() * (0.5 * system->weight).matrix().transpose();
  const Response response = system->response(t, now.risk, extra);
  j.diagonal().head(modes) -= 2 * gamma * (system->drift.matrix() * response.drift.matrix());
  for (Eigen::Index e = 0; e < extra.size(); ++e) {
    Eigen::ArrayXd up = extra, down = extra;
    const double d = 1e-6 * std::max(1e-6, std::abs(extra[e]));
    up[e] += d;
    down[e] -= d;
    j.col(modes + e) = (shifted(now.risk, up, t) - shifted(now.risk, down, t)) / (2 * d);
  }
  const double dt = 1e-6 * std::max(1.0, t);
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
