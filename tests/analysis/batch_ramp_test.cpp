#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/analysis/budget.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

Experiment experiment(double alpha, double dimension, Optimizer optimizer) {
  Experiment e;
  e.problem =
      make_problem(power_law(dimension, alpha), PowerLawTarget{.beta = 0.3}, gaussian_noise(1));
  e.optimizer = std::move(optimizer);
  e.schedule = constant_schedule(1e-3);
  e.run = run_for(2000, 2);
  return e;
}

Schedule table(const BatchRamp& ramp) {
  return tabulated_schedule({ramp.at.begin(), ramp.at.end()},
                            {ramp.batch.begin(), ramp.batch.end()});
}

TEST(BatchRamp, SpendsTheSamplesAndIsPredictedByItsOwnRun) {
  Experiment e = experiment(0.6, 1000, Sgd{1});
  const double samples = 4e6, steps = 20000;
  const BatchRamp ramp = best_batch_ramp(e, samples, steps);
  ASSERT_TRUE(ramp.found) << ramp.message;
  EXPECT_NEAR(ramp.at[ramp.at.size() - 1], steps, 1e-9 * steps);
  EXPECT_LT(ramp.risk, 0.9 * ramp.constant_risk);
  const Schedule batch = table(ramp);
  double spent = 0;
  for (int k = 0; k < steps; ++k) spent += std::round(batch(k + 0.5));
  EXPECT_NEAR(spent / samples, 1, 0.01);
  e.chain.batch = batch;
  e.schedule = constant_schedule(ramp.step);
  e.run = run_for(steps, 2);
  const RiskCurve curve = predict(e).curve;
  EXPECT_NEAR(curve.risk[curve.risk.size() - 1] / ramp.risk, 1, 0.01);
}

TEST(BatchRamp, NoOtherOfItsSamplesIsBetterAsPontryaginHasIt) {
  // R(T) answers to dm at k by -gamma^2 sum p c/m: at equal samples the same at all times.
  const Experiment e = experiment(0.6, 1000, Sgd{1});
  const BatchRamp ramp = best_batch_ramp(e, 4e5, 2000);
  ASSERT_TRUE(ramp.found) << ramp.message;
  const Schedule batch = table(ramp);
  ModeSystem system = compress(mode_system(e));
  system.response = [one = system.response, batch](const Now& now) {
    Response response = one(now);
    response.diffusion /= batch(now.time);
    return response;
  };
  system.breaks = batch.breaks;
  const Sensitivity at = sensitivity(system, constant_schedule(ramp.step), 2000);
  double middle = NAN;
  for (Index i = at.time.size() - 1; i >= 0; --i)
    if (at.time[i] < 1000 && std::isnan(middle)) middle = at.injected[i] / batch(at.time[i]);
  for (Index i = 0; i < at.time.size(); ++i) {
    if (at.time[i] < 40 || at.time[i] > 1990) continue;  // between the table's times there
    EXPECT_NEAR(at.injected[i] / batch(at.time[i]) / middle, 1, 0.03) << "at " << at.time[i];
  }
}

TEST(BatchRamp, GrowsAsBordelonAndMoriDerive) {  // m ~ (1 - k/T)^(1/(4 alpha) - 1)
  for (const double alpha : {0.6, 0.75}) {
    const BatchRamp ramp = best_batch_ramp(experiment(alpha, 1e5, Sgd{1}), 1e7, 1e5);
    ASSERT_TRUE(ramp.found) << ramp.message;
    const Schedule batch = table(ramp);
    const double slope = std::log(batch(0.99e5) / batch(0.7e5)) / std::log(0.01 / 0.3);
    EXPECT_NEAR(slope, 0.25 / alpha - 1, 0.03) << alpha;
  }
}

TEST(BatchRamp, RefusesWhatABatchDoesMoreTo) {
  const auto field = [](const Experiment& e, double steps) -> std::string {
    try {
      best_batch_ramp(e, 1e4, steps);
    } catch (const InputError& error) {
      return error.field();
    }
    return "";
  };
  EXPECT_EQ(field(experiment(0.6, 100, SignSgd{1}), 100), "optimizer.name");
  Experiment heavy = experiment(0.6, 100, Sgd{1});
  heavy.chain.momentum = constant_schedule(0.9);
  EXPECT_EQ(field(heavy, 100), "optimizer.name");
  EXPECT_EQ(field(experiment(0.6, 100, Sgd{1}), 1e4), "steps");  // m < 1 somewhere
}

}  // namespace
}  // namespace riskcurve
