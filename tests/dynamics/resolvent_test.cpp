#include "dynamics/resolvent.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/exp_sinh.hpp>
#include <cmath>
#include <vector>

#include "dynamics/voigt.hpp"
#include "powers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// E f(x + u), u ~ N(0, 1/2), by the trapezoidal rule: step fine enough for poles at distance y.
template <class F>
double gaussian_average(double x, double y, F&& f) {
  const double step = std::min(0.1, y / 6), reach = 7;
  double sum = 0;
  for (double u = -reach; u <= reach; u += step) sum += std::exp(-u * u) * f(x + u);
  return sum * step / std::sqrt(M_PI);
}

TEST(Voigt, AgreesWithTheIntegralsEitherSideOfEveryBranch) {
  for (const double x : {0.0, 0.3, 1.0, 2.6, 5.0, 6.4, 6.6, 20.0})
    for (const double y : {0.05, 0.5, 1.0, 4.9, 5.1, 6.3, 6.7, 30.0}) {
      const VoigtValues v = voigt(x, y);
      const double y2 = y * y;
      const auto mean = [&](auto f) { return gaussian_average(x, y, f); };
      const double rest = mean([&](double u) { return y2 / (u * u + y2); });
      const double p = mean([&](double u) { return u * u / (u * u + y2); });
      const double slope = mean([&](double u) { return u * u * y2 / std::pow(u * u + y2, 2); });
      const double chi =
          mean([&](double u) { return y2 * (y2 - u * u) / std::pow(u * u + y2, 2); });
      const double odd = mean([&](double u) { return u * y2 / (u * u + y2); });
      EXPECT_NEAR(v.rest / rest, 1, 3e-13) << x << " " << y;
      EXPECT_NEAR(v.p / p, 1, 3e-13) << x << " " << y;
      EXPECT_NEAR(v.slope / slope, 1, 2e-12) << x << " " << y;
      EXPECT_NEAR(v.chi, chi, 2e-13 * (std::abs(chi) + y2 / (1 + x * x))) << x << " " << y;
      EXPECT_NEAR(v.odd, odd, 3e-13 * (odd + 1e-3)) << x << " " << y;
    }
}

TEST(Voigt, KeepsRelativeAccuracyFarFromThePoles) {
  // y -> inf: p = (x^2 + 1/2)/y^2 (1 + O(1/y^2)); y -> 0 at x = 0: rest = sqrt(pi) y.
  for (const double x : {0.0, 1.0, 1e3}) {
    EXPECT_NEAR(voigt(x, 1e8).p / ((x * x + 0.5) * 1e-16), 1, 1e-8);
    EXPECT_NEAR(voigt(x, 1e8).slope / ((x * x + 0.5) * 1e-16), 1, 1e-8);
  }
  EXPECT_NEAR(voigt(0, 1e-12).rest / (std::sqrt(M_PI) * 1e-12), 1, 1e-11);
}

TEST(ResidualTransform, AgreesWithDirectIntegrationForEveryLaw) {
  for (const NoiseLaw& noise :
       {student_t_noise(3, 0.4), student_t_noise(1, 0.4), laplace_noise(0.4), uniform_noise(0.4)})
    for (const double risk : {0.5, 0.02})
      for (const double m : {0.05, 1.0, 30.0}) {
        const double spread = std::sqrt(2 * risk), unit = 1 / (std::sqrt(2.0) * spread);
        const auto mean = [&](auto f) {  // over |e| by exp-sinh, or a fine rule up to a jump
          const auto given = [&](double e) {
            return gaussian_average(e * unit, unit / std::sqrt(m),
                                    [&](double u) { return f(u / unit); });
          };
          const auto& density = noise.parts[0].density;
          if (noise.kind == "uniform") {
            double sum = 0;
            for (int k = 0; k < 400; ++k) sum += given(0.4 * (k + 0.5) / 400) / 400;
            return sum;
          }
          boost::math::quadrature::exp_sinh<double> rule;
          return rule.integrate([&](double e) { return density(e) * given(e); }, 1e-9);
        };
        const ResidualTransform::Values v = ResidualTransform(noise, risk).at(std::log(m));
        const double p = mean([&](double z) { return m * z * z / (1 + m * z * z); });
        const double chi =
            mean([&](double z) { return (1 - m * z * z) / std::pow(1 + m * z * z, 2); });
        const double tolerance = noise.kind == "uniform" ? 1e-5 : 1e-7;
        EXPECT_NEAR(v.p, p, tolerance) << noise.kind << " " << risk << " " << m;
        EXPECT_NEAR(v.rest, 1 - p, tolerance) << noise.kind << " " << risk << " " << m;
        EXPECT_NEAR(v.chi, chi, tolerance) << noise.kind << " " << risk << " " << m;
      }
}

