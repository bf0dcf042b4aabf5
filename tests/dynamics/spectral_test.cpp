#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "dynamics/spectral_rates.hpp"
#include "powers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

Spectrum repeated(double value, double multiplicity) {
  const auto one = [](double x) { return ArrayXd::Constant(1, x); };
  return {one(value), one(multiplicity), one(1), one(multiplicity)};
}

struct Table {
  ArrayXXd a, c;
  double sum_a, sum_c, error_a, error_c;
};

/// All modes, and their sums with multiplicity.
Table table(const Spectrum& out, const Spectrum& in, double batch, const SpectralFunction& f,
            const NoiseLaw& noise, double risk, double tolerance = 1e-10) {
  SpectralRates rates(ResolventCurve(out, in, batch), f, noise, tolerance);
  const SpectralCoefficients& k = rates.at(risk);
  Table t;
  t.a = k.drift(out.value, in.value);
  t.c = k.diffusion(out.value, in.value);
  const auto sum = [&](const ArrayXXd& x) {
    return out.multiplicity.matrix().dot(x.matrix() * in.multiplicity.matrix());
  };
  t.sum_a = sum(t.a);
  t.sum_c = sum(t.c);
  t.error_a = k.drift_error;
  t.error_c = k.diffusion_error;
  return t;
}

ArrayXXd outer(const Spectrum& out, const Spectrum& in) {
  return (out.value.matrix() * in.value.matrix().transpose()).array();
}

double largest_relative(const ArrayXXd& x, const ArrayXXd& exact) {
  return (x / exact - 1).abs().maxCoeff();
}

struct Shape {
  int out, in;
  double batch, out_power, in_power;
};
const std::vector<Shape> shapes = {{60, 60, 30, 0.25, 0.5}, {60, 60, 60, 0.25, 0.5},
                                   {40, 80, 200, 0.5, 1},   {40, 80, 60, 0.5, 1},
                                   {40, 80, 40, 0, 1},      {80, 40, 40, 0.5, 0},
                                   {50, 50, 2000, 0.5, 1},  {50, 70, 3.5e9, 0.5, 1},
                                   {100, 100, 50, 6, 6},    {100, 100, 400, 6, 6}};

TEST(SignSvd, SquaredUpdateSumsToTheRankForGaussianNoise) {  // exact check 1
  for (const Shape& s : shapes) {
    const Table t = table(powers(s.out, s.out_power), powers(s.in, s.in_power), s.batch, sign_svd(),
                          gaussian_noise(0.3), 0.7);
    const double rank = std::min({double(s.out), double(s.in), s.batch});
    EXPECT_NEAR(t.sum_c, rank, 1e-10 * rank) << s.out << " " << s.in << " " << s.batch;
    EXPECT_LE(t.error_c, 1e-10);
  }
}

TEST(SignSvd, SquaredUpdateSumsToTheRankForEveryNoiseLaw) {
  for (const double risk : {1.0, 1e-4})
    for (const NoiseLaw& noise :
         {no_noise(), student_t_noise(3, 0.3), student_t_noise(1, 0.3), laplace_noise(0.3),
          uniform_noise(0.3), rademacher_noise(0.3),
          mixture_noise({0.9, 0.1}, {gaussian_noise(0.01), gaussian_noise(3)})})
      for (const double batch : {30.0, 50.0, 400.0}) {
        const Table t = table(powers(50, 0.5), powers(70, 1), batch, sign_svd(), noise, risk, 1e-9);
        const double rank = std::min(50.0, batch);
        EXPECT_NEAR(t.sum_c, rank, 1e-9 * rank) << noise.kind << " " << risk << " " << batch;
        EXPECT_LE(t.error_c, 1e-9) << noise.kind << " " << risk << " " << batch;
      }
}

TEST(SignSvd, ZeroEigenvaluesTakeNoPart) {
  ArrayXd with_zeros = ArrayXd::Zero(30);
  with_zeros.head(20) = powers(20, 1).value;
  const Spectrum out = spectrum_of(with_zeros, "test"), in = powers(40, 0.5);
  const Table t = table(out, in, 100, sign_svd(), gaussian_noise(1), 1);
  EXPECT_NEAR(t.sum_c, 20, 1e-9);
  EXPECT_EQ(t.a.bottomRows(1).abs().maxCoeff(), 0);
  EXPECT_EQ(t.c.bottomRows(1).abs().maxCoeff(), 0);
}

