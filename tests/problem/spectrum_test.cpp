#include "riskcurve/problem/spectrum.hpp"

#include <gtest/gtest.h>

#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/zeta.hpp>
#include <cmath>
#include <limits>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

double relative(double got, double want) {
  return std::abs(got - want) / std::abs(want);
}

TEST(IndexRule, IsExactForPolynomialsUpToDegreeTwoNMinusOne) {
  const double a = 5, b = 40, centre = 22.5;
  const IndexRule rule = index_rule(a, b, 6);
  for (int degree = 0; degree <= 13; ++degree) {
    const auto f = [&](double j) { return std::pow((j - centre) / 17.5 + 0.3, degree); };
    double direct = 0, gauss = 0;
    for (double j = a; j <= b; ++j) direct += f(j);
    for (Eigen::Index q = 0; q < 6; ++q) gauss += rule.weight[q] * f(rule.index[q]);
    if (degree <= 11)
      EXPECT_LT(relative(gauss, direct), 1e-13) << degree;
    else
      EXPECT_GT(relative(gauss, direct), 1e-9) << degree;  // the degree is sharp
  }
}

TEST(IndexRule, WithAsManyNodesAsIndicesIsTheIndicesThemselves) {
  const IndexRule rule = index_rule(11, 18, 8);
  for (Eigen::Index q = 0; q < 8; ++q) {
    EXPECT_NEAR(rule.index[q], 11 + static_cast<double>(q), 1e-12);
    EXPECT_NEAR(rule.weight[q], 1, 1e-11);
  }
}

TEST(IndexRule, HoldsForHugeRanges) {
  const IndexRule rule = index_rule(1e17, 1e18, 32);
  EXPECT_LT(relative(rule.weight.sum(), 9e17), 1e-14);
  EXPECT_GE(rule.index.minCoeff(), 1e17);
  EXPECT_LE(rule.index.maxCoeff(), 1e18);
  EXPECT_LT(relative((rule.weight / rule.index).sum(), std::log(10)), 1e-12);
}

TEST(IndexRule, RejectsMoreNodesThanIndices) {
  EXPECT_THROW(index_rule(1, 3, 4), InputError);
  EXPECT_THROW(index_rule(1, 3, 0), InputError);
  EXPECT_THROW(index_rule(3, 1, 1), InputError);
}

TEST(IndexPanels, KeepSmoothSumsOverAllIndices) {
  const double d = 1e6;
  const IndexRule rule = index_panels(d, 64, 2, 16);
  EXPECT_LT(rule.index.size(), 400);
  EXPECT_LT(relative(rule.weight.sum(), d), 1e-14);
  for (Eigen::Index q = 0; q < 64; ++q) {
    EXPECT_EQ(rule.index[q], static_cast<double>(q) + 1);
    EXPECT_EQ(rule.weight[q], 1);
  }
  // The kind of sum the dynamics takes: powers times decays at any rate.
  for (const double rate : {1e-2, 1e1, 1e4, 1e7}) {
    const auto f = [&](double j) {
      return std::pow(j, -1.4) * std::exp(-rate * std::pow(j, -1.2));
    };
    double direct = 0, panels = 0;
    for (double j = d; j >= 1; --j) direct += f(j);
    for (Eigen::Index q = 0; q < rule.index.size(); ++q)
      panels += rule.weight[q] * f(rule.index[q]);
    EXPECT_LT(relative(panels, direct), 1e-12) << rate;
  }
}

TEST(IndexPanels, OfAShortRangeAreItsIndices) {
  const IndexRule rule = index_panels(10, 4, 2, 16);
  ASSERT_EQ(rule.index.size(), 10);
  EXPECT_EQ(rule.index[9], 10);
}

TEST(PowerSum, EqualsTheDirectSum) {
  for (const double exponent : {-1.5, 0.0, 0.3, 1.0, 2.4, 7.0, 20.0}) {
    for (const double first : {1.0, 37.0, 5000.0}) {
      long double direct = 0;
      for (double j = 200000; j >= first; --j) direct += std::pow(j, -exponent);
      EXPECT_LT(relative(power_sum(first, 200000, exponent), static_cast<double>(direct)), 4e-15)
          << exponent << " from " << first;
    }
  }
}