TEST(ResidualTransform, SlopeIsTheDerivativeAndRootIsTheInverse) {
  for (const NoiseLaw& noise :
       {no_noise(), gaussian_noise(2), student_t_noise(0.7, 0.3), laplace_noise(1),
        rademacher_noise(1), mixture_noise({0.5, 0.5}, {gaussian_noise(1e-3), laplace_noise(1e3)})})
    for (const double risk : {1.0, 1e-6})
      for (const double x : {-25.0, -3.0, 0.0, 4.0, 30.0}) {
        const ResidualTransform z(noise, risk);
        const double h = 1e-4;
        const auto v = z.at(x), up = z.at(x + h), down = z.at(x - h);
        const double slope = x < 0 ? (up.p - down.p) / (2 * h) : (down.rest - up.rest) / (2 * h);
        EXPECT_NEAR(v.slope / slope, 1, 1e-6) << noise.kind << " " << risk << " " << x;
        EXPECT_NEAR(v.p + v.rest, 1, 1e-12);
        EXPECT_NEAR(z.log_m(v.p, v.rest), x, 1e-8) << noise.kind << " " << risk << " " << x;
      }
}

TEST(ResidualTransform, DriftFactorSurvivesVanishingRiskAndLargeM) {
  // R -> 0: chi = -int f'(z) z/(1 + m z^2) dz for noise of density f, all terms positive.
  // Student-t: -f' z = (nu + 1) u^2/(1 + u^2) f, u = z/(scale sqrt(nu)).
  const double nu = 3, scale = 0.7;
  const NoiseLaw noise = student_t_noise(nu, scale);
  const ResidualTransform z(noise, 1e-16);
  for (const double m : {1e-3, 1.0, 1e3, 1e6, 1e9}) {
    boost::math::quadrature::exp_sinh<double> rule;
    const double exact = rule.integrate(
        [&](double x) {
          const double u2 = x * x / (scale * scale * nu);
          return noise.parts[0].density(x) * (nu + 1) * u2 / (1 + u2) / (1 + m * x * x);
        },
        0.0, std::numeric_limits<double>::infinity(), 1e-12);
    EXPECT_NEAR(z.at(std::log(m)).chi / exact, 1, 1e-6) << m;
  }
}

struct Case {
  int out, in;
  double batch;
};
const std::vector<Case> cases = {{40, 60, 20},  {40, 60, 40},  {40, 60, 50}, {40, 60, 300},
                                 {60, 40, 300}, {40, 40, 200}, {40, 40, 40}, {40, 60, 1e9}};

TEST(ResolventCurve, PointsSolveTheEquationsFromOneEndToTheOther) {
  for (const Case& x : cases) {
    const Spectrum out = powers(x.out, 2), in = powers(x.in, 3);
    const ResolventCurve curve(out, in, x.batch);
    const double p_max = std::min({1.0, x.out / x.batch, x.in / x.batch});
    EXPECT_NEAR(curve.p_max(), p_max, 1e-15);
    EXPECT_EQ(curve.out_binds(), x.out == p_max * x.batch);
    EXPECT_EQ(curve.in_binds(), x.in == p_max * x.batch);
    EXPECT_EQ(curve.batch_binds(), p_max == 1);
    const ResidualTransform z(student_t_noise(3, 0.5), 0.2);
    const ResolventCurve::Range range = curve.range(z, 1e-9);
    const ResolventPoints r = curve.at(ArrayXd::LinSpaced(40, range.low, range.high), z);
    EXPECT_LT(r.rest[0], 1e-8 * p_max);
    EXPECT_LT(r.p[39], 1e-8);
    for (Index k = 0; k < r.size(); ++k) {
      const double a = std::exp(r.log_a[k]), b = std::exp(r.log_b[k]), p = r.p[k];
      EXPECT_NEAR((a * out.value / (1 + a * out.value)).sum() / x.batch / p, 1, 1e-12);
      EXPECT_NEAR((b * in.value / (1 + b * in.value)).sum() / x.batch / p, 1, 1e-12);
      EXPECT_NEAR(z.at(r.log_m[k]).p / p, 1, 1e-11);
      EXPECT_NEAR((p + r.rest[k]) / p_max, 1, 1e-12);
      if (x.out == p_max * x.batch) {
        EXPECT_NEAR((1 / (1 + a * out.value)).sum() / x.batch / r.rest[k], 1, 1e-11);
      }
      if (p_max == 1) {
        EXPECT_NEAR(z.at(r.log_m[k]).rest / r.rest[k], 1, 1e-11);
      }
      EXPECT_NEAR(2 * r.log_t[k], 2 * std::log(p) - r.log_a[k] - r.log_b[k] - r.log_m[k], 1e-11);
    }
  }
}

