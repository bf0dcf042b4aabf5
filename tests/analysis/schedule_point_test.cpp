#include "analysis/schedule_point.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

TEST(SchedulePoint, DifferencesAreTheSlopesOfTheSweep) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(200, 0.6, 0.2, gaussian_noise(0.3)), SignSgd{4}));
  const double T = 1000;
  FewModes modes(system, T);
  for (const ScheduleFamily& family :
       {cosine_family(T), tabulated_family(Eigen::Array4d(0, 10, 600, T))}) {
    ArrayXd parameters = ArrayXd::Constant(static_cast<Eigen::Index>(family.names.size()), 0.004);
    if (family.kind == "cosine") parameters[1] = 100;
    if (parameters.size() != 2) parameters = Eigen::Array4d(0.001, 0.004, 0.003, 0.0005);
    const ArrayXd x = family.logarithmic ? ArrayXd(parameters.log()) : parameters;
    const SchedulePoint swept = point_by_sweep(modes, T, family, x, {});
    const SchedulePoint between = point_by_differences(system, T, family, x, {});
    EXPECT_NEAR(between.value, swept.value, 1e-6);
    const ArrayXd scale = family.logarithmic ? ArrayXd::Ones(x.size()) : x;
    for (Eigen::Index k = 0; k < x.size(); ++k)  // 0.05^2/6 of the third derivative apart
      EXPECT_NEAR(between.gradient[k] * scale[k], swept.gradient[k] * scale[k],
                  2e-3 * (swept.gradient * scale).abs().maxCoeff())
          << family.kind << " " << k;
  }
}

TEST(BestSchedule, AtAnySizeOfTheSignalIsBelowItsNeighbours) {
  const Experiment e = parse_experiment(
      "[problem]\ngeometry = 'matrix'\n"
      "covariance_out = { kind = 'isotropic', dimension = 50 }\n"
      "covariance_in = { kind = 'power_law', dimension = 50, alpha = 0.5 }\n"
      "target = { kind = 'power_law', beta = 0.5 }\nnoise = { kind = 'gaussian', std = 0.3 }\n"
      "[optimizer]\nname = 'sign_svd'\nbatch = 50\n"
      "[schedule]\nkind = 'constant'\nstep = 0.01\n[run]\nsteps = 16\nsignal = 'full'\n");
  const ModeSystem system = mode_system(e);
  ASSERT_TRUE(system.filtered);
  const double T = 16;
  const Optimum constant = best_step(system, T);
  ASSERT_TRUE(constant.found) << constant.message;
  const auto risk_of = [&](const Schedule& schedule) {
    return solve(system, schedule, ArrayXd::Constant(1, T)).risk[0];
  };
  const ScheduleFamily family = polynomial_family(T);
  const ScheduleOptimum best = schedule_of_kind("polynomial", system, constant, {}, {});
  ASSERT_TRUE(best.found) << best.message;
  EXPECT_LT(best.risk, constant.risk);
  for (Eigen::Index k = 0; k < 2; ++k)
    for (const double factor : {0.9, 1.1}) {
      ArrayXd moved = best.parameters;
      moved[k] *= factor;
      EXPECT_GT(risk_of(family.schedule(moved)), best.risk * (1 - 1e-5)) << k << " " << factor;
    }
  const ArrayXd mesh = schedule_mesh(T, 9);
  const ScheduleOptimum free = schedule_of_kind("optimal", system, constant, mesh, {});
  ASSERT_TRUE(free.found) << free.message;
  EXPECT_LT(free.risk, best.risk * (1 + 1e-3));
  EXPECT_NEAR(risk_of(tabulated_family(mesh).schedule(free.parameters)) / free.risk, 1, 1e-9);
  EXPECT_THROW(schedule_of_kind("greedy", system, constant, mesh, {}), InputError);
}

}  // namespace
}  // namespace riskcurve