/// E ||G||_* / N_out of an N_out x N_in Gaussian matrix of entry variance 1, over sqrt(N_in), in
/// the limit: mean of the square root under the Marchenko-Pastur law of ratio r = N_out/N_in <= 1.
double marchenko_pastur_root(double r) {
  const double low = std::pow(1 - std::sqrt(r), 2), high = std::pow(1 + std::sqrt(r), 2);
  const int n = 200000;  // the substitution makes the integrand smooth and periodic
  double sum = 0;
  for (int k = 0; k < n; ++k) {
    const double angle = std::numbers::pi * (k + 0.5) / n;
    const double x = 0.5 * (low + high) + 0.5 * (high - low) * std::cos(angle);
    sum += std::pow(0.5 * (high - low) * std::sin(angle), 2) /
           (2 * std::numbers::pi * r * std::sqrt(x));
  }
  return sum * std::numbers::pi / n;
}

TEST(SignSvd, DriftSumsToTheNuclearNormOfMarchenkoPastur) {  // exact check 2
  const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v, batch = 1e12;
  for (const double in : {50.0, 55.0, 200.0}) {
    const Table t =
        table(repeated(1, 50), repeated(1, in), batch, sign_svd(), gaussian_noise(v), risk);
    const double nuclear = 50 * std::sqrt(in * two_p / batch) * marchenko_pastur_root(50 / in);
    const double exact = batch / two_p * nuclear;
    EXPECT_NEAR(t.sum_a, exact, 1e-9 * exact) << in;
  }
}

TEST(SignSvd, DriftSumsToTheNuclearNormOfTheModel) {
  // f = g^(1/2): sum c = E tr (G G^T)^(1/2), the same nuclear norm by the double integral.
  for (const Shape& s : shapes) {
    const Spectrum out = powers(s.out, s.out_power), in = powers(s.in, s.in_power);
    const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v;
    const Table sign = table(out, in, s.batch, sign_svd(), gaussian_noise(v), risk);
    const Table root = table(out, in, s.batch, schatten(0.5), gaussian_noise(v), risk);
    EXPECT_NEAR(sign.sum_a, s.batch / two_p * root.sum_c, 1e-9 * sign.sum_a) << s.batch;
  }
}

TEST(SignSvd, IsotropicSquareLargeBatchClosedForm) {  // exact check 3
  const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v, n = 300, batch = 1e13;
  const Table t = table(repeated(1, n), repeated(1, n), batch, sign_svd(), gaussian_noise(v), risk);
  const double a = 8 / (3 * std::numbers::pi) * std::sqrt(batch / n / two_p);
  EXPECT_NEAR(t.a(0, 0) / a, 1, 1e-8);
  EXPECT_NEAR(t.c(0, 0) * n, 1, 1e-9);
  const double sign_sgd = std::sqrt(2 * batch / std::numbers::pi / two_p);
  EXPECT_NEAR(std::sqrt(n) * t.a(0, 0) / sign_sgd, 1.0638, 5e-5);
}

TEST(SignSvd, TallMatrixLargeBatchPreconditionsByTheSquareRoot) {  // exact check 4
  const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v, rows = 1e13, batch = 1e25;
  const Spectrum in = powers(30, 1);
  const Table t = table(repeated(1, rows), in, batch, sign_svd(), gaussian_noise(v), risk);
  const ArrayXXd exact = (in.value * batch / rows / two_p).sqrt().transpose();
  EXPECT_LT(largest_relative(t.a, exact), 1e-8);
}

TEST(SignSvd, SmallBatchIsSgdLike) {  // exact check 5
  const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v, batch = 1e-9;
  const Spectrum out = powers(40, 0.5), in = powers(30, 1);
  const Table t = table(out, in, batch, sign_svd(), gaussian_noise(v), risk);
  const ArrayXXd exact =
      batch * std::sqrt(2 / std::numbers::pi / (out.trace() * in.trace() * two_p)) * outer(out, in);
  EXPECT_LT(largest_relative(t.a, exact), 1e-7);
}

