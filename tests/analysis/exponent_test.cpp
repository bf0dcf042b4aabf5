#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

TEST(Exponent, OfAPowerLawIsExactAndCertain) {
  const ArrayXd x = ArrayXd::LinSpaced(7, 1, 100);
  const Exponent fit = fit_exponent(x, 3 * x.pow(-0.7));
  EXPECT_NEAR(fit.value, -0.7, 1e-13);
  EXPECT_NEAR(fit.prefactor, 3, 1e-12);
  EXPECT_LT(fit.error, 1e-12);
}

TEST(Exponent, OfABentCurveIsInDoubtByTheBend) {
  // The exponent of x/(1 + x) falls from 1/(1 + x) at one end to 1/(1 + x) at the other.
  ArrayXd x(5);
  x << 0.25, 0.5, 1, 2, 4;
  const Exponent fit = fit_exponent(x, x / (1 + x));
  EXPECT_NEAR(fit.value, 0.5, 0.01);
  EXPECT_GT(fit.error, 0.1);
  EXPECT_LT(fit.error, 0.3);
}

TEST(Exponent, OfScatteredPointsHasTheStandardErrorOfTheLine) {
  // Residuals +-1 orthogonal to a line over 1..8 in log x: s.e. = sqrt(8/6/42).
  const ArrayXd u = ArrayXd::LinSpaced(8, 1, 8);
  ArrayXd v = 2 * u;
  for (const int i : {0, 3, 5, 6}) v[i] += 1;
  for (const int i : {1, 2, 4, 7}) v[i] -= 1;
  const Exponent fit = fit_exponent(u.exp(), v.exp());
  EXPECT_NEAR(fit.value, 2, 1e-12);
  EXPECT_GE(fit.error, std::sqrt(8.0 / 6 / 42) - 1e-12);
}

TEST(Exponent, NeedsTwoDifferentPositivePoints) {
  ArrayXd x(3), y(3);
  x << 1, 2, 2;
  y << NAN, 1, 3;
  EXPECT_THROW(fit_exponent(x, y), InputError);
  y << 4, 1, -1;
  EXPECT_NEAR(fit_exponent(x, y).value, -2, 1e-13);
  EXPECT_TRUE(std::isnan(fit_exponent(x, y).error));
}

}  // namespace
}  // namespace riskcurve
