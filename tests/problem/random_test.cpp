#include "problem/random.hpp"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace riskcurve {
namespace {

using Block = std::array<std::uint64_t, 4>;

Block next_block(Random& random) {
  return {random(), random(), random(), random()};
}

TEST(Philox, GivesThePublishedKnownAnswers) {
  // Random123, examples/kat_vectors, "philox4x64 10".
  Random zero(0, 0, 0, 0);
  EXPECT_EQ(next_block(zero), (Block{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b,
                                     0x7e68b68aec7ba23b}));
  const auto pi = r123::Philox4x64()(
      {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89}},
      {{0x452821e638d01377, 0xbe5466cf34e90c6c}});
  EXPECT_EQ((Block{pi[0], pi[1], pi[2], pi[3]}), (Block{0xa528f45403e61d95, 0x38c72dbd566e9788,
                                                        0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}));
}

TEST(Random, IsPhiloxAtItsCounterAndKey) {
  Random random(11, 22, 33, 44);
  next_block(random);
  const auto second = r123::Philox4x64()({{1, 33, 22, 0}}, {{11, 44}});
  EXPECT_EQ(next_block(random), (Block{second[0], second[1], second[2], second[3]}));
}

TEST(Random, BulkNormalsAreTheSingleOnes) {
  Random one(5, 1, 2), many(5, 1, 2);
  std::vector<double> bulk(1001);
  many.normals(bulk.data(), 501);
  many.normals(bulk.data() + 501, 500);
  for (const double z : bulk) ASSERT_EQ(z, one.normal());
}

TEST(Random, NormalsHaveTheMomentsAndTailsOfNormals) {
  constexpr int n = 2000000;
  Random random(1, 0, 0);
  double m[5] = {};
  std::array<int, 4> beyond{};
  for (int i = 0; i < n; ++i) {
    const double z = random.normal();
    for (int p = 1; p <= 4; ++p) m[p] += std::pow(z, p) / n;
    for (int t = 0; t < 4; ++t) beyond[t] += z > t + 1;
  }
  const double root = std::sqrt(n);
  // Five standard errors; variances of z, z^2, z^3, z^4 are 1, 2, 15, 96.
  EXPECT_NEAR(m[1], 0, 5 / root);
  EXPECT_NEAR(m[2], 1, 5 * std::sqrt(2) / root);
  EXPECT_NEAR(m[3], 0, 5 * std::sqrt(15) / root);
  EXPECT_NEAR(m[4], 3, 5 * std::sqrt(96) / root);
  for (int t = 0; t < 4; ++t) {
    const double p = 0.5 * std::erfc((t + 1) / std::sqrt(2));
    EXPECT_NEAR(beyond[t], n * p, 5 * std::sqrt(n * p)) << t + 1;
  }
}

TEST(Random, UniformsFillTheOpenUnitInterval) {
  constexpr int n = 1000000, bins = 100;
  Random random(2, 0, 0);
  std::array<int, bins> count{};
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    ++count[static_cast<std::size_t>(u * bins)];
  }
  double chi2 = 0;
  for (const int c : count) chi2 += std::pow(c - n / bins, 2) / (n / bins);
  EXPECT_NEAR(chi2, bins - 1, 5 * std::sqrt(2.0 * (bins - 1)));
}

TEST(Random, StreamsThatDifferInOneWordAreUncorrelated) {
  constexpr int n = 200000;
  const std::array<std::array<std::uint64_t, 4>, 6> keys{
      {{7, 3, 5, 0}, {8, 3, 5, 0}, {7, 4, 5, 0}, {7, 3, 6, 0}, {7, 3, 5, 1}, {7, 5, 3, 0}}};
  std::vector<std::vector<double>> z(keys.size(), std::vector<double>(n));
  for (std::size_t i = 0; i < keys.size(); ++i)
    Random(keys[i][0], keys[i][1], keys[i][2], keys[i][3]).normals(z[i].data(), n);
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      double product = 0, squares = 0;
      for (int k = 0; k < n; ++k) {
        product += z[i][k] * z[j][k];
        squares += (z[i][k] * z[i][k] - 1) * (z[j][k] * z[j][k] - 1);
      }
      EXPECT_NEAR(product, 0, 5 * std::sqrt(n)) << i << " " << j;
      EXPECT_NEAR(squares, 0, 5 * std::sqrt(4.0 * n)) << i << " " << j;
    }
}

}  // namespace
}  // namespace riskcurve
