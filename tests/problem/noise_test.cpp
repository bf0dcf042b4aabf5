#include "riskcurve/problem/noise.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/exp_sinh.hpp>
#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "input/read.hpp"
#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string name;
  NoiseLaw law;
};

std::vector<Case> cases() {
  return {{"none", no_noise()},
          {"gaussian", gaussian_noise(0.7)},
          {"gaussian0", gaussian_noise(0)},
          {"student01", student_t_noise(0.1, 0.5)},
          {"cauchy", student_t_noise(1, 0.2)},
          {"student25", student_t_noise(2.5, 3)},
          {"student1e8", student_t_noise(1e8, 1)},
          {"laplace", laplace_noise(0.4)},
          {"uniform", uniform_noise(1.5)},
          {"rademacher", rademacher_noise(0.3)},
          {"mixture", mixture_noise({0.5, 0.3, 0.2},
                                    {gaussian_noise(1), laplace_noise(2), rademacher_noise(1.5)})},
          {"empirical", empirical_noise((Eigen::ArrayXd(5) << -1, 0.5, 2, -0.5, 0.25).finished())}};
}

// P(|epsilon| > x) as the parts state it.
double tail(const NoiseLaw& law, double x) {
  double total = 0;
  for (const NoisePart& part : law.parts) {
    double p = 0;
    if (part.density) {
      p = part.tail(x);
    } else {
      for (Eigen::Index i = 0; i < part.atom.size(); ++i) {
        // |z s + a| > x, by symmetry in a.
        const double s = std::sqrt(2 * part.gaussian_variance), a = part.atom[i];
        p += part.atom_weight[i] *
             (s > 0 ? 0.5 * (std::erfc((x - a) / s) + std::erfc((x + a) / s)) : a > x);
      }
    }
    total += part.weight * p;
  }
  return total;
}

class EveryLaw : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Noise, EveryLaw, testing::ValuesIn(cases()),
                         [](const auto& c) { return c.param.name; });

TEST_P(EveryLaw, PartsDescribeALaw) {
  double weights = 0;
  for (const NoisePart& part : GetParam().law.parts) {
    weights += part.weight;
    EXPECT_GT(part.scale, 0);
    if (part.density) {
      EXPECT_EQ(part.atom.size(), 0);
      EXPECT_DOUBLE_EQ(part.tail(0), 1);
    } else {
      EXPECT_NEAR(part.atom_weight.sum(), 1, 1e-15);
      EXPECT_GE(part.atom.minCoeff(), 0);
    }
  }
  EXPECT_NEAR(weights, 1, 1e-15);
}

TEST_P(EveryLaw, DensityIntegratesToTheTail) {
  boost::math::quadrature::tanh_sinh<double> rule;
  for (const NoisePart& part : GetParam().law.parts) {
    if (!part.density) continue;
    const double far = part.breaks.empty() ? 50 * part.scale : part.breaks.back();
    for (const double low : {0.0, 0.3 * part.scale, 0.9 * part.scale}) {
      const double mass = rule.integrate(part.density, low, far, 1e-12);
      EXPECT_NEAR(mass, part.tail(low) - part.tail(far), 1e-12) << low;
    }
  }
}

TEST_P(EveryLaw, DensityMatchesSampleQuantiles) {
  const NoiseLaw& law = GetParam().law;
  constexpr int n = 200000;
  const std::vector<double> levels{0.05, 0.2, 0.35, 0.6, 0.9, 1.7, 4, 20, 300};
  std::vector<int> above(levels.size());
  int positive = 0, negative = 0;
  for (int i = 0; i < n; ++i) {
    Random random(3, static_cast<std::uint64_t>(i), 0);
    const double e = law.sample(random);
    ASSERT_TRUE(std::isfinite(e));
    positive += e > 0;
    negative += e < 0;
    for (std::size_t l = 0; l < levels.size(); ++l) above[l] += std::abs(e) > levels[l];
  }
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const double p = tail(law, levels[l]);
    EXPECT_NEAR(above[l], n * p, 5 * std::sqrt(n * p * (1 - p)) + 1e-6) << levels[l];
  }
  if (law.kind != "empirical") {
    EXPECT_LE(std::abs(positive - negative), 5 * std::sqrt(n));
  }
}

TEST_P(EveryLaw, VarianceIsThatOfTheParts) {
  const NoiseLaw& law = GetParam().law;
  boost::math::quadrature::exp_sinh<double> tail_rule;
  boost::math::quadrature::tanh_sinh<double> rule;
  double variance = 0;
  for (const NoisePart& part : law.parts) {
    const auto square = [&](double x) { return x * x * part.density(x); };
    if (!part.density)
      variance +=
          part.weight * (part.gaussian_variance + (part.atom.square() * part.atom_weight).sum());
    else if (!part.breaks.empty())
      variance += part.weight * rule.integrate(square, 0.0, part.breaks.back());
    else if (std::isfinite(law.variance))
      variance += part.weight * tail_rule.integrate(square, 0.0, kInfinity);
  }
  if (std::isfinite(law.variance))
    EXPECT_NEAR(variance, law.variance, 1e-7 * law.variance);
  else
    EXPECT_EQ(law.kind, "student_t");
}

TEST(StudentTNoise, VarianceIsInfiniteUpToTwoDegreesOfFreedom) {
  EXPECT_EQ(student_t_noise(1, 1).variance, kInfinity);
  EXPECT_EQ(student_t_noise(2, 1).variance, kInfinity);
  EXPECT_DOUBLE_EQ(student_t_noise(4, 3).variance, 18);
  EXPECT_EQ(mixture_noise({0.5, 0.5}, {no_noise(), student_t_noise(1, 1)}).variance, kInfinity);
}

