#include "riskcurve/analysis/clipping.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

TEST(Clipping, UnderGaussianNoiseNeverSpeedsDescentAndAlwaysStabilises) {
  // The theorem of (C) for the comparison; nu < mu E l^2 by Mills' ratio.
  for (const NoiseLaw& noise : {no_noise(), gaussian_noise(0.1), gaussian_noise(2)}) {
    const ResidualLaw law(noise);
    for (const double risk : {1e-3, 1.0, 40.0}) {
      EXPECT_TRUE(std::isinf(optimal_threshold(law, risk))) << noise.kind << " " << risk;
      for (const double units : {0.01, 0.3, 1.0, 3.0}) {
        const double threshold = units * std::sqrt(2 * risk + noise.variance);
        const Clipping at = clipping(law, risk, threshold);
        EXPECT_LT(at.comparison, 1) << noise.kind << " " << risk << " " << units;
        EXPECT_GT(at.stability, 1) << noise.kind << " " << risk << " " << units;
      }
    }
  }
}

TEST(Clipping, OptimalThresholdIsTheLargestGainAndAFinerScanAgrees) {
  for (const NoiseLaw& noise :
       {student_t_noise(1, 0.2), student_t_noise(3, 0.3), laplace_noise(0.5),
        mixture_noise({0.9, 0.1}, {gaussian_noise(0.1), gaussian_noise(3)})}) {
    const ResidualLaw law(noise);
    double before = INFINITY;  // mu^2/nu at c* falls as R grows: docs/theory/clipping.md
    for (const double risk : {0.01, 0.5}) {
      const double best = optimal_threshold(law, risk);
      ASSERT_TRUE(std::isfinite(best) && best > 0) << noise.kind << " " << risk;
      const auto gain = [&](double c) {
        const Clipping at = clipping(law, risk, c);
        return at.reduction * at.reduction / at.variance;
      };
      double scanned = 0;
      for (double x = -6; x < 6; x += 0.01) scanned = std::max(scanned, gain(std::exp(x)));
      EXPECT_GE(gain(best), scanned * (1 - 1e-10)) << noise.kind << " " << risk;
      EXPECT_LT(gain(best), scanned * (1 + 1e-4)) << noise.kind << " " << risk;
      EXPECT_GT(clipping(law, risk, best).comparison, 1) << noise.kind << " " << risk;
      EXPECT_LT(gain(best), before) << noise.kind << " " << risk;
      before = gain(best);
    }
  }
}

TEST(Clipping, SmallRiskUnderLaplaceNoiseWantsTheSign) {
  // R -> 0: mu^2/nu falls with the threshold, from 4 f(0)^2 for the Laplace density f.
  EXPECT_LT(optimal_threshold(ResidualLaw(laplace_noise(1)), 1e-8), 0.01);
}

TEST(Clipping, StabilityIsTheRatioOfTheLargestStableSteps) {
  // At a risk where clipping at c has the balance R = gamma nu/(4 mu) tr K/b.
  const NoiseLaw noise = student_t_noise(5, 0.4);
  VectorProblem problem{power_law(50, 0.4), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  const double risk = 0.7, c = 1.1;
  const ModeSystem clipped = mode_system(problem, ClippedSgd{4, constant_schedule(c)});
  const ModeSystem plain = mode_system(problem, Sgd{4});
  const auto balance = [&](const ModeSystem& system) {  // the gamma at rest at this risk
    const Response r = system.response(Now{.risk = risk});
    return 4 * risk * r.drift[0] /
           (r.diffusion[0] * (system.weight * system.diffusion.col(0) / system.drift.col(0)).sum());
  };
  EXPECT_NEAR(balance(clipped) / balance(plain), clipping(ResidualLaw(noise), risk, c).stability,
              1e-9);
}

VectorProblem power_law_problem(const NoiseLaw& noise) {
  VectorProblem problem{power_law(200, 0.25), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  return problem;
}

TEST(Clipping, ThresholdOfTheMomentBeatsEveryConstantOneEachAtItsOwnBest) {
  // At b = 1 of a noise without variance, where thresholds matter most; a scan of constant ones.
  const VectorProblem problem = power_law_problem(student_t_noise(1, 0.2));
  const double T = 1000;
  ScheduleOptions options;
  options.tolerance = 1e-3;
  options.solve.rtol = 1e-8;
  const auto optimal = [&](const ModeSystem& system) {
    return optimal_schedule(compress(system, 4), schedule_mesh(T, 17), options).risk;
  };
  double step = INFINITY, schedule = INFINITY;  // the least risk of a constant threshold
  for (const double c : {0.2, 0.3, 0.4, 0.6, 0.9, 1.4}) {
    const ModeSystem system = mode_system(problem, ClippedSgd{1, constant_schedule(c)});
    step = std::min(step, best_step(compress(system, 4), T).risk);
    schedule = std::min(schedule, optimal(system));
  }
  const ModeSystem best = optimally_clipped_sgd(problem, 1);
  EXPECT_LT(best_step(compress(best, 4), T).risk, step);
  EXPECT_LT(optimal(best), schedule);
}

TEST(Clipping, TableOfTheBestThresholdsGivesTheSameRisk) {
  const VectorProblem problem =
      power_law_problem(mixture_noise({0.9, 0.1}, {gaussian_noise(0.1), gaussian_noise(3)}));
  const Eigen::ArrayXd mesh = schedule_mesh(1000);
  const Schedule step = constant_schedule(0.01);
  const RiskCurve curve = solve(optimally_clipped_sgd(problem, 4), step, mesh);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  const Eigen::ArrayXd threshold = curve.observable.at("threshold");
  const ClippingCurve best = optimal_clipping(ResidualLaw(problem.noise), curve.risk);
  EXPECT_LT((threshold / best.threshold - 1).abs().maxCoeff(), 1e-3);
  EXPECT_GT(best.comparison.minCoeff(), 1);
  EXPECT_GT(best.stability.minCoeff(), 1);
  const Schedule table =
      tabulated_schedule({mesh.begin(), mesh.end()}, {threshold.begin(), threshold.end()});
  const RiskCurve again = solve(mode_system(problem, ClippedSgd{4, table}), step, mesh);
  EXPECT_LT((again.risk / curve.risk - 1).abs().maxCoeff(), 1e-3);
}

TEST(Clipping, BestThresholdUnderGaussianNoiseIsPlainSgd) {
  const VectorProblem problem = power_law_problem(gaussian_noise(0.3));
  const Optimum plain = best_step(mode_system(problem, Sgd{4}), 500);
  const Optimum clipped = best_step(optimally_clipped_sgd(problem, 4), 500);
  EXPECT_NEAR(clipped.risk / plain.risk, 1, 1e-8);
  EXPECT_NEAR(largest_stable_step(optimally_clipped_sgd(problem, 4)) /
                  largest_stable_step(mode_system(problem, Sgd{4})),
              1, 1e-3);
  const ClippingCurve none =
      optimal_clipping(ResidualLaw(problem.noise), Eigen::ArrayXd::LinSpaced(3, 0.1, 1));
  EXPECT_TRUE(none.threshold.isInf().all());
  EXPECT_TRUE((none.comparison == 1).all() && (none.stability == 1).all());
}

TEST(Clipping, RefusesWhatIsNotPositive) {
  const ResidualLaw law(gaussian_noise(1));
  EXPECT_THROW(clipping(law, 0, 1), InputError);
  EXPECT_THROW(clipping(law, 1, -1), InputError);
  EXPECT_THROW(optimal_threshold(law, NAN), InputError);
}

}  // namespace
}  // namespace riskcurve
