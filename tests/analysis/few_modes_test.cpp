#include "analysis/few_modes.hpp"

#include <gtest/gtest.h>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"

namespace riskcurve {
namespace {

TEST(FewModes, KeepTheRiskAndItsDerivativesOfEveryOptimizer) {
  const VectorProblem gaussian = power_law_problem(1e9, 0.6, 0.3, gaussian_noise(1));
  const VectorProblem cauchy = power_law_problem(1e12, 1.5, 0.3, student_t_noise(1, 0.1));
  const VectorProblem silent = power_law_problem(1e9, 0.8, 0.3, gaussian_noise(0));
  for (const ModeSystem& full :
       {mode_system(gaussian, Sgd{1}), mode_system(gaussian, SignSgd{8}),
        mode_system(cauchy, SignSgd{1}), mode_system(silent, SignSgd{1}),
        mode_system(silent, Sgd{4}), mode_system(cauchy, ClippedSgd{2, constant_schedule(0.5)})}) {
    const ModeSystem system = compress(full);
    const double step = guessed_step(system, 1e4);
    FewModes modes(system, 1e4);
    for (const Schedule& schedule :
         {constant_schedule(step), cosine_schedule(3 * step, 0, 1e4),
          tabulated_schedule({0, 10, 1e4}, {0.01 * step, 2 * step, 0})}) {
      const ModeSystem& few = modes.under(schedule);
      const Sensitivity whole = sensitivity(system, schedule, 1e4),
                        merged = sensitivity(few, schedule, 1e4);
      ASSERT_EQ(merged.curve.status, RiskCurve::Status::ok) << merged.curve.message;
      EXPECT_NEAR(merged.risk / whole.risk, 1, 1e-11) << system.optimizer;
      const auto slope = [](const Sensitivity& s) {
        return s.along([&](double) { return 1.0; }) / s.risk;
      };
      EXPECT_NEAR(slope(merged) / slope(whole), 1, 1e-7) << system.optimizer;
    }
  }
}

TEST(FewModes, OfASpectrumOf18DecadesAreThoseThatMove) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(1e18, 0.6, 0.3, gaussian_noise(1)), Sgd{1}));
  const auto count = [&](double horizon) {
    return FewModes(system, horizon).under(constant_schedule(2.4e-4)).modes();
  };
  EXPECT_GT(system.modes(), 900);
  EXPECT_LT(count(1e8), 350);
  EXPECT_LT(count(1e4), 150);
  EXPECT_GT(count(1e16), 500);
}

TEST(FewModes, AreAllWhereAResponseHasNoBound) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(1e9, 0.8, 0.3, gaussian_noise(0)), SignSgd{1}));
  FewModes modes(system, 1e4);  // under SignSGD without noise rates grow as 1/sqrt(R)
  EXPECT_EQ(modes.under(constant_schedule(1e-6)).modes(), system.modes());
}

}  // namespace
}  // namespace riskcurve