TEST(StudentTNoise, IsCauchyAtOneDegreeOfFreedom) {
  const NoisePart part = student_t_noise(1, 0.2).parts[0];
  for (const double x : {0.0, 0.1, 3.0, 1e8, 1e150}) {
    const double u = x / 0.2;
    EXPECT_NEAR(part.density(x) / (2 / (M_PI * 0.2) / (1 + u * u)), 1, 1e-13) << x;
    EXPECT_NEAR(part.tail(x) / (2 / M_PI * std::atan2(1, u)), 1, 1e-13) << x;
  }
}

TEST(StudentTNoise, TailIsAPowerWhereSquaresOverflow) {
  // Both sides of the switch, and beyond the range of squares: tail ~ x^(-nu).
  const NoisePart part = student_t_noise(0.1, 1).parts[0];
  EXPECT_NEAR(part.tail(1e101) / part.tail(1e91), 0.1, 1e-12);
  EXPECT_NEAR(part.tail(1e250) / part.tail(1e200), 1e-5, 1e-15);
  EXPECT_NEAR(part.density(1e101) / part.density(1e91), 1e-11, 1e-23);
}

TEST(StudentTNoise, IsGaussianForManyDegreesOfFreedom) {
  const NoisePart part = student_t_noise(1e8, 1).parts[0];
  for (const double x : {0.0, 1.0, 4.0})
    EXPECT_NEAR(part.density(x) / (std::sqrt(2 / M_PI) * std::exp(-x * x / 2)), 1, 1e-6) << x;
}

TEST(MixtureNoise, NeedsWeightsThatSumToOne) {
  const NoiseLaw law = gaussian_noise(1);
  EXPECT_NO_THROW(mixture_noise({0.3, 0.7 + 1e-10}, {law, law}));
  EXPECT_THROW(mixture_noise({0.3, 0.6}, {law, law}), InputError);
  EXPECT_THROW(mixture_noise({1.5, -0.5}, {law, law}), InputError);
  EXPECT_THROW(mixture_noise({1}, {law, law}), InputError);
  EXPECT_THROW(mixture_noise({}, {}), InputError);
}

TEST(EmpiricalNoise, GroupsEqualMagnitudes) {
  const NoiseLaw law = empirical_noise(Eigen::Array4d(1, -1, 3, -1));
  ASSERT_EQ(law.parts[0].atom.size(), 2);
  EXPECT_DOUBLE_EQ(law.parts[0].atom_weight[0], 0.75);
  EXPECT_DOUBLE_EQ(law.variance, 3);
  EXPECT_THROW(empirical_noise(Eigen::ArrayXd()), InputError);
  EXPECT_THROW(empirical_noise(Eigen::Array2d(1, kInfinity)), InputError);
}

TEST(NoiseLaws, RejectParametersOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {nan, kInfinity, -1.0}) {
    EXPECT_THROW(gaussian_noise(bad), InputError);
    EXPECT_THROW(student_t_noise(bad, 1), InputError);
    EXPECT_THROW(student_t_noise(1, bad), InputError);
    EXPECT_THROW(laplace_noise(bad), InputError);
    EXPECT_THROW(uniform_noise(bad), InputError);
    EXPECT_THROW(rademacher_noise(bad), InputError);
  }
  EXPECT_THROW(student_t_noise(0.05, 1), InputError);
  EXPECT_THROW(laplace_noise(0), InputError);
}

TEST(ReadNoise, ReadsEveryKind) {
  const auto read = [](const std::string& text) {
    const Fields fields = Fields::from_text(text);
    const NoiseLaw law = read_noise(fields);
    fields.reject_unknown();
    return law;
  };
  EXPECT_EQ(read("kind = 'none'").variance, 0);
  EXPECT_DOUBLE_EQ(read("kind = 'gaussian'\nstd = 3").variance, 9);
  EXPECT_EQ(read("kind = 'student_t'\nnu = 1.0\nscale = 0.2").variance, kInfinity);
  EXPECT_DOUBLE_EQ(read("kind = 'laplace'\nscale = 2").variance, 8);
  EXPECT_DOUBLE_EQ(read("kind = 'uniform'\nhalf_width = 3").variance, 3);
  EXPECT_DOUBLE_EQ(read("kind = 'rademacher'\nscale = 2").variance, 4);
  const NoiseLaw mixture = read(
      "kind = 'mixture'\n"
      "components = [{weight = 0.9, kind = 'gaussian', std = 1},\n"
      "              {weight = 0.1, kind = 'laplace', scale = 1}]");
  EXPECT_DOUBLE_EQ(mixture.variance, 1.1);
  EXPECT_EQ(mixture.parts.size(), 2u);
}

TEST(ReadNoise, NamesTheFieldAtFault) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      read_noise(Fields::from_text(text));
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_NE(message("kind = 'gaussian'\nstd = -1").find("std"), std::string::npos);
  EXPECT_NE(message("kind = 'gaussian'").find("std"), std::string::npos);
  EXPECT_NE(message("kind = 'student_t'\nnu = 0.01\nscale = 1").find("nu"), std::string::npos);
  EXPECT_NE(message("kind = 'gausian'\nstd = 1").find("gausian"), std::string::npos);
  EXPECT_NE(
      message("kind = 'mixture'\ncomponents = [{weight = 0.5, kind = 'none'}]").find("sum to 0.5"),
      std::string::npos);
}

}  // namespace
}  // namespace riskcurve
