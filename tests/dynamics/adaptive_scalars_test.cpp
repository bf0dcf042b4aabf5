// Gradients over the root of their squares: the scalars against stored values of other codes, and
// the systems against limits.
#include "dynamics/adaptive_scalars.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

LagWeights adam_weights(double beta1, bool nesterov = false) {
  return {beta1, nesterov ? beta1 * beta1 : beta1};
}

/// Of large batches. The first four and the sixth to eighth by two codes of other hands (a
/// double-exponential grid, and explicit lags with explicit determinants), which agree to 1e-10.
struct Stored {
  double beta1, beta2, gain, noise, noise_half;
  bool nesterov;
};
constexpr Stored kStored[] = {{0, .9, .94754257, .92104030, .45158904, false},
                              {.9, .95, .98534725, .97932742, .48647369, false},
                              {.9, .999, .99938518, .99901824, .49941628, false},
                              {.95, .95, .99371395, .99381836, .49450543, false},
                              {.9, .99, .99467285, .99164721, .49496898, false},
                              {.5, .5, .93071597, .94037553, .43999516, false},
                              {.9, .95, .98396937, .97669177, .48512600, true},
                              {.9, .99, .99459316, .99149294, .49489024, true}};

TEST(AdaptiveScalars, AreTheStoredOnesToEightDigits) {
  for (const Stored& stored : kStored) {
    const SteadyScalars steady(adam_weights(stored.beta1, stored.nesterov), stored.beta2);
    EXPECT_NEAR(steady.scalars().gain, stored.gain, 1e-8);
    EXPECT_NEAR(steady.scalars().noise, stored.noise, 1e-8);
    EXPECT_NEAR(steady.noise_between(0.5), stored.noise_half, 1e-8);
  }
}

TEST(AdaptiveScalars, WithoutMemoryAreThoseOfSignSgd) {
  const SteadyScalars steady(adam_weights(0), 1e-12);
  EXPECT_NEAR(steady.scalars().gain, std::sqrt(2 / M_PI), 1e-8);
  EXPECT_NEAR(steady.scalars().noise, 1, 2e-6);           // of the root of beta_2
  EXPECT_NEAR(steady.noise_between(0.5), 1.0 / 3, 2e-6);  // (2/pi) arcsin 1/2
}

// Gaussian residuals of few samples: stored values of the same two codes.
TEST(AdaptiveScalars, OfSmallBatchesAreTheStoredOnes) {
  struct {
    int batch;
    double gain, noise, linear;
  } const stored[] = {{1, .952771, .939634, .918740}, {4, .976239, .967788, .955795}};
  for (const auto& of : stored) {
    const AdaptiveNoise at =
        AdaptiveLaw(gaussian_noise(0.5), of.batch, GradientOf::vector, adam_weights(.9), .95)(0.3);
    EXPECT_NEAR(at.power, (0.6 + 0.25) / of.batch, 1e-12);
    EXPECT_NEAR(at.scalars.gain, of.gain, 2e-6);
    EXPECT_NEAR(at.scalars.noise, of.noise, 2e-6);
    EXPECT_NEAR(at.scalars.linear, of.linear, 0.004 * of.linear);
  }
}

TEST(AdaptiveScalars, OfLargeBatchesAreSteady) {
  const SteadyScalars steady(adam_weights(.9), .95);
  const AdaptiveNoise at =
      AdaptiveLaw(gaussian_noise(0.5), 100000, GradientOf::vector, adam_weights(.9), .95)(0.3);
  EXPECT_NEAR(at.scalars.gain, steady.scalars().gain, 2e-5);
  EXPECT_NEAR(at.scalars.noise, steady.scalars().noise, 2e-5);
}

// A_t of (0.9, 0.999), large batches: stored values by explicit weights of another hand.
TEST(AdaptiveScalars, OfTheFirstStepsAreTheStoredOnes) {
  struct {
    double steps, gain;
  } const stored[] = {{1, .79788}, {2, .8862},  {3, .9213}, {5, .9515},
                      {10, .9753}, {20, .9874}, {50, .9947}};
  const AdaptiveLaw law(gaussian_noise(0.5), 100000, GradientOf::vector, adam_weights(.9), .999);
  for (const auto& of : stored) {
    const AdaptiveNoise at = law(0.3, of.steps);
    EXPECT_NEAR(at.started * at.scalars.gain, of.gain, 0.005) << of.steps;  // between 2^i steps
  }
  EXPECT_NEAR(law(0.3, 1).scalars.noise, 1, 1e-3);  // a sign
}

// The first step is SignSGD's of any noise: E sign, and a square of 1.
TEST(AdaptiveScalars, OfTheFirstStepAreThoseOfSignSgdUnderCauchyNoise) {
  const NoiseLaw cauchy = student_t_noise(1, 0.2);
  const AdaptiveNoise adam = AdaptiveLaw(cauchy, 1, GradientOf::vector, adam_weights(.9), .999)(0.3,
                                                                                                1),
                      sign =
                          AdaptiveLaw(cauchy, 1, GradientOf::vector, adam_weights(0), 1e-12)(0.3);
  EXPECT_NEAR(adam.started / std::sqrt(adam.power) * std::sqrt(sign.power), 1, 2e-3);
  EXPECT_NEAR(adam.scalars.noise, 1, 2e-3);
}

