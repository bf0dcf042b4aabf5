// Where adaptive optimizers come to rest under a constant step, by stored numbers alone: A and C(1)
// of large batches, of two codes of other hands.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "dynamics/adaptive_curves.hpp"
#include "dynamics/adaptive_scalars.hpp"
#include "riskcurve/analysis/optimum.hpp"

namespace riskcurve {
namespace {

struct Resting {
  const char* name;
  Optimizer optimizer;
  double momentum;  ///< of the chain
  double gain, noise;
};
constexpr int kLarge = 16384;
const Resting kResting[] = {
    {"rmsprop .9", RmsProp{kLarge, 0.9, 0}, 0, .94754257, .92104030},
    {"adam .9 .95", Adam{kLarge, {0.9, 0.95}, 0}, 0, .98534725, .97932742},
    {"adam .9 .999", Adam{kLarge, {0.9, 0.999}, 0}, 0, .99938518, .99901824},
    {"lion .9 .99", Lion{kLarge, {0.9, 0.99}}, 0, 6.72647580, 45.92699386},
    {"signum .9", SignSgd{kLarge}, 0.9, 3.47789817, 13.27886870}};

/// R = gamma sqrt((2R + noise^2)/b) C/(4A) sum: a quadratic.
double at_rest(const Resting& of, double gamma, double sum, double noise) {
  const double g = gamma * of.noise / (4 * of.gain) * sum / std::sqrt(kLarge);
  return g * g + std::sqrt(g * g * g * g + g * g * noise * noise);
}

struct OffAtRest {
  double curve, analysis;  ///< over the quadratic's root, less one
};
/// At a step that sustains about so large a share of the labels' own noise.
OffAtRest off_at_rest(const Resting& of, Orientation orientation, double share) {
  constexpr double d = 1.6e7, noise = 0.5;
  VectorProblem problem = eight_values(d, orientation, noise, 1);
  const Spectrum& spectrum = problem.covariance.spectrum;
  const bool diagonal = orientation == Orientation::diagonal;
  const double sum = diagonal ? (spectrum.multiplicity * spectrum.value.sqrt()).sum()
                              : d * std::sqrt(spectrum.mean());
  const double gamma = share / 2 * noise * 4 * of.gain / of.noise / sum * std::sqrt(kLarge);
  const double expected = at_rest(of, gamma, sum, noise);
  problem.initial *= 1.2 * expected;
  const double slowest = gamma * of.gain * std::sqrt(kLarge) / noise *
                         (diagonal ? 0.5 : 0.25 / std::sqrt(spectrum.mean()));
  Experiment e = experiment_on(problem, of.optimizer, gamma, std::ceil(6 / slowest), 1);
  if (of.momentum > 0) e.chain.momentum = constant_schedule(of.momentum);
  return {stepped_risk(e)[1] / expected - 1, stationary_risk(mode_system(e), gamma) / expected - 1};
}

// What is left is in proportion to the step: Lion's sign saturates under a signal that counts
// 71-fold, and steps are not infinitely small.
TEST(AdaptiveRest, IsTheRootOfAQuadraticInTheSmallStep) {
  for (const auto orientation : {Orientation::diagonal, Orientation::generic})
    for (const Resting& of : kResting) {
      SCOPED_TRACE(fmt::format("{}, {}", of.name,
                               orientation == Orientation::diagonal ? "diagonal" : "generic"));
      const OffAtRest whole = off_at_rest(of, orientation, 0.05),
                      half = off_at_rest(of, orientation, 0.025);
      EXPECT_LT(std::abs(whole.curve), 1e-3);
      EXPECT_NEAR(2 * half.curve, whole.curve, 1e-4);
      EXPECT_LT(std::abs(whole.analysis), 1e-3);
      EXPECT_NEAR(2 * half.analysis, whole.analysis, 1e-4);
    }
}

// C(1)/A^2 where many samples are in a batch: the noise at equal drift, SGD preconditioned
// having 1.
TEST(AdaptiveRest, NoiseAtEqualDriftIsThatOfTheTable) {
  const auto adam = [](double beta1, double beta2) {
    const AdaptiveScalars of = SteadyScalars({beta1, beta1}, beta2).scalars();
    return of.noise / (of.gain * of.gain);
  };
  const auto sign = [](double memory, double share) {
    const LagWeights weights(memory, share);
    const double square = 2 / std::numbers::pi / weights.squares();
    return 1 + sign_remainder(std::numbers::pi / 2, weights) / square;
  };
  EXPECT_NEAR(sign(0, 0), 1.5708, 5e-5);
  EXPECT_NEAR(adam(0, 0.9), 1.0258, 5e-5);
  EXPECT_NEAR(adam(0.9, 0.95), 1.0087, 5e-5);
  EXPECT_NEAR(adam(0.95, 0.95), 1.0064, 5e-5);
  EXPECT_NEAR(adam(0.9, 0.999), 1.00025, 5e-6);
  EXPECT_NEAR(sign(0.9, 0.9), 1.0978, 5e-5);
  EXPECT_NEAR(sign(0.99, 0.9), 1.0151, 5e-5);
}

}  // namespace
}  // namespace riskcurve
