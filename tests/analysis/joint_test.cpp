#include "riskcurve/analysis/joint.hpp"

#include <gtest/gtest.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

Experiment experiment(const NoiseLaw& noise, Optimizer optimizer) {
  Experiment e;
  e.problem = make_problem(power_law(100, 0.6), PowerLawTarget{.beta = 0.2}, noise);
  e.optimizer = std::move(optimizer);
  e.schedule = constant_schedule(1e-3);
  e.run = run_for(500, 2);
  e.signal = Signal::small;
  return e;
}

double best_risk(const Experiment& e, double horizon) {
  OptimumOptions options;
  options.solve.method = Method::recursion;
  const Optimum best = best_step(mode_system(e), horizon, options);
  EXPECT_TRUE(best.found) << best.message;
  return best.risk;
}

TEST(BestTogether, FindsTheThresholdThatAScanFinds) {
  const Experiment e = experiment(student_t_noise(1, 0.2), ClippedSgd{2, constant_schedule(5)});
  JointOptions options;
  options.over = {"step", "threshold"};
  const JointOptimum best = best_together(e, 500, options);
  ASSERT_TRUE(best.found) << best.message;
  const auto at = [&](double x) {
    Experiment with = e;
    std::get<ClippedSgd>(with.optimizer).threshold = constant_schedule(std::exp(x));
    return best_risk(with, 500);
  };
  const auto [x, least] = boost::math::tools::brent_find_minima(at, -4.0, 3.0, 30);
  EXPECT_NEAR(best.risk / least, 1, 1e-6);
  EXPECT_NEAR(best.value.at("threshold") / std::exp(x), 1, 0.01);
}

TEST(BestTogether, FindsTheStepFromFarBelowItWhereLogRiskBendsAway) {
  Experiment e = experiment(gaussian_noise(0.3), Sgd{4});
  e.schedule = constant_schedule(1e-6);
  JointOptions options;
  options.over = {"step"};
  const JointOptimum best = best_together(e, 500, options);
  ASSERT_TRUE(best.found) << best.message;
  EXPECT_NEAR(best.risk / best_risk(e, 500), 1, 1e-8);
}

// All that AdamW has, each without a slope of its own: no neighbour is better.
TEST(BestTogether, OfFourNumbersOfAdamIsBelowItsNeighbours) {
  Experiment e = experiment(gaussian_noise(0.3), Adam{8});
  e.problem = make_problem(power_law(40, 0.6), PowerLawTarget{.beta = 0.2}, gaussian_noise(0.3));
  e.chain.weight_decay = constant_schedule(0.01);
  JointOptions options;
  options.over = {"step", "beta1", "beta2", "weight_decay"};
  const JointOptimum best = best_together(e, 150, options);
  ASSERT_TRUE(best.found) << best.message;
  EXPECT_EQ(best.value.at("weight_decay"), 0);
  const auto risk = [&](const std::function<void(Experiment&)>& move) {
    Experiment moved = best.experiment;
    move(moved);
    return solve(mode_system(moved), moved.schedule, Eigen::ArrayXd::Constant(1, 150)).risk[0];
  };
  for (const double x : {0.95, 1.05}) {
    EXPECT_GT(
        risk([&](Experiment& of) { of.schedule = constant_schedule(x * best.value.at("step")); }),
        best.risk);
    EXPECT_GT(risk([&](Experiment& of) {
                of.chain.weight_decay = constant_schedule(0.02 * x);  // none is best
              }),
              best.risk);
    for (const int which : {0, 1})
      EXPECT_GT(risk([&](Experiment& of) {
                  double& beta = std::get<Adam>(of.optimizer).betas[which];
                  beta = 1 - x * (1 - beta);
                }),
                best.risk * (1 - 1e-5));
  }
}

TEST(BestTogether, FindsTheExponentThatAScanFinds) {
  const Experiment e = experiment(gaussian_noise(0.3), PreconditionedSgd{4, 0.5});
  JointOptions options;
  options.over = {"step", "exponent"};
  const JointOptimum best = best_together(e, 500, options);
  ASSERT_TRUE(best.found) << best.message;
  const auto at = [&](double exponent) {
    Experiment with = e;
    with.optimizer = PreconditionedSgd{4, exponent};
    return best_risk(with, 500);
  };
  const auto [exponent, least] = boost::math::tools::brent_find_minima(at, 0.0, 1.0, 30);
  EXPECT_NEAR(best.risk / least, 1, 1e-6);
  EXPECT_NEAR(best.value.at("exponent"), exponent, 0.01);
}

TEST(BestTogether, WhatTheTheoryRefusesIsNoOptimum) {  // S^q has no variance below q = -1/2 here
  Experiment e;
  e.problem = make_problem(isotropic(20), power_law(20, 0.5), MatrixPowerLawTarget{.beta = 0.2},
                           no_noise());
  e.optimizer = Schatten{20, 0.0};
  e.schedule = constant_schedule(1e-2);
  e.run = run_for(100, 2);
  e.signal = Signal::small;
  JointOptions options;
  options.over = {"step", "exponent"};
  const JointOptimum best = best_together(e, 100, options);
  EXPECT_GT(best.value.at("exponent"), -0.5);
  EXPECT_LT(best.risk, best_risk(e, 100) * (1 + 1e-9));
}

TEST(BestTogether, NamesWhatAnOptimizerHas) {
  const auto message = [](const Experiment& e, const std::string& name) -> std::string {
    JointOptions options;
    options.over = {"step", name};
    try {
      best_together(e, 100, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const Experiment adam = experiment(gaussian_noise(0.3), Adam{.batch = 4});
  EXPECT_EQ(message(adam, "exponent"),
            "over = exponent: expected for adam one of step, momentum, weight_decay, decay, beta1, "
            "beta2, eps");
  const Experiment sgd = experiment(gaussian_noise(0.3), Sgd{4});
  EXPECT_EQ(message(sgd, "beta1"),
            "over = beta1: expected for sgd one of step, momentum, weight_decay, decay");
}

}  // namespace
}  // namespace riskcurve
