// Roots of squares that last, against drawn gradients of one coordinate.
#include "dynamics/lasting_root.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "dynamics/adaptive_scalars.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {
namespace {

using Eigen::VectorXd;

constexpr double kBeta2 = 0.999, kScale = 0.2;

/// A batch of one without an error: g = l x, and how g answers to the error of its coordinate.
struct Drawn {
  std::mt19937_64 random{20261130};
  std::normal_distribution<double> normal;
  std::cauchy_distribution<double> cauchy{0, kScale};
  double gradient = 0, slope = 0;

  void operator()(double risk) {
    const double x = normal(random);
    gradient = (std::sqrt(2 * risk) * normal(random) + cauchy(random)) * x;
    slope = x * x;
  }
};

struct Mean {
  double sum = 0, squares = 0;
  long count = 0;
  void add(double x) {
    sum += x;
    squares += x * x;
    ++count;
  }
  double value() const { return sum / static_cast<double>(count); }
  double error() const {
    return std::sqrt((squares / static_cast<double>(count) - value() * value()) /
                     static_cast<double>(count));
  }
};

// Delta <- (1 - gamma dF/dDelta) Delta along paths of v; the mean rates are those of the same
// paths.
TEST(LastingRoot, ErrorsGoWithWhatDividesThemAsDrawn) {
  constexpr int first = 8, steps = 300, paths = 20000;
  constexpr double gamma = 0.015;
  std::vector<Mean> rate(steps);
  Mean mean, square;
  Drawn draw;
  for (int path = 0; path < paths; ++path) {
    double v = 0, error = 1;
    for (int t = 0; t < steps; ++t) {
      draw(0);
      const double before = kBeta2 * v;
      v = before + (1 - kBeta2) * draw.gradient * draw.gradient;
      const double corrected = std::sqrt(-std::expm1((t + 1) * std::log(kBeta2)));
      const double slope = draw.slope * corrected * before / (v * std::sqrt(v));
      rate[static_cast<std::size_t>(t)].add(gamma * slope);
      if (t >= first) error *= 1 - gamma * slope;
    }
    mean.add(error);
    square.add(error * error);
  }

  const LastingRoot root(
      std::make_shared<AdaptiveLaw>(student_t_noise(1, kScale), 1, GradientOf::vector,
                                    LagWeights(0, 0), kBeta2),
      false);
  Now now{};
  VectorXd once, twice;
  double alike = 1;
  for (int t = 0; t < steps; ++t) {
    now.time = t;
    const RootTilts tilts = root(now, 1);
    if (t == 0) once = twice = VectorXd::Ones(tilts.drift.cols());
    if (t < first) continue;
    const double fall = rate[static_cast<std::size_t>(t)].value();
    once = (tilts.moved - fall * tilts.drift) * once;
    twice = (tilts.moved - 2 * fall * tilts.drift) * twice;
    alike *= 1 - fall;
  }
  EXPECT_LT(alike, 0.6 * mean.value());  // of rates that were the same on all paths
  EXPECT_NEAR(once[0], mean.value(), 4 * mean.error() + 0.02 * mean.value());
  EXPECT_NEAR(twice[0], square.value(), 4 * square.error() + 0.03 * square.value());
}

// E (sum F)^2 of noise alone, F = m/sqrt(v), both corrected: C of the steps so far adds up to it.
TEST(AdaptiveLaw, NoiseOfTheFirstStepsAddsUpAsDrawn) {
  constexpr int steps = 64, paths = 20000;
  constexpr double beta1 = 0.9, risk = 0.3;
  std::vector<Mean> square(steps);
  Drawn draw;
  for (int path = 0; path < paths; ++path) {
    double m = 0, v = 0, sum = 0;
    for (int t = 0; t < steps; ++t) {
      draw(risk);
      m = beta1 * m + (1 - beta1) * draw.gradient;
      v = kBeta2 * v + (1 - kBeta2) * draw.gradient * draw.gradient;
      const double started = -std::expm1((t + 1) * std::log(beta1)),
                   squares = -std::expm1((t + 1) * std::log(kBeta2));
      sum += m / started / std::sqrt(v / squares);
      square[static_cast<std::size_t>(t)].add(sum * sum);
    }
  }
  const AdaptiveLaw law(student_t_noise(1, kScale), 1, GradientOf::vector, LagWeights(beta1, beta1),
                        kBeta2);
  double added = 0;
  for (int t = 0; t < steps; ++t) {
    added += law(risk, t + 1).scalars.noise;
    const Mean& drawn = square[static_cast<std::size_t>(t)];
    if (t == 0 || t == 1 || t == 7 || t == 31 || t == steps - 1) {
      EXPECT_NEAR(added, drawn.value(), 4 * drawn.error() + 0.02 * drawn.value()) << t;
    }
  }
}

}  // namespace
}  // namespace riskcurve
