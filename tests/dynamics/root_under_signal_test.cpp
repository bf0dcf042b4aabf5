// What a signal does to gradients over the root of their squares, beside the root.
#include "dynamics/root_under_signal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

const LagWeights kAdam{0.9, 0.9};

TEST(RootUnderSignal, OfOneStepIsASigns) {
  const ArrayXd kappa =
      ArrayXd::LinSpaced(13, -6, 6).unaryExpr([](double x) { return std::pow(10, x); });
  // E sign = erf(root(kappa/2)), per unit of signal sqrt(2/pi) where that is small.
  const ArrayXd sign = (1 + kappa).sqrt() * std::sqrt(M_PI / 2) / kappa.sqrt() *
                       kappa.unaryExpr([](double k) { return std::erf(std::sqrt(k / 2)); });
  for (const double beta2 : {0.9, 0.999, 1.0})
    EXPECT_LT((RootUnderSignal(kAdam, beta2, false)(kappa, 1) / sign - 1).abs().maxCoeff(), 1e-4);
  // Normal over coordinates, a sign answers by sqrt(2/pi)/sqrt(1 + kappa).
  EXPECT_LT((RootUnderSignal(kAdam, 0.99, true)(kappa, 1) - 1).abs().maxCoeff(), 1e-4);
}

TEST(RootUnderSignal, DoesNothingToARootThatAveragesItself) {
  const ArrayXd kappa = Eigen::Array4d(0, 0.1, 3, 1e4);
  EXPECT_LT((RootUnderSignal(kAdam, 0.999999, false)(kappa, HUGE_VAL) - 1).abs().maxCoeff(), 1e-5);
  EXPECT_LT((RootUnderSignal(kAdam, 1, false)(kappa, HUGE_VAL) - 1).abs().maxCoeff(), 1e-5);
  EXPECT_NEAR(RootUnderSignal(kAdam, 0.9, false)(ArrayXd::Zero(1), 40)[0], 1, 2e-6);
}

/// E m/sqrt(v) of drawn gradients root(kappa) + z over root(kappa), both means over t steps, and
/// its standard error.
struct Drawn {
  double mean, standard_error;
};
Drawn drawn(const LagWeights& weights, double beta2, double kappa, int steps, bool spread) {
  constexpr int count = 200000;
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    const double signal = std::sqrt(kappa) * (spread ? normal(random) : 1);
    double m = 0, v = 0, w = weights.first, u = 1, all = 0;
    for (int k = 0; k < steps; ++k) {
      const double g = signal + normal(random);
      m += w * g;
      v += u * g * g;
      all += u;
      w = k == 0 ? weights.later : w * weights.beta;
      u *= beta2;
    }
    const double f = signal / kappa * m / weights.sum(steps) / std::sqrt(v / all);
    sum += f;
    squares += f * f;
  }
  const double mean = sum / count;
  return {mean, std::sqrt((squares / count - mean * mean) / count)};
}

// Ratios of large to small signals, which the root of one plus the share stands beside.
TEST(RootUnderSignal, IsThatOfDrawnGradients) {
  for (const bool spread : {false, true})
    for (const double beta2 : {0.9, 0.99, 1.0})
      for (const int steps : {4, 16}) {  // powers of two: nothing is between
        const LagWeights weights = beta2 == 1 ? LagWeights{0, 0} : kAdam;
        const double large = 5, small = 0.5;
        const ArrayXd of =
            RootUnderSignal(weights, beta2, spread)(Eigen::Array2d(large, small), steps);
        const Drawn a = drawn(weights, beta2, large, steps, spread),
                    b = drawn(weights, beta2, small, steps, spread);
        const double expected = of[0] / of[1] * std::sqrt((1 + small) / (1 + large)),
                     ratio = a.mean / b.mean;
        const double error = std::hypot(a.standard_error / a.mean, b.standard_error / b.mean);
        EXPECT_NEAR(ratio / expected, 1, 4 * error + 1e-4)
            << beta2 << " after " << steps << (spread ? ", spread" : "");
      }
}

}  // namespace
}  // namespace riskcurve
