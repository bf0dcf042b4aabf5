#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// The step size at iteration time t, smooth on the current stretch between two breaks.
using StepSize = std::function<double(double t)>;

/// The mode system under a schedule on a stretch [start, end) without breaks, as an Odeint system
/// on [s; e]. Its time counts from the start of the stretch: at t = 10^12 doubles are 10^-4 apart,
/// too coarse for a warm restart of one step. Between neighbouring doubles gamma and the responses
/// are taken as linear.
struct Flow {
  const ModeSystem* system;
  StepSize step_size;
  double start = 0, end = std::numeric_limits<double>::infinity();

  double length() const { return end - start; }
  double gamma(double t) const;
  /// The system's, of instants whose time counts from the start too.
  Response response(Now now) const;
  Eigen::ArrayXd extra_rate(Now now) const;

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