TEST(PowerSum, ReachesZetaForHugeRanges) {
  // Tail beyond N: N^(1-s)/(s-1), below roundoff at N = 1e18 for s >= 2.
  for (const double s : {2.0, 3.0, 5.5})
    EXPECT_LT(relative(power_sum(1, 1e18, s), boost::math::zeta(s)), 4e-15) << s;
  // Euler-Maclaurin: sum_{j<=N} j^(-s) = zeta(s) + N^(1-s)/(1-s) + N^(-s)/2 + ...
  for (const double s : {0.5, 0.8, 1.2}) {
    const double n = 1e18;
    const double want = boost::math::zeta(s) + std::pow(n, 1 - s) / (1 - s) + 0.5 * std::pow(n, -s);
    EXPECT_LT(relative(power_sum(1, n, s), want), 4e-15) << s;
  }
  const double harmonic = std::log(1e18) + boost::math::constants::euler<double>();
  EXPECT_LT(relative(power_sum(1, 1e18, 1), harmonic), 4e-15);
}

TEST(PowerSum, EndsWhereNeighbouringIndicesAreOneNumber) {
  for (const double first : {0x1p53 - 100, 0x1p53, 1.1e17, 9.9e17}) {
    for (const double last : {first, first + 256, 1e18})
      EXPECT_LT(relative(power_sum(first, last, 0), last - first + 1), 1e-14)
          << first << " to " << last;
    EXPECT_LT(relative(power_sum(first, 1e18, 1), std::log(1e18 / first)), 1e-13) << first;
  }
}

TEST(SpectrumOf, SortsAndGroupsEqualEigenvalues) {
  Eigen::ArrayXd values(6);
  values << 0.5, 2, 0.5, 0, 2, 0.5;
  const Spectrum s = spectrum_of(values, "values");
  ASSERT_EQ(s.size(), 3);
  EXPECT_TRUE((s.value == Eigen::Array3d(2, 0.5, 0)).all());
  EXPECT_TRUE((s.multiplicity == Eigen::Array3d(2, 3, 1)).all());
  EXPECT_TRUE((s.first == Eigen::Array3d(1, 3, 6)).all());
  EXPECT_TRUE((s.last == Eigen::Array3d(2, 5, 6)).all());
  EXPECT_EQ(s.dimension(), 6);
  EXPECT_DOUBLE_EQ(s.trace(), 5.5);
  EXPECT_DOUBLE_EQ(s.intrinsic_dimension(), 2.75);
  Eigen::ArrayXd sorted(6);
  sorted << 2, 2, 0.5, 0.5, 0.5, 0;
  EXPECT_TRUE((s.expand() == sorted).all());
}

TEST(SpectrumOf, RejectsWhatIsNoSpectrum) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_THROW(spectrum_of(Eigen::ArrayXd(), "v"), InputError);
  EXPECT_THROW(spectrum_of(Eigen::ArrayXd::Zero(3), "v"), InputError);
  for (const double bad : {-1.0, nan, inf})
    EXPECT_THROW(spectrum_of(Eigen::Array2d(1, bad), "v"), InputError) << bad;
  try {
    spectrum_of(Eigen::Array2d(1, -2), "problem.covariance.values");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("problem.covariance.values = -2"), std::string::npos);
  }
}

TEST(PowerMass, IsTheSumOverTheIndicesOfEachNode) {
  const Spectrum s = spectrum_of(Eigen::Array4d(3, 1, 1, 1), "v");
  const Eigen::ArrayXd mass = s.power_mass(0.7);
  EXPECT_DOUBLE_EQ(mass[0], 1);
  EXPECT_NEAR(mass[1], std::pow(2, -1.4) + std::pow(3, -1.4) + std::pow(4, -1.4), 1e-15);

  const Spectrum node{Eigen::ArrayXd::Constant(1, 0.1), Eigen::ArrayXd::Constant(1, 2.5),
                      Eigen::ArrayXd::Constant(1, 7.25), Eigen::ArrayXd::Constant(1, 7.25)};
  EXPECT_DOUBLE_EQ(node.power_mass(0.5)[0], 2.5 / 7.25);
  EXPECT_THROW(node.expand(), InputError);
}

TEST(PowerMass, OfALongListIsThePowerOfEachIndex) {
  const Eigen::ArrayXd index = Eigen::ArrayXd::LinSpaced(9000, 1, 9000);
  const Spectrum s = spectrum_of(index.inverse(), "v");
  for (const double exponent : {-4.0, -0.3, 0.0, 0.25, 1.0, 4.0, 5.0})
    EXPECT_LT((s.power_mass(exponent) / index.pow(-2 * exponent) - 1).abs().maxCoeff(), 1e-14)
        << exponent;
}

TEST(Expand, RefusesListsOfMoreThanTenMillion) {
  Spectrum s = spectrum_of(Eigen::ArrayXd::Ones(1), "v");
  s.multiplicity[0] = s.last[0] = 2e7;
  EXPECT_THROW(s.expand(), InputError);
}

}  // namespace
}  // namespace riskcurve