TEST(Schatten, ExponentOneIsSgdAndIsReachedContinuously) {  // exact check 6
  const double risk = 0.4, v = 0.6, two_p = 2 * risk + v * v, batch = 60;
  const Spectrum out = powers(40, 0.5), in = powers(80, 1);
  const ArrayXXd a = outer(out, in), c = two_p / batch * a;
  const Table exact = table(out, in, batch, schatten(1), gaussian_noise(v), risk);
  EXPECT_LT(largest_relative(exact.a, a), 1e-14);
  EXPECT_LT(largest_relative(exact.c, c), 1e-14);
  for (const double gap : {1e-3, 1e-6, 1e-9, 1e-12}) {
    const Table t = table(out, in, batch, schatten(1 - gap), gaussian_noise(v), risk);
    EXPECT_LT(largest_relative(t.a, a), 4 * gap + 1e-9) << gap;
    EXPECT_LT(largest_relative(t.c, c), 8 * gap + 1e-9) << gap;
    EXPECT_LE(t.error_c, 1e-9) << gap;
  }
}

TEST(Schatten, ExponentMinusOneIsReachedContinuously) {
  // Singular values are bounded below, so the limit is the pseudo-inverse: differences shrink with
  // the distance to it.
  const Spectrum out = powers(40, 0.5), in = powers(80, 1);
  const auto at = [&](double gap) {
    return table(out, in, 160, schatten(gap - 1), gaussian_noise(0.5), 0.5);
  };
  const Table limit = at(1e-12);
  for (const double gap : {1e-3, 1e-6, 1e-9}) {
    const Table t = at(gap);
    EXPECT_LT(largest_relative(t.a, limit.a), 10 * gap + 1e-9);
    EXPECT_LT(largest_relative(t.c, limit.c), 20 * gap + 1e-9);
  }
  // sum c = E tr (G G^T)^(-1): for B -> inf and isotropic factors the inverse Wishart mean
  // B N_out/(2P (N_in - N_out)).
  const Table wishart =
      table(repeated(1, 40), repeated(1, 80), 1e12, schatten(1e-10 - 1), no_noise(), 0.5);
  EXPECT_NEAR(wishart.sum_c / (1e12 * 40 / 40), 1, 1e-7);
}

TEST(Schatten, InfiniteNoiseIsRefusedWithTheReason) {
  const auto rates = [](double q, double batch, const NoiseLaw& noise) {
    return SpectralRates(ResolventCurve(powers(50, 0.5), powers(50, 1), batch), schatten(q), noise)
        .at(1);
  };
  EXPECT_THROW(rates(-0.6, 200, gaussian_noise(1)), InputError);  // square: density at 0
  EXPECT_THROW(rates(-0.4, 50, gaussian_noise(1)), InputError);   // B = N too: exponent -1/4
  EXPECT_NO_THROW(rates(-0.2, 50, gaussian_noise(1)));
  EXPECT_THROW(rates(0.6, 200, student_t_noise(1, 1)), InputError);  // E g^1.2 of a Cauchy tail
  EXPECT_THROW(schatten(-1), InputError);
  EXPECT_THROW(schatten(1.1), InputError);
  EXPECT_THROW(rates(1, 200, student_t_noise(2, 1)), InputError);
}

TEST(RegularizedSvd, RunsFromSignSvdToSgd) {
  const Spectrum out = powers(40, 0.5), in = powers(80, 1);
  const NoiseLaw noise = student_t_noise(5, 0.4);
  const double risk = 0.5, two_p = 2 * risk + noise.variance, batch = 70;
  const Table sign = table(out, in, batch, sign_svd(), noise, risk);
  const Table small = table(out, in, batch, regularized_svd(1e-9), noise, risk);
  EXPECT_LT(largest_relative(small.a, sign.a), 1e-7);
  EXPECT_LT(largest_relative(small.c, sign.c), 1e-7);
  const double epsilon = 1e5;  // f = g/epsilon (1 - g^2/(2 epsilon^2) ...)
  const Table large = table(out, in, batch, regularized_svd(epsilon), noise, risk);
  EXPECT_LT(largest_relative(large.a, outer(out, in) / epsilon), 1e-8);
  EXPECT_LT(largest_relative(large.c, outer(out, in) * two_p / batch / (epsilon * epsilon)), 1e-8);
}

