#include "riskcurve/analysis/budget.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

Experiment experiment(const Covariance& covariance, const NoiseLaw& noise, Optimizer optimizer) {
  Experiment e;
  e.problem = make_problem(covariance, PowerLawTarget{.beta = 0.2}, noise);
  e.optimizer = std::move(optimizer);
  e.schedule = constant_schedule(1e-3);
  e.run = run_for(100, 2);
  e.signal = Signal::small;
  return e;
}

TEST(BestBatch, IsTheBestOfAllBatches) {
  const Experiment e = experiment(power_law(60, 0.3), gaussian_noise(0.4), SignSgd{.batch = 3});
  const double samples = 3000;
  const BudgetOptimum found = best_batch(e, samples);
  ASSERT_TRUE(found.found) << found.message;
  EXPECT_GT(found.best.batch, 1);
  double least = HUGE_VAL;
  for (int batch = 1; batch <= 60; ++batch) {  // the least is flat: larger ones are worse by far
    Experiment with = e;
    with.optimizer = with_batch(with.optimizer, batch);
    const JointOptimum best = best_together(with, std::floor(samples / batch));
    ASSERT_TRUE(best.found) << batch << ": " << best.message;
    least = std::min(least, best.risk);
  }
  EXPECT_LE(found.best.best.risk, least * (1 + 1e-6));
  EXPECT_EQ(found.best.steps, std::floor(samples / found.best.batch));
  EXPECT_EQ(std::get<SignSgd>(found.best.best.experiment.optimizer).batch, found.best.batch);
}

TEST(BestBatch, OfSgdIsTheSmallest) {  // at equal drift a sample, larger batches only skip ahead
  const Experiment e = experiment(power_law(60, 0.3), gaussian_noise(0.4), Sgd{.batch = 8});
  EXPECT_EQ(best_batch(e, 500).best.batch, 1);
}

TEST(BestBatch, MomentumBesideTheStepIsNoWorse) {
  const Experiment e = experiment(power_law(60, 0.3), gaussian_noise(0.4), Sgd{.batch = 8});
  JointOptions step_and_momentum;
  step_and_momentum.over = {"step", "momentum"};
  const BudgetOptimum step = best_batch(e, 400);
  const BudgetOptimum both = best_batch(e, 400, step_and_momentum);
  ASSERT_TRUE(both.found) << both.message;
  EXPECT_LE(both.best.best.risk, step.best.best.risk * (1 + 1e-6));
}

TEST(BestBatch, RefusesTooFewSamples) {
  const Experiment e = experiment(isotropic(30), no_noise(), Sgd{});
  EXPECT_THROW(best_batch(e, 9), InputError);
  EXPECT_THROW(best_batch(e, NAN), InputError);
}

// Without label noise on isotropic data a step takes R to R [(1 - g)^2 + g^2 d/b], at best to
// R d/(d + b); so steps ~ 1/log(1 + x), x = b/d, and -dlog steps/dlog b = x/((1 + x) log(1 + x)) is
// 1/2 at x = 3.92.
TEST(CriticalBatch, OfNoiselessIsotropicSgdIsItsClosedForm) {
  Experiment e = experiment(isotropic(100), no_noise(), Sgd{});
  e.problem = make_problem(isotropic(100), IsotropicTarget{}, no_noise());
  const double risk = 1e-40;  // many steps, or whole numbers of them would blur it
  const CriticalBatch found = critical_batch(e, risk);
  ASSERT_TRUE(found.found) << found.message;
  for (Eigen::Index i = 0; i < found.at.size(); ++i)
    EXPECT_NEAR(found.steps[i], std::log(1 / risk) / std::log1p(found.at[i] / 100), 1.5)
        << found.at[i];
  EXPECT_NEAR(found.batch / 392, 1, 0.05);  // octaves, joined by lines
}

TEST(CriticalBatch, SaysWhyThereIsNone) {
  const Experiment e = experiment(power_law(200, 0.25), no_noise(), Sgd{});
  EXPECT_THROW(critical_batch(e, 2), InputError);
  const CriticalBatch far = critical_batch(e, 0.5);  // in fewer than ten steps before it falls
  EXPECT_FALSE(far.found);
  EXPECT_NE(far.message.find("doubling pays up to batch"), std::string::npos) << far.message;
  EXPECT_GT(far.at.size(), 3);
}

}  // namespace
}  // namespace riskcurve
