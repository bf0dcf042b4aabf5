// Signs of a gradient between two sides, in bases of both
// (docs/theory/signal.md#signs-of-two-sides): against what is drawn, one large entry and sum rules.
#include "dynamics/sign_pairs.hpp"

#include <gtest/gtest.h>

#include <Eigen/QR>
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

MatrixXd drawn_basis(Index n, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  MatrixXd entries(n, n);
  for (double& x : entries.reshaped()) x = normal(random);
  return Eigen::HouseholderQR<MatrixXd>(entries).householderQ();
}

/// A large entry of either sign, the others graded and scattering: what comes to rest.
struct AtRest {
  static constexpr Index n = 32;
  PairGradient g{ArrayXXd::Zero(n, n), graded(n, n, 0).variance};
  SignSides sides{ArrayXd::Ones(n), ArrayXd::Ones(n), true};
  AtRest() {
    g.mean(0, 0) = 4;
    g.variance(0, 0) = 0.1;
  }
};

/// The mean over entries (k, l) and (l, k).
double both_ways(const MatrixXd& of, Index k, Index l) {
  return 0.5 * (of(k, l) + of(l, k));
}

TEST(SignPairs, BesideALargeEntrySquaresAreThoseOfDrawnSigns) {
  const AtRest at;
  const PairSigns signs = signs_of_pairs(at.sides, at.g, kFine);
  constexpr int draws = 1500;
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  MatrixXd square = MatrixXd::Zero(at.n, at.n);
  for (int i = 0; i < draws; ++i) {
    const MatrixXd u = drawn_basis(at.n, random), v = drawn_basis(at.n, random);
    MatrixXd g(at.n, at.n);
    for (double& x : g.reshaped()) x = normal(random);
    g = (g.array() * at.g.variance.sqrt() + at.g.mean).matrix();
    const MatrixXd sign = (u * g * v.transpose()).array().sign().matrix();
    square += (u.transpose() * sign * v).array().square().matrix() / draws;
  }
  EXPECT_NEAR(signs.power(0, 0) / square(0, 0), 1, 0.05);
  // By other drawn rows these differ by 5 to 11 %; their mean is within 5 %.
  for (const auto& [k, l] : {std::pair<Index, Index>(0, 1), {0, 2}, {0, 9}, {1, 1}, {3, 3}})
    EXPECT_NEAR(signs.power(k, l) / both_ways(square, k, l), 1, 0.22) << k << " " << l;
}

TEST(SignPairs, WhenALargeEntryTurnsSoDoRestsOfItsRow) {
  // The others stay for the part of their variance that is no noise.
  constexpr double stays = 0.5;
  const AtRest at;
  const PairSigns signs = signs_of_pairs(at.sides, at.g, kFine);
  for (const double turns : {1.0, -1.0}) {
    ArrayXXd correlation = ArrayXXd::Constant(at.n, at.n, stays);
    correlation(0, 0) = turns * 16 / 16.1;
    const ArrayXXd rest = rest_of_pairs(at.sides, signs, signs, correlation);
    constexpr int draws = 2000;
    std::mt19937_64 random(6);
    std::normal_distribution<double> normal;
    MatrixXd product = MatrixXd::Zero(at.n, at.n);
    for (int i = 0; i < draws; ++i) {
      const MatrixXd u = drawn_basis(at.n, random), v = drawn_basis(at.n, random);
      MatrixXd same(at.n, at.n), noise = same, later = same;
      for (MatrixXd* of : {&same, &noise, &later})
        for (double& x : of->reshaped()) x = normal(random);
      same(0, 0) = 0;
      const auto mapped = [&](const MatrixXd& fresh, double sign) -> MatrixXd {
        const ArrayXXd scatter = std::sqrt(stays) * same + std::sqrt(1 - stays) * fresh;
        const MatrixXd g = (scatter * at.g.variance.sqrt() + sign * at.g.mean).matrix();
        return u.transpose() * (u * g * v.transpose()).array().sign().matrix() * v;
      };
      product += mapped(noise, 1).cwiseProduct(mapped(later, turns)) / draws;
    }
    // In the row of the large entry, where linear parts are small.
    double drawn = 0, told = 0;
    for (Index l = 4; l < at.n; ++l) {
      drawn += both_ways(product, 0, l);
      told += rest(0, l) + stays * at.g.variance(0, l) * std::pow(signs.by_spread(0, l), 2);
    }
    EXPECT_NEAR(told / drawn, 1, 0.1) << turns;
    EXPECT_GT(turns * drawn, 0);
  }
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