// Few squares rule a sum without a mean. Stored: the integrals at 0.4 times the step between nodes.
TEST(AdaptiveScalars, UnderCauchyNoiseAreThoseOfFineNodes) {
  const AdaptiveNoise at =
      AdaptiveLaw(student_t_noise(1, 0.2), 16, GradientOf::vector, adam_weights(0), .99)(1);
  EXPECT_NEAR(1 / std::sqrt(at.power), .3070629, 1e-6);
  EXPECT_NEAR(at.scalars.noise, .5094829, 2e-6);
}

// Coordinates whose signal is large divide by more: E z^2/sqrt(1 + kappa z^2), by the trapezoid.
TEST(AdaptiveSystem, OfAdaGradSeesASpreadSignal) {
  const ModeSystem system =
      mode_system(power_law_problem(100, 0.3, 0.2, gaussian_noise(0.5)), AdaGrad{4});
  const double power = (2 * 0.3 + 0.25) / 4;
  for (const double kappa : {0.1, 1.0}) {
    double mean = 0;
    for (double z = -9; z < 9; z += 0.1)
      mean += 0.1 * z * z * std::exp(-0.5 * z * z) /
              std::sqrt(2 * std::numbers::pi * (1 + kappa * z * z));
    const Now plain{.time = 1e8, .risk = 0.3},
        under{.time = 1e8, .risk = 0.3, .signal = kappa * power};
    const double ratio = system.response(under).drift[0] / system.response(plain).drift[0];
    EXPECT_NEAR(ratio / std::sqrt(1 + kappa), mean, 5e-6) << kappa;  // V has the mean signal
  }
}

// One square is a sign's. Of two, a = m + the mean of two normals and b, what tells these apart, in
// polar coordinates: A = sqrt(pi/2) times the mean of cos^2/sqrt(1 + 2 kappa cos^2).
TEST(AdaptiveSystem, OfAdaGradSeesASpreadSignalFromTheFirstStepOn) {
  const ModeSystem system =
      mode_system(power_law_problem(100, 0.3, 0.2, gaussian_noise(0.5)), AdaGrad{4});
  const double power = (2 * 0.3 + 0.25) / 4;
  for (const double kappa : {0.1, 1.0, 10.0}) {
    const auto under_over_plain = [&](double time) {
      return system.response({.time = time, .risk = 0.3, .signal = kappa * power}).drift[0] /
             system.response({.time = time, .risk = 0.3}).drift[0] / std::sqrt(1 + kappa);
    };
    EXPECT_NEAR(under_over_plain(0), 1 / std::sqrt(1 + kappa), 2e-6) << kappa;
    double two = 0;
    for (int i = 0; i < 400; ++i) {
      const double square = std::pow(std::cos(std::numbers::pi * i / 400), 2);
      two += 2 * square / std::sqrt(1 + 2 * kappa * square) / 400;
    }
    EXPECT_NEAR(under_over_plain(1), two, 2e-6) << kappa;
  }
}

Experiment experiment_of(const Optimizer& optimizer, double step, bool diagonal) {
  Experiment e;
  VectorProblem problem = power_law_problem(100, 0.3, 0.2, gaussian_noise(0.5));
  if (diagonal) problem.covariance.orientation = Orientation::diagonal;
  e.problem = problem;
  e.optimizer = optimizer;
  e.schedule = constant_schedule(step);
  e.run = run_for(300, 10);
  return e;
}

double gap(const Experiment& a, const Experiment& b) {
  SolveOptions options;
  options.method = Method::recursion;
  return (predict(a, options).curve.risk / predict(b, options).curve.risk - 1).abs().maxCoeff();
}

// Without memory v is the square of the gradient at hand; what V knows of it is its mean, so that
// small steps are asked for.
TEST(AdaptiveSystem, WithoutMemoryIsSignSgd) {
  for (const bool diagonal : {false, true})
    EXPECT_LT(gap(experiment_of(Adam{1, {0, 0}, 0}, 1e-3, diagonal),
                  experiment_of(SignSgd{1}, 1e-3, diagonal)),
              0.01);
}

// eps far above the gradient's root: the steps are those of a mean of gradients over eps.
TEST(AdaptiveSystem, OfLargeEpsIsSgdWithMomentum) {
  Adam adam{4, {0.9, 0.999}, 1e4};
  Experiment sgd = experiment_of(Sgd{4}, 5e-4, false),
             large = experiment_of(adam, 5e-4 * 1e4, false);
  sgd.chain.momentum = constant_schedule(0.9);
  sgd.chain.dampening = 0.9;
  sgd.run = large.run = run_for(3000, 10);
  EXPECT_LT(gap(large, sgd), 0.006);  // the first buffer is a whole gradient in place of a tenth
}

TEST(AdaptiveSystem, IsRefusedWhereItIsNotDerived) {
  EXPECT_THROW(mode_system(experiment_of(Adam{1, {0.9, 0}}, 1e-3, false)), InputError);
  Experiment e = experiment_of(Adam{1}, 1e-3, false);
  e.chain.momentum = constant_schedule(0.5);
  EXPECT_THROW(mode_system(e), InputError);
  e = experiment_of(AdaGrad{1}, 1e-3, false);
  std::get<VectorProblem>(e.problem).noise = student_t_noise(1, 0.3);
  EXPECT_THROW(mode_system(e), InputError);
}

}  // namespace
}  // namespace riskcurve
