#include "riskcurve/analysis/clipping.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/analysis/trust.hpp"
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
  const ModeSystem clipped = clipped_sgd(problem, {4, constant_schedule(c)});
  const ModeSystem plain = sgd(problem, {4});
  const auto balance = [&](const ModeSystem& system) {  // the gamma at rest at this risk
    const Response r = system.response(0, risk, {});
    return 4 * risk * r.drift[0] /
           (r.diffusion[0] * (system.weight * system.diffusion.col(0) / system.drift.col(0)).sum());
  };
  EXPECT_NEAR(balance(clipped) / balance(plain), clipping(ResidualLaw(noise), risk, c).stability,
              1e-9);
}

TEST(Clipping, RefusesWhatIsNotPositive) {
  const ResidualLaw law(gaussian_noise(1));
  EXPECT_THROW(clipping(law, 0, 1), InputError);
  EXPECT_THROW(clipping(law, 1, -1), InputError);
  EXPECT_THROW(optimal_threshold(law, NAN), InputError);
}

}  // namespace
}  // namespace riskcurve