TEST(ResolventCurve, DerivativesAgreeWithFiniteDifferences) {
  for (const Case& x : cases) {
    const ResolventCurve curve(powers(x.out, 2), powers(x.in, 3), x.batch);
    const ResidualTransform z(laplace_noise(0.5), 0.2), other(laplace_noise(0.5), 0.001);
    const double h = 1e-4;
    for (const double at : {-6.0, -3.0, -1.0, 1.0}) {
      ArrayXd grid(3);
      grid << at - h, at, at + h;
      const ResolventPoints r = curve.at(grid, z), moved = curve.moved(r, other);
      const double dp = r.p[1] < r.rest[1] ? r.p[2] - r.p[0] : r.rest[0] - r.rest[2];
      EXPECT_NEAR(r.dp[1] / (dp / (2 * h)), 1, 1e-5) << x.batch << " " << at;
      EXPECT_NEAR(moved.dlog_t[1] / ((moved.log_t[2] - moved.log_t[0]) / (2 * h)), 1, 1e-6);
    }
  }
}

TEST(ResolventCurve, DifferencesOfPDoNotCancel) {
  for (const Case& x : cases) {
    const ResolventCurve curve(powers(x.out, 2), powers(x.in, 3), x.batch);
    const ResidualTransform z(gaussian_noise(0.5), 0.2);
    const ResolventCurve::Range range = curve.range(z, 1e-9);
    const ResolventPoints r = curve.at(ArrayXd::LinSpaced(30, range.low, range.high), z);
    const Eigen::MatrixXd out = curve.out_pairs(r), in = curve.in_pairs(r);
    for (Index k = 0; k + 1 < r.size(); ++k) {
      const double d = curve.difference(r, k, k + 1, out, in);
      const double plain = r.p[k] < r.rest[k] ? r.p[k] - r.p[k + 1] : r.rest[k + 1] - r.rest[k];
      EXPECT_NEAR(d / plain, 1, 1e-8);
      const double by_in = std::exp(r.log_b[k + 1]) * std::expm1(r.log_b[k] - r.log_b[k + 1]);
      if (curve.in_binds()) {
        EXPECT_NEAR(d / (by_in * in(k, k + 1)), 1, 1e-8);
      }
    }
  }
}

TEST(ResolventCurve, MovedPointsAreThoseOfTheOtherLaw) {
  const ResolventCurve curve(powers(40, 1), powers(60, 1), 30);
  const ResidualTransform one(student_t_noise(2, 0.5), 1), two(student_t_noise(2, 0.5), 1e-3);
  const ResolventPoints moved = curve.moved(curve.at(ArrayXd::LinSpaced(20, -8, 8), one), two);
  const ResolventPoints fresh = curve.at(moved.log_t, two);
  EXPECT_LT((moved.p / fresh.p - 1).abs().maxCoeff(), 1e-9);
  EXPECT_LT((moved.rest / fresh.rest - 1).abs().maxCoeff(), 1e-9);
  EXPECT_LT((moved.chi / fresh.chi - 1).abs().maxCoeff(), 1e-9);
  EXPECT_LT((moved.dp / moved.dlog_t / fresh.dp - 1).abs().maxCoeff(), 1e-8);
}

TEST(ResolventCurve, BadInputIsNamed) {
  EXPECT_THROW(ResolventCurve(powers(5, 1), powers(5, 1), 0), InputError);
  EXPECT_THROW(ResolventCurve(powers(5, 1), powers(5, 1), INFINITY), InputError);
  EXPECT_THROW(ResolventCurve(powers(5, 100), powers(5, 1), 4), InputError);
  EXPECT_THROW(ResidualTransform(rademacher_noise(1), 0), InputError);
  EXPECT_THROW(ResidualTransform(gaussian_noise(1), NAN), InputError);
}

}  // namespace
}  // namespace riskcurve
