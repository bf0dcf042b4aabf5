#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

#include "integrate/collocation.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// The mode system under a schedule, on a stretch without breaks, as an Odeint system on [s; e].
struct Flow {
  const ModeSystem* system;
  StepSize step_size;

  void operator()(const std::vector<double>& x, std::vector<double>& dxdt, double t) const {
    rate(x.data(), dxdt.data(), t);
  }
  void rate(const double* x, double* dxdt, double t) const;
  /// [s; e] at t; `s` are its modes once more, for Now to point at.
  Now at(const double* x, const Eigen::ArrayXd& s, double t) const;
  /// Jacobian (row major) and time derivative, for linearly implicit steppers: the diagonal and the
  /// rank-one coupling through R are exact but for dg/dR, dn/dR (central differences).
  void jacobian(const double* x, double* matrix, double* dfdt, double t) const;
};

/// Risk-weighted relative error of a step, +inf when anything is not finite (Odeint's own checkers
/// accept NaN): sum h |error| / (rtol sum h s + 2 atol), and extra states relative to their size.
double step_error(const ModeSystem& system, const double* x, const double* error, double rtol,
                  double atol);

}  // namespace riskcurve
