#include "analysis/schedule_point.hpp"

#include <atomic>
#include <cmath>

#include "analysis/shared_progress.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// To either side, in the logarithm of a parameter: R bends by some 1e-3 of itself, and is solved
/// to far less.
constexpr double kApart = 0.05;

SchedulePoint point_at(const ScheduleFamily& family, const ArrayXd& x) {
  SchedulePoint point;
  point.x = x;
  point.parameters = family.logarithmic ? ArrayXd(x.exp()) : x;
  point.gradient = point.curvature = ArrayXd::Zero(x.size());
  return point;
}

}  // namespace

SchedulePoint point_by_sweep(FewModes& modes, double horizon, const ScheduleFamily& family,
                             const ArrayXd& x, const SolveOptions& options) {
  SchedulePoint point = point_at(family, x);
  point.evaluations = 1;
  const Schedule schedule = family.schedule(point.parameters);
  const Sensitivity at = sensitivity(modes.under(schedule), schedule, horizon, options);
  if (at.curve.status == RiskCurve::Status::interrupted) throw Failure(at.curve.message);
  point.message = at.curve.message;
  if (at.curve.status != RiskCurve::Status::ok || !(at.risk > 0)) return point;
  for (Index i = 0; i < at.time.size(); ++i) {
    ArrayXd by = family.derivative(point.parameters, at.time[i]);
    if (!family.logarithmic) by /= point.parameters;
    point.gradient += at.weight[i] * at.gradient[i] / at.risk * by;
    point.curvature += at.weight[i] * at.curvature[i] / at.risk * by.square();
  }
  if (!point.gradient.isFinite().all()) return point;
  point.value = std::log(at.risk);
  return point;
}

SchedulePoint point_by_differences(const ModeSystem& system, double horizon,
                                   const ScheduleFamily& family, const ArrayXd& x,
                                   const SolveOptions& asked) {
  SchedulePoint point = point_at(family, x);
  point.evaluations = static_cast<int>(2 * x.size() + 1);
  const SolveOptions options = with_shared_progress(asked);
  const auto solved = [&](const ArrayXd& parameters) {
    return solve(system, family.schedule(parameters), ArrayXd::Constant(1, horizon), options);
  };
  const RiskCurve curve = solved(point.parameters);
  if (curve.status == RiskCurve::Status::interrupted) throw Failure(curve.message);
  point.message = curve.message;
  if (curve.status != RiskCurve::Status::ok || !(curve.risk[0] > 0)) return point;
  const double value = std::log(curve.risk[0]);
  Eigen::ArrayX2d beside(x.size(), 2);
  std::atomic<bool> stop = false;
  parallel_for(beside.size(), 0, stop, [&](long i) {
    const Index k = i / 2, side = i % 2;
    ArrayXd moved = point.parameters;
    moved[k] *= std::exp(side == 0 ? -kApart : kApart);
    const RiskCurve there = solved(moved);
    if (there.status == RiskCurve::Status::interrupted) throw Failure(there.message);
    const bool finite = there.status == RiskCurve::Status::ok && there.risk[0] > 0;
    beside(k, side) = finite ? std::log(there.risk[0]) : HUGE_VAL;
  });
  point.gradient = (beside.col(1) - beside.col(0)) / (2 * kApart);
  point.curvature = (beside.col(1) - 2 * value + beside.col(0)) / (kApart * kApart);
  if (!family.logarithmic) {  // from those by the logarithm
    point.curvature = (point.curvature - point.gradient) / point.parameters.square();
    point.gradient /= point.parameters;
  }
  if (!point.gradient.isFinite().all()) return point;
  point.curvature = point.curvature.max(0);
  point.value = value;
  return point;
}

}  // namespace riskcurve
