// Many steps at once against one by one.
#include "integrate/filtered_walk.hpp"

#include <gtest/gtest.h>

#include "power_law_problem.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

Experiment power_law_experiment(const Optimizer& optimizer, double alpha, double beta) {
  Experiment experiment{power_law_matrix(100, alpha, beta), optimizer, constant_schedule(1), {}};
  experiment.signal = Signal::full;
  return experiment;
}

// 1 % in risk, 2 % where it falls by decades; steps from far below to the best and to far above it.
TEST(FilteredWalk, IsTheRecursionStepByStep) {
  const ArrayXd at{{1.0, 7.5, 30.0, 200.0, 1000.0}};
  for (const Optimizer& optimizer : {Optimizer(SignSvd{100}), Optimizer(SignSgd{100})})
    for (const auto& [alpha, beta] : {std::pair(0.6, 1.0), std::pair(1.5, 0.0)}) {
      const ModeSystem system = mode_system(power_law_experiment(optimizer, alpha, beta));
      ASSERT_TRUE(can_walk(system));
      const double best = std::holds_alternative<SignSvd>(optimizer) ? 3e-3 : 3e-4;
      for (const double step : {best / 30, best, 10 * best}) {
        const RiskCurve walk = walk_filtered(system, step, at),
                        each = solve(system, constant_schedule(step), at);
        EXPECT_LT(walk.evaluations, 60);
        for (Eigen::Index i = 0; i < at.size(); ++i)
          EXPECT_NEAR(walk.risk[i] / each.risk[i], 1, i < 2 ? 1e-3 : 0.02)
              << name_of(optimizer) << " " << alpha << " " << step << " " << at[i];
      }
    }
}

ModeSystem two_sided_system(const Optimizer& optimizer, double dimension, double alpha,
                            double beta) {
  const IndexRule rule = index_panels(dimension, 6, 4, 2);
  MatrixProblem problem;
  problem.covariance_in = problem.covariance_out =
      from_spectrum({rule.index.pow(-2 * alpha), rule.weight, rule.index, rule.index});
  problem.noise = no_noise();
  const Spectrum& side = problem.covariance_in.spectrum;
  problem.initial = matrix_power_law_target(side, side, beta, Sides::both, 1);
  Experiment experiment{problem, optimizer, constant_schedule(1), {}};
  experiment.signal = Signal::full;
  return mode_system(experiment, Grids::rough);
}

// sqrt S <- |sqrt S - gamma g| swings for ever, and rates of one entry that holds nearly all of its
// row and column are found from any guess.
TEST(FilteredWalk, AnEntryThatMovesByItsSignComesToRest) {
  const RiskCurve curve = walk_filtered(two_sided_system(SignSvd{10000}, 1e4, 1.5, 1.5), 0.006,
                                        ArrayXd{{700.0, 2000.0, 1e4, 1e5}});
  ASSERT_EQ(curve.status, RiskCurve::Status::ok);
  EXPECT_LT(curve.evaluations, 200);
  EXPECT_LT(curve.risk.maxCoeff(), 3 * curve.risk.minCoeff());
}

// Entries that hold their row and column, before and after they have been learned, and where they
// come to rest and the others go on: whatever their own errors are, rates follow them. Step by step
// up to 24 steps.
TEST(FilteredWalk, EntriesOfTwoSidesAreThoseOfTheRecursion) {
  struct Case {
    Optimizer optimizer;
    double alpha, beta, step;
  };
  for (const Case& c :
       {Case{SignSvd{1000000}, 1.2, 0.4, 0.02}, Case{SignSvd{1000000}, 0.6, 1, 0.008},
        Case{SignSvd{1000000}, 0.4, 0.3, 0.02}, Case{SignSgd{1000000}, 0.9, 0.6, 4e-8},
        Case{SignSgd{1000000}, 0.4, 0.3, 6e-7}}) {
    const ModeSystem system = two_sided_system(c.optimizer, 1e6, c.alpha, c.beta);
    const ArrayXd at{{8.0, 300.0}};
    const RiskCurve walk = walk_filtered(system, c.step, at),
                    each = solve(system, constant_schedule(c.step), at);
    EXPECT_LT(walk.evaluations, 80);
    EXPECT_NEAR(walk.risk[0] / each.risk[0], 1, 1e-3) << c.alpha;
    EXPECT_NEAR(walk.risk[1] / each.risk[1], 1, 0.08) << c.alpha;
    EXPECT_LT(each.risk[1], 0.5 * each.risk[0]);
  }
}

TEST(FilteredWalk, TracesWhatIsLeftOfTheStart) {
  const ArrayXd at{{10.0, 562.34}};
  for (const Optimizer& optimizer : {Optimizer(SignSvd{100}), Optimizer(SignSgd{100})}) {
    const ModeSystem system = mode_system(power_law_experiment(optimizer, 0.6, 1.0));
    WalkTrace trace;
    const double step = std::holds_alternative<SignSvd>(optimizer) ? 1e-2 : 1e-3;
    const RiskCurve curve = walk_filtered(system, step, at, &trace);
    ASSERT_EQ(trace.time.size(), trace.left.size());
    EXPECT_GE(trace.time.back(), 562.34);
    const double start = system.risk(system.initial);
    double last = start;
    for (std::size_t i = 0; i < trace.time.size(); ++i) {
      EXPECT_LE(trace.left[i], std::min(last, trace.risk[i]) * (1 + 1e-12));
      last = trace.left[i];
      if (trace.time[i] == 10) {
        EXPECT_EQ(trace.risk[i], curve.risk[0]);
      }
    }
    EXPECT_GT(trace.left.front(), 0.9 * start);
    EXPECT_LT(trace.left.back(), 0.5 * trace.risk.back()) << name_of(optimizer);
    // Within a part, between its ends.
    EXPECT_NEAR(curve.risk[1] / walk_filtered(system, step, ArrayXd{{563.0}}).risk[0], 1, 5e-3);
  }
}

TEST(FilteredWalk, IsOfBareMapsOnly) {
  Experiment experiment = power_law_experiment(SignSvd{100}, 0.6, 1.0);
  experiment.chain.momentum = constant_schedule(0.5);
  EXPECT_FALSE(can_walk(mode_system(experiment)));
  experiment.chain.momentum.reset();
  experiment.signal = Signal::small;
  EXPECT_FALSE(can_walk(mode_system(experiment)));
}

}  // namespace
}  // namespace riskcurve
