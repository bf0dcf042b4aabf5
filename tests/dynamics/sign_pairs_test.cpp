// Signs of a gradient between two sides, in bases of both
// (docs/theory/signal.md#signs-of-two-sides): against what is drawn, one large entry and sum rules.
#include "dynamics/sign_pairs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using std::numbers::pi;

constexpr Fineness kFine{};

/// Graded both ways, one entry the largest.
PairGradient graded(Index out, Index in, double signal) {
  PairGradient g{ArrayXXd(out, in), ArrayXXd(out, in)};
  for (Index l = 0; l < in; ++l)
    for (Index k = 0; k < out; ++k) {
      const double place = static_cast<double>((k + 1) * (l + 1));
      g.mean(k, l) = signal * std::pow(place, -1.6);
      g.variance(k, l) = std::pow(place, -1.2);
    }
  return g;
}

TEST(SignPairs, OneLargeEntryIsAProductOfTwoSigns) {
  constexpr Index n = 40;
  const PairGradient g{ArrayXXd::Zero(n, n), ArrayXXd::Zero(n, n)};
  PairGradient one = g;
  one.mean(0, 0) = 3;
  const SignSides sides(ArrayXd::Ones(n), ArrayXd::Ones(n), true);
  const PairSigns signs = signs_of_pairs(sides, one, kFine);
  // Drawn rows are few: 0.6 % of E |u|, 4 % of what is left of all squares.
  EXPECT_NEAR(3 * signs.by_mean(0, 0) / (2 / pi * n), 1, 0.01);
  // Of the product of a sign with itself, and with what has nothing to do with it.
  const double self = 2 / pi, other = 1 - 2 / pi;
  EXPECT_NEAR(signs.power(0, 0) / (n * n * self * self), 1, 0.05);
  EXPECT_NEAR(signs.power(3, 0) / (n * self * other), 1, 0.05);
  EXPECT_NEAR(signs.power(0, 3) / (n * self * other), 1, 0.05);
  EXPECT_NEAR(signs.power(3, 3) / (other * other), 1, 0.05);
}

TEST(SignPairs, SquaresSumToTheEntries) {
  for (const double signal : {0.0, 1.0, 10.0}) {
    const SignSides sides(ArrayXd::Ones(12), ArrayXd::Constant(9, 2.0), false);
    const PairSigns signs = signs_of_pairs(sides, graded(12, 9, signal), kFine);
    EXPECT_NEAR((signs.power.rowwise().sum().sum() * 2) / sides.entries(), 1, 1e-6) << signal;
  }
}

TEST(SignPairs, ManyAlikeAreTheRowOfAllPairs) {
  // 400 x 300 directions alike: no entry counts, and all is linear but 1 - 2/pi.
  const ArrayXXd one = ArrayXXd::Ones(1, 1);
  const SignSides sides(ArrayXd::Constant(1, 400.0), ArrayXd::Constant(1, 300.0), false);
  const PairSigns signs = signs_of_pairs(sides, {0 * one, one}, kFine);
  EXPECT_NEAR(signs.by_spread(0, 0) / std::sqrt(2 / pi), 1, 3e-3);
  EXPECT_NEAR(signs.linear(0, 0) / (2 / pi), 1, 5e-3);
}

TEST(SignPairs, MeetsDrawnSigns) {
  constexpr Index out = 12, in = 9;
  constexpr int draws = 300000;
  for (const double signal : {0.5, 4.0}) {
    const PairGradient g = graded(out, in, signal);
    const SignSides sides(ArrayXd::Ones(out), ArrayXd::Ones(in), false);
    const PairSigns signs = signs_of_pairs(sides, g, kFine);
    std::mt19937_64 random(8);
    std::normal_distribution<double> normal;
    MatrixXd sum = MatrixXd::Zero(out, in), with_noise = sum;
    MatrixXd noise(out, in), sign_of_mean(out, in);
    Eigen::VectorXd u(out), v(in);
    for (int i = 0; i < draws; ++i) {
      for (double& x : u) x = normal(random);
      for (double& x : v) x = normal(random);
      for (double& x : noise.reshaped()) x = normal(random);
      for (double& x : sign_of_mean.reshaped()) x = normal(random) < 0 ? -1 : 1;
      const MatrixXd drawn =
          (g.variance.sqrt() * noise.array()).matrix() + g.mean.matrix().cwiseProduct(sign_of_mean);
      const double sign = u.dot(drawn * v) < 0 ? -1 : 1;
      const MatrixXd pair = sign * (u * v.transpose());
      sum += pair.cwiseProduct(sign_of_mean);
      with_noise += pair.cwiseProduct(noise);
    }
    const double scale = std::sqrt(sides.entries()) / draws, error = 5 * scale * std::sqrt(draws);
    for (const auto& [k, l] : {std::pair<Index, Index>(0, 0), {1, 0}, {0, 1}, {2, 1}, {5, 5}}) {
      // Draws of rows: 2 %.
      const double mean = g.mean(k, l) * signs.by_mean(k, l);
      EXPECT_NEAR(scale * sum(k, l), mean, error + 0.02 * mean) << signal << " " << k << l;
      const double spread = std::sqrt(g.variance(k, l)) * signs.by_spread(k, l);
      EXPECT_NEAR(scale * with_noise(k, l), spread, error + 0.02 * spread)
          << signal << " " << k << l;
    }
  }
}

TEST(SignPairs, TheRestOfTheSameGradientIsItsVariance) {
  const SignSides sides(ArrayXd::Ones(12), ArrayXd::Ones(9), false);
  const PairSigns signs = signs_of_pairs(sides, graded(12, 9, 2), kFine);
  const ArrayXXd rest = rest_of_pairs(sides, signs, signs, ArrayXXd::Ones(12, 9)),
                 variance = signs.power - signs.linear;
  EXPECT_LT((rest / variance - 1).abs().maxCoeff(), 0.03);
  EXPECT_LT(rest_of_pairs(sides, signs, signs, ArrayXXd::Zero(12, 9)).abs().maxCoeff(),
            0.1 * variance.minCoeff());
}

TEST(SignPairs, SidesMayChangePlaces) {
  const PairGradient g = graded(12, 9, 3), turned{g.mean.transpose(), g.variance.transpose()};
  const SignSides sides(ArrayXd::Ones(12), ArrayXd::Ones(9), false),
      other(ArrayXd::Ones(9), ArrayXd::Ones(12), false);
  const PairSigns a = signs_of_pairs(sides, g, kFine), b = signs_of_pairs(other, turned, kFine);
  EXPECT_LT((a.by_mean / b.by_mean.transpose() - 1).abs().maxCoeff(), 1e-9);
  EXPECT_LT((a.power / b.power.transpose() - 1).abs().maxCoeff(), 1e-9);
}

}  // namespace
}  // namespace riskcurve
