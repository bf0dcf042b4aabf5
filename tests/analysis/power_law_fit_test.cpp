#include <gtest/gtest.h>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/problem/covariance.hpp"

namespace riskcurve {
namespace {

TEST(PowerLawFit, RecoversAPurePowerLawOverItsWholeLength) {
  for (const double dimension : {30.0, 2000.0, 1e9, 1e18}) {
    const auto fit = fit_power_law(power_law(dimension, 0.6).spectrum);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->alpha, 0.6, 1e-3);
    EXPECT_NEAR(fit->prefactor, 1, 5e-3);
    EXPECT_EQ(fit->first, 1);
    EXPECT_NEAR(fit->last / dimension, 1, 0.05);
  }
}

TEST(PowerLawFit, FindsTheLongerOfTwoRanges) {
  Eigen::ArrayXd values(10000);
  for (int j = 1; j <= 10000; ++j) {
    values(j - 1) = j <= 1000 ? 1.0 / j : 1e-3 * std::pow(j / 1000.0, -4);
  }
  const auto fit = fit_power_law(from_eigenvalues(values).spectrum);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->alpha, 0.5, 0.05);
  EXPECT_EQ(fit->first, 1);
  EXPECT_GE(fit->last, 1000);
  EXPECT_LE(fit->last, 2000);
  EXPECT_LE(fit->deviation, 0.05);
}

TEST(PowerLawFit, EqualEigenvaluesHaveExponentZero) {
  const auto fit = fit_power_law(isotropic(500, 2).spectrum);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->alpha, 0, 1e-12);
  EXPECT_NEAR(fit->prefactor, 2, 1e-12);
}

TEST(PowerLawFit, ZeroEigenvaluesAreLeftOut) {
  Eigen::ArrayXd values = Eigen::ArrayXd::Zero(1000);
  for (int j = 1; j <= 100; ++j) values(j - 1) = 1.0 / j;
  const auto fit = fit_power_law(from_eigenvalues(values).spectrum);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->alpha, 0.5, 1e-9);
  EXPECT_EQ(fit->last, 100);
}

TEST(PowerLawFit, IsEmptyWhereNoRangeReachesAFactorOfTen) {
  EXPECT_FALSE(fit_power_law(isotropic(5).spectrum));
  EXPECT_FALSE(fit_power_law(exponential_decay(1000, 3).spectrum));
}

}  // namespace
}  // namespace riskcurve
