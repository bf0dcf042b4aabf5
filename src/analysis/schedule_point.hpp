#pragma once
#include <limits>
#include <string>

#include "analysis/few_modes.hpp"
#include "riskcurve/analysis/schedules.hpp"

namespace riskcurve {

/// log R(horizon) at a point of a search over a family, with its derivatives; +inf where the solver
/// gives up.
struct SchedulePoint {
  Eigen::ArrayXd x;  ///< the parameters, or their logarithms
  Eigen::ArrayXd parameters, gradient;
  Eigen::ArrayXd
      curvature;  ///< diagonal of the Hessian; from a sweep, with the state and adjoint held
  double value = std::numeric_limits<double>::infinity();
  std::string message;
  int evaluations = 0;
};

/// From one solve and one sweep back.
SchedulePoint point_by_sweep(FewModes& modes, double horizon, const ScheduleFamily& family,
                             const Eigen::ArrayXd& x, const SolveOptions& options);

/// From solves on either side in every parameter, on all cores: where the rates know the past, no
/// sweep knows them.
SchedulePoint point_by_differences(const ModeSystem& system, double horizon,
                                   const ScheduleFamily& family, const Eigen::ArrayXd& x,
                                   const SolveOptions& options);

}  // namespace riskcurve
