// Mean and variance of single directions, and many steps of a recursion at once.
#include <gtest/gtest.h>

#include <cmath>

#include "integrate/leaper.hpp"
#include "power_law_problem.hpp"
#include "riskcurve/analysis/preconditioning.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

Experiment signum(double d, int batch, double step, double steps, double noise) {
  Experiment e;
  VectorProblem problem = power_law_problem(d, 0.25, 0.2, gaussian_noise(noise));
  problem.covariance.orientation = Orientation::diagonal;
  e.problem = problem;
  e.optimizer = SignSgd{batch};
  e.schedule = constant_schedule(step);
  e.run = run_for(steps, 8);
  e.chain.momentum = constant_schedule(0.9);
  return e;
}

// A map that sees the mean over directions is the limit of small signals: the gap falls as the
// signal's power.
TEST(Directions, SmallSignalsSeeNoneOfThem) {
  const auto gap = [](double noise) {
    const Experiment e = signum(200, 1, 1e-3, 400, noise);
    ModeSystem system = mode_system(e);
    EXPECT_TRUE(system.directions);
    const ArrayXd each = solve(system, e.schedule, e.run.at).risk;
    system.directions.reset();
    const ArrayXd mean = solve(system, e.schedule, e.run.at).risk;
    return (each / mean - 1).abs().maxCoeff();
  };
  const double far = gap(4), near = gap(2);
  EXPECT_LT(gap(60), 1e-5);
  EXPECT_NEAR(near / far, 4, 1);
}

// Band: 3 % and four standard errors of 16 runs. The mean over directions would be 9 % off.
TEST(Directions, SignumOfLargeSignalsIsPredicted) {
  const Experiment e = signum(400, 16, 0.0015, 800, 0.3);
  const ArrayXd predicted = predict(e).curve.risk;
  SimulateOptions options;
  options.runs = 16;
  options.seed = 20261128;
  const Ensemble runs = simulate(e, options);
  for (Eigen::Index i = 1; i < predicted.size(); ++i)
    EXPECT_NEAR(predicted[i] / runs.mean[i], 1, 0.03 + 4 * runs.error[i] / runs.mean[i])
        << e.run.at[i];
}

TEST(Directions, MergedModesKeepTheCurve) {
  const Experiment e = signum(3000, 16, 5e-4, 1000, 0.3);
  SolveOptions whole;
  whole.keep_modes = true;
  const ArrayXd all = predict(e, whole).curve.risk, merged = predict(e).curve.risk;
  EXPECT_LT((merged / all - 1).abs().maxCoeff(), 1e-3);
  EXPECT_LT(compress(mode_system(e)).modes(), 300);
}

// The noise of a buffer decays with it.
TEST(NoiseMemory, OfABufferIsItsMomentum) {
  Experiment e = signum(50, 4, 0.01, 10, 0.5);
  e.optimizer = Sgd{4};
  const NoiseMemory noise = mode_rates(e, 0.5).noise;
  for (Eigen::Index i = 0; i < noise.lag.size(); ++i)
    EXPECT_NEAR(noise.correlation[i], std::pow(0.9, noise.lag[i]), 1e-12);
  EXPECT_NEAR(noise.sum, 1.9 / 0.1, 1e-9);
}

/// The last state of a run, one step at a time or by leaps, and how often it did either.
struct Last {
  BlockState state;
  double weights = 0;
  int leaps = 0, taken = 0;
};
Last last_of(const Recursion& recursion, double steps, double pause, bool leaping) {
  Last last{recursion.start()};
  Leaper leaper(recursion, 1e-7);
  for (double k = 0; k < steps;) {
    const double n =
        leaping ? leaper.leap(k, (k < pause ? pause : steps) - k, last.weights, last.state) : 0;
    k += n;
    last.leaps += n > 0;
    for (int i = 0; n == 0 && i < leaper.fewest() && k < steps; ++i, ++k, ++last.taken) {
      const BlockInstant instant = recursion.instant(k, last.weights, last.state);
      last.weights = instant.chain.weights;
      recursion.advance(instant, last.state);
    }
  }
  return last;
}

void check_leaps(const Experiment& e) {
  const ModeSystem system = mode_system(e);
  const Recursion recursion(system, e.schedule);
  ASSERT_TRUE(Leaper::can(recursion));
  const Last plain = last_of(recursion, e.run.steps, 16000, false),
             leapt = last_of(recursion, e.run.steps, 16000, true);
  EXPECT_GT(leapt.leaps, 10);
  EXPECT_LT(leapt.taken, 0.2 * e.run.steps);
  EXPECT_NEAR(recursion.risk(leapt.state) / recursion.risk(plain.state), 1, 2e-5);
  EXPECT_NEAR(recursion.averaged_risk(leapt.state) / recursion.averaged_risk(plain.state), 1, 2e-5);
  EXPECT_NEAR(leapt.weights, plain.weights, 1e-6 * plain.weights);
}

TEST(Leaper, KeepsTheRecursion) {
  Experiment e = signum(40, 4, 5e-5, 4e5, 0.5);
  e.chain.weight_decay = constant_schedule(0.01);
  e.chain.average = UniformAverage{16000};
  e.optimizer = Sgd{4};
  e.schedule = cosine_schedule(5e-5, 0, 4e5);
  check_leaps(e);
  e.optimizer = SignSgd{4};  // with means of directions
  e.schedule = cosine_schedule(1.2e-5, 0, 4e5);
  check_leaps(e);
}

// A billion steps, by leaps; a run a thousandth as long of steps a thousand times larger is the
// same curve but for the steps' size.
TEST(Leaper, TakesABillionSteps) {
  Experiment e = signum(300, 4, 2e-8, 1e9, 0);
  e.optimizer = Sgd{4};
  Experiment shorter = e;
  shorter.schedule = constant_schedule(2e-5);
  shorter.run = run_for(1e6, 8);
  const ArrayXd a = predict(e).curve.risk, b = predict(shorter).curve.risk;
  ASSERT_EQ(a.size(), b.size());
  EXPECT_LT((a / b - 1).abs().maxCoeff(), 5e-3);
}

TEST(Leaper, DoesNotAskWhatTheStepAfterTheLastWouldBe) {
  Experiment e = signum(20, 64, 1e-3, 6000, 0.1);
  std::get<VectorProblem>(e.problem).covariance.orientation = Orientation::generic;
  e.chain.momentum.reset();
  ASSERT_TRUE(mode_system(e).filtered);
  const double ends = predict(e).curve.risk.tail(1)[0];
  e.schedule = custom_schedule([](double k) { return k < 6000 ? 1e-3 : NAN; }, {});
  EXPECT_NEAR(predict(e).curve.risk.tail(1)[0] / ends, 1, 1e-3);
}

// Every seventh step looks the same.
TEST(Leaper, SeesWhatASecondStepDoes) {
  Experiment e = signum(5, 4, 1e-7, 6.02e5, 0.5);
  e.optimizer = Sgd{4};
  e.schedule = custom_schedule([](double k) { return 1e-7 * (1 + std::fmod(k, 7)); }, {});
  const double rough = predict(e).curve.risk.tail(1)[0];
  e.schedule = constant_schedule(4e-7);
  EXPECT_NEAR(rough / predict(e).curve.risk.tail(1)[0], 1, 1e-5);
}

}  // namespace
}  // namespace riskcurve