TEST(SpectralRates, GaussianScalingAgreesWithQuadratureAtEachRisk) {
  // The same law written as a mixture is not recognised, and takes the general way.
  const NoiseLaw direct = gaussian_noise(0.5);
  const NoiseLaw mixed = mixture_noise({0.5, 0.5}, {gaussian_noise(0.5), gaussian_noise(0.5)});
  const Spectrum out = powers(40, 0.5), in = powers(60, 1);
  for (const double q : {0.0, 0.6, -0.3}) {
    SpectralRates one(ResolventCurve(out, in, 30), schatten(q), direct);
    SpectralRates two(ResolventCurve(out, in, 30), schatten(q), mixed);
    EXPECT_TRUE(one.scales());
    EXPECT_FALSE(two.scales());
    for (const double risk : {1.0, 1e-3, 30.0}) {
      const SpectralCoefficients x = one.at(risk), y = two.at(risk);
      EXPECT_LT(largest_relative(x.drift(out.value, in.value), y.drift(out.value, in.value)), 1e-9);
      EXPECT_LT(
          largest_relative(x.diffusion(out.value, in.value), y.diffusion(out.value, in.value)),
          1e-9);
    }
  }
}

TEST(SpectralRates, KeptGridAgreesWithAFreshOneAtEveryRisk) {
  const Spectrum out = powers(40, 0.5), in = powers(60, 1);
  for (const NoiseLaw& noise : {student_t_noise(1.5, 0.3), rademacher_noise(0.3)})
    for (const double batch : {30.0, 100.0}) {
      SpectralRates kept(ResolventCurve(out, in, batch), sign_svd(), noise, 1e-9);
      for (const double risk : {2.0, 0.1, 1e-3, 1e-6}) {
        const SpectralCoefficients x = kept.at(risk);
        const Table fresh = table(out, in, batch, sign_svd(), noise, risk, 1e-12);
        const ArrayXXd a = x.drift(out.value, in.value), c = x.diffusion(out.value, in.value);
        // Drift may cancel for two-point noise: relative to the largest.
        EXPECT_LT((a - fresh.a).abs().maxCoeff(), 1e-7 * fresh.a.abs().maxCoeff())
            << noise.kind << " " << risk;
        EXPECT_LT(largest_relative(c, fresh.c), 2e-9) << noise.kind << " " << risk;
      }
    }
}

TEST(SpectralRates, ErrorEstimateBoundsTheError) {
  // Against the exact sum, and against the integrals to 1e-11.
  const Spectrum out = powers(20, 0.5), in = powers(30, 1);
  for (const double q : {0.0, -0.3, 0.95})
    for (const NoiseLaw& noise : {gaussian_noise(0.5), student_t_noise(3, 0.3)})
      for (const double batch : {10.0, 20.0, 100.0}) {
        if (q == -0.3 && batch == 20) continue;  // nearly infinite: the limit is -1/3
        const Table exact = table(out, in, batch, schatten(q), noise, 0.3, 1e-11);
        for (const double tolerance : {1e-2, 1e-5, 1e-8}) {
          const Table x = table(out, in, batch, schatten(q), noise, 0.3, tolerance);
          const std::string where = noise.kind + " q " + std::to_string(q) + " B " +
                                    std::to_string(batch) + " tol " + std::to_string(tolerance);
          EXPECT_LE(largest_relative(x.a, exact.a), x.error_a + exact.error_a) << where;
          EXPECT_LE(largest_relative(x.c, exact.c), x.error_c + exact.error_c) << where;
          EXPECT_LE(std::max(x.error_a, x.error_c), tolerance) << where;
          if (q != 0) continue;
          EXPECT_LE(std::abs(x.sum_c / std::min(20.0, batch) - 1), x.error_c) << where;
        }
      }
}

TEST(SpectralCoefficients, InterpolatedNoiseAgreesWithTheSum) {
  const Spectrum out = powers(600, 2), in = powers(500, 4);
  SpectralRates rates(ResolventCurve(out, in, 300), sign_svd(), gaussian_noise(1));
  const SpectralCoefficients& k = rates.at(1);
  const ArrayXXd c = k.diffusion(out.value, in.value);
  for (const Index i : {0, 1, 17, 300, 599})
    for (const Index j : {0, 3, 44, 499})
      EXPECT_NEAR(c(i, j) / k.diffusion(out.value[i], in.value[j]), 1, 1e-10) << i << " " << j;
}

}  // namespace
}  // namespace riskcurve
