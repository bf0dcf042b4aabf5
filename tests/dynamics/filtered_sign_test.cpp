// The sign of a filtered gradient: against SignSGD without a filter, and against numbers of other
// codes.
#include "dynamics/filtered_sign.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "power_law_problem.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

double slope_of(const SignNoise& noise, const LagWeights& weights) {
  return std::sqrt(2 / std::numbers::pi / (noise.seen * weights.squares()));
}

TEST(FilteredSign, WithoutMomentumIsSignSgd) {
  for (const NoiseLaw& law : {student_t_noise(3, 0.3), student_t_noise(1, 0.2), laplace_noise(0.4)})
    for (const int b : {1, 4}) {
      const SignNoise noise = FilteredNoise(law, b, GradientOf::vector, Filter{})(0.2, 0);
      EXPECT_NEAR(slope_of(noise, {0, 0}) / ResidualLaw(law).phi(0.2, b), 1, 1e-5);
      EXPECT_NEAR(noise.felt / noise.seen, 1, 1e-12);
      EXPECT_NEAR(noise.remainder, 1, 1e-12);
    }
  const NoiseLaw law = student_t_noise(3, 0.3);
  const SignNoise noise = FilteredNoise(law, 16, GradientOf::matrix, Filter{})(0.2, 0);
  EXPECT_NEAR(slope_of(noise, {0, 0}) / ResidualLaw(law).matrix_phi(0.2, 16), 1, 1e-4);
}

// Two codes of other hands, to all digits given: A of Signum at momentum 0.9, for one sample and
// for many; C(1) of many, whose linear part is A^2.
TEST(FilteredSign, SignumHasTheKnownScalars) {
  const LagWeights weights(0.9, 0.9);
  const auto scalar = [&](int b) {
    const FilteredNoise noise(gaussian_noise(0), b, GradientOf::vector, Filter{});
    return slope_of(noise(0.5, 0.9), weights) / std::sqrt(static_cast<double>(b));  // 2P = 1
  };
  EXPECT_NEAR(scalar(1), 3.503643, 5e-6);
  EXPECT_NEAR(scalar(100000), 3.47789817, 5e-6);
  EXPECT_NEAR(sign_remainder(std::numbers::pi / 2, weights), 13.27886870 - 3.47789817 * 3.47789817,
              1e-7);
}

// A search meets steps at which the risk leaves the numbers; this crashed.
TEST(FilteredSign, OfARiskThatIsNoNumberIsNone) {
  const FilteredNoise noise(student_t_noise(3, 0.3), 4, GradientOf::vector, Filter{0.9});
  EXPECT_TRUE(std::isnan(noise(NAN, 0.9).seen));
  EXPECT_TRUE(std::isnan(noise(NAN, 0.9, 20).felt));
}

// Sums over 2.4 to 6 million steps and all lags, in another language; standard errors beside them.
TEST(FilteredSign, FluctuatingResidualsRaiseItsNoiseAsMeasured) {
  struct Measured {
    NoiseLaw law;
    int batch;
    double risk;
    LagWeights weights;
    double felt, felt_error, remainder, remainder_error;
  };
  const NoiseLaw cauchy = student_t_noise(1, 0.3), student = student_t_noise(3, 0.3);
  const LagWeights signum(0.9, 0.9), nesterov(0.9, 0.81), lion(0.99, 0.9);
  for (const Measured& m :
       {Measured{cauchy, 1, 0.2, signum, 1.37580, 0.0016, 2.8751, 0.007},
        Measured{student, 1, 0.02, signum, 1.06765, 0.00014, 1.4698, 0.0006},
        Measured{student, 4, 0.02, nesterov, 1.10356, 0.00024, 1.3505, 0.0009},
        Measured{gaussian_noise(0.5), 1, 0.2, signum, 1.03285, 4e-5, 1.29346, 0.00016},
        Measured{cauchy, 8, 0.3, lion, 3.6142, 0.016, 44.37, 0.37},
        Measured{student, 8, 0.3, lion, 1.10888, 0.0005, 1.2893, 0.003}}) {
    const SignSpread spread = sign_spread(
        entry_transform(ResidualLaw(m.law), m.risk, GradientOf::vector), m.batch, m.weights);
    EXPECT_NEAR(spread.felt, m.felt, 3 * m.felt_error + 1e-3 * m.felt);
    const double steady = std::numbers::pi / 2 * sign_remainder(std::numbers::pi / 2, m.weights);
    EXPECT_NEAR(spread.remainder / steady, m.remainder, 3 * m.remainder_error + 1e-3 * m.remainder);
  }
}

TEST(FilteredSign, BatchesOfManyDoNotFluctuate) {
  const EntryTransform one =
      entry_transform(ResidualLaw(gaussian_noise(0.5)), 0.2, GradientOf::vector);
  for (const LagWeights& weights :
       {LagWeights(0.9, 0.9), LagWeights(0.99, 0.9), LagWeights(0.5, 0.2), LagWeights(0.98, 1)}) {
    const SignSpread spread = sign_spread(one, 1000000, weights);
    EXPECT_NEAR(spread.felt, 1, 1e-3);
    const double steady = std::numbers::pi / 2 * sign_remainder(std::numbers::pi / 2, weights);
    EXPECT_NEAR(spread.remainder / steady, 1, 1e-3);
  }
}

TEST(FilteredSign, InterpolatesMomentaThatVary) {
  const NoiseLaw law = gaussian_noise(0.5);
  const FilteredNoise exact(law, 4, GradientOf::vector, Filter{}),
      varying(law, 4, GradientOf::vector, Filter{0, false, true});
  for (const double momentum : {0.3, 0.77, 0.95})
    EXPECT_NEAR(varying(0.3, momentum).seen / exact(0.3, momentum).seen, 1, 1e-3);
}

TEST(FilteredSign, IsRefusedWhereItIsNotDerived) {
  Experiment e;
  e.problem = power_law_problem(50, 0.3, 0.2, gaussian_noise(0.3));
  e.schedule = constant_schedule(0.01);
  e.run = run_for(10);
  e.optimizer = SignSgd{1};
  e.chain.l2 = 0.1;
  EXPECT_THROW(mode_system(e), InputError);  // batch 1, a shift without bound
  e.optimizer = SignSgd{2};
  EXPECT_NO_THROW(mode_system(e));
}

}  // namespace
}  // namespace riskcurve
