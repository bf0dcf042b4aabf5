// One clock for all step sizes, against solves of each.
#include "integrate/constant_steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "power_law_problem.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

ModeSystem spectral_system(double alpha, double beta) {
  return mode_system(power_law_matrix(100, alpha, beta), SignSvd{100});
}

// From steps that have hardly begun to some far above the best, where R rises and comes to rest.
TEST(ConstantSteps, RisksAreThoseOfSolve) {
  const std::vector<std::pair<ModeSystem, double>> systems = {
      {mode_system(power_law_problem(1000, 0.6, 0.7, gaussian_noise(0.01)), SignSgd{8}), 1e-3},
      {mode_system(power_law_problem(1000, 1.2, 0.3, no_noise()), SignSgd{8}), 1e-4},
      {mode_system(power_law_problem(1000, 0.8, 0.4, gaussian_noise(0.1)), Sgd{4}), 0.05},
      {spectral_system(0.5, 0.5), 1e-2},
      {spectral_system(1.4, 1.3), 1e-2}};
  const ArrayXd at{{0.3, 12.5, 400.0, 3e4}};
  for (const auto& of : systems) {
    for (const ModeSystem& system : {of.first, compress(of.first)}) {
      ASSERT_TRUE(ConstantSteps::knows(system));
      ConstantSteps steps(system, 1e-6);
      for (const double factor : {1e-4, 0.03, 0.3, 1.0, 5.0}) {
        const double step = factor * of.second;
        const RiskCurve curve = solve(system, constant_schedule(step), at);
        for (Eigen::Index i = 0; i < curve.risk.size(); ++i)
          EXPECT_NEAR(steps.risk_after(at[i], step) / curve.risk[i], 1, 1e-5)
              << system.optimizer << " " << step << " " << at[i];
      }
    }
  }
}

TEST(ConstantSteps, RisksDoNotDependOnWhatWasAskedBefore) {
  const ModeSystem system = spectral_system(0.8, 0.6);
  ConstantSteps asked(system, 1e-5), fresh(system, 1e-5);
  for (const double step : {1e-4, 3e-2, 1e-3}) asked.risk_after(50, step);
  EXPECT_EQ(asked.risk_after(1000, 2e-3), fresh.risk_after(1000, 2e-3));
}

TEST(ConstantSteps, StepsThatDivergeAndRisksThatVanishAreTold) {
  const auto sgd = [](const NoiseLaw& noise) {
    return mode_system(power_law_problem(50, 0.2, 0.2, noise), Sgd{1});
  };
  const ModeSystem noisy = sgd(gaussian_noise(0.1)), quiet = sgd(no_noise());
  ConstantSteps of_noisy(noisy, 1e-5), of_quiet(quiet, 1e-5);
  EXPECT_TRUE(std::isinf(of_noisy.risk_after(1e4, 1.0)));
  EXPECT_EQ(of_quiet.risk_after(1e7, 0.02), 0);
}

TEST(ConstantSteps, IsOfOneClockWithoutMemory) {
  Experiment experiment{power_law_problem(100, 0.5, 0.5, gaussian_noise(0.1)),
                        SignSgd{4},
                        constant_schedule(1e-3),
                        {}};
  experiment.signal = Signal::small;
  EXPECT_TRUE(ConstantSteps::knows(mode_system(experiment)));
  experiment.chain.momentum = constant_schedule(0.5);
  EXPECT_FALSE(ConstantSteps::knows(mode_system(experiment)));
  experiment.chain.momentum.reset();
  experiment.optimizer = Adam{};
  EXPECT_FALSE(ConstantSteps::knows(mode_system(experiment)));
  experiment.optimizer = SignSgd{4};
  ModeSystem slowing = mode_system(experiment);
  slowing.response = [respond = slowing.response](const Now& now) {
    Response of = respond(now);
    of.drift /= 1 + 0.01 * now.time;
    return of;
  };
  EXPECT_FALSE(ConstantSteps::knows(slowing));
}

}  // namespace
}  // namespace riskcurve
