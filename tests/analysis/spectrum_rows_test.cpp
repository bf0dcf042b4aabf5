#include "analysis/spectrum_rows.hpp"

#include <gtest/gtest.h>

#include "riskcurve/problem/covariance.hpp"

namespace riskcurve {
namespace {

TEST(SpectrumRows, GoFromTheFirstIndexToTheLastInEvenFactors) {
  for (const double dimension : {1.0, 2.0, 40.0, 1e6, 1e18}) {
    const SpectrumRows rows = spectrum_rows(power_law(dimension, 0.6).spectrum, 16);
    const Eigen::Index last = rows.index.size() - 1;
    EXPECT_LE(last, 16);
    EXPECT_EQ(rows.index[0], 1);
    EXPECT_NEAR(rows.index[last] / dimension, 1, 0.05);
    EXPECT_NEAR(rows.trace_percent[last], 100, 1e-10);
    for (Eigen::Index i = 1; i <= last; ++i) {
      EXPECT_LT(rows.index[i] / rows.index[i - 1], 3 * std::pow(dimension, 1.0 / 15));
      EXPECT_GT(rows.trace_percent[i], rows.trace_percent[i - 1]);
      EXPECT_LT(rows.value[i], rows.value[i - 1]);
    }
  }
}

TEST(SpectrumRows, OneRunOfEqualEigenvaluesIsOneRow) {
  const SpectrumRows rows = spectrum_rows(isotropic(500, 2).spectrum, 16);
  ASSERT_EQ(rows.index.size(), 1);
  EXPECT_EQ(rows.index[0], 500);
  EXPECT_EQ(rows.value[0], 2);
  EXPECT_EQ(rows.trace_percent[0], 100);
}

}  // namespace
}  // namespace riskcurve
