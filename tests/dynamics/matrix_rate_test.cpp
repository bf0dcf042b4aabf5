// phi_B of SignSGD on matrices, whose gradient entries are sums of products of Gaussians.
#include <gtest/gtest.h>

#include <boost/math/quadrature/exp_sinh.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/bessel.hpp>
#include <cmath>

#include "dynamics/noise_laws.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {
namespace {

using Kronrod = boost::math::quadrature::gauss_kronrod<double, 61>;

double of_standard_gaussian(int batch) {
  return ResidualLaw(gaussian_noise(1)).matrix_phi(0, batch);
}

TEST(MatrixRate, IsTheSlopeOfTheSampledSignForEveryLaw) {
  // Before Stein's lemma: E[sign(sum l_b w_b) sum z_b w_b]/(2R), z the signal part of l.
  constexpr int draws = 20000;
  Random random(13, 0, 0);
  for (const NoiseLaw& law : all_laws()) {
    const ResidualLaw residual(law);
    for (const double risk : {0.5, 0.02})
      for (const int batch : {1, 2, 8, 30}) {
        double mean = 0, square = 0;
        for (int draw = 0; draw < draws; ++draw) {
          double entry = 0, signal = 0;
          for (int b = 0; b < batch; ++b) {
            const double w = random.normal() * random.normal();
            const double z = std::sqrt(2 * risk) * random.normal();
            entry += w * (z + law.sample(random));
            signal += w * z;
          }
          const double slope = std::copysign(signal, entry * signal) / (2 * risk);
          mean += slope / draws;
          square += slope * slope / draws;
        }
        const double error = std::sqrt((square - mean * mean) / draws);
        EXPECT_NEAR(residual.matrix_phi(risk, batch), mean, 5 * error)
            << law.kind << " R=" << risk << " B=" << batch;
      }
  }
}

TEST(MatrixRate, GaussianResidualsGiveTheMeanNormOfProducts) {
  // f(B) = sqrt(2/pi) E||w||, E||w|| = sqrt(2/pi) int (1 - H^B) ds/s^2,
  // H = E (1 + s^2 l^2)^(-1/2) = e^a K_0(a)/(s sqrt(2 pi)), a = 1/(4 s^2).
  for (const int batch : {2, 3, 8, 30, 500}) {
    const auto integrand = [batch](double s) {
      const double q = s * s;
      const double change =  // H - 1
          s < 0.02 ? q * (-1. / 2 + q * (9. / 8 + q * (-75. / 16 + q * 3675. / 128)))
                   : std::exp(0.25 / q) * boost::math::cyl_bessel_k(0, 0.25 / q) /
                             (s * std::sqrt(2 * M_PI)) -
                         1;
      return -std::expm1(batch * std::log1p(change)) / q;
    };
    boost::math::quadrature::exp_sinh<double> far;
    double norm = far.integrate([&](double s) { return integrand(1 + s); }, 1e-13);
    for (const auto& [a, b] : {std::pair{1e-12, 0.02}, {0.02, 0.2}, {0.2, 1.0}})
      norm += Kronrod::integrate(integrand, a, b, 8, 1e-13);
    EXPECT_NEAR(of_standard_gaussian(batch) / (2 / M_PI * norm), 1, 1e-9) << batch;
  }
}

TEST(MatrixRate, CauchyResidualsHaveTheirClosedTransform) {
  // R -> 0, scale 1: H = (2/pi) arccos(s)/sqrt(1 - s^2), H' = (s H - 2/pi)/(1 - s^2).
  for (const int batch : {2, 30, 120, 5000}) {
    const auto integrand = [batch](double s) {
      const double r = 1 - s * s;
      const double h = 2 / M_PI * (r > 0 ? std::acos(s) : std::acosh(s)) / std::sqrt(std::abs(r));
      const double slope = (s * h - 2 / M_PI) / r;
      return -(h + s * slope) * slope * s * std::pow(h, batch - 2);
    };
    // In log s; s = 1, where nothing happens but cancellation, is an end.
    const auto in_log = [&](double y) { return std::exp(y) * integrand(std::exp(y)); };
    double sum = 0;
    for (const auto& [a, b] : {std::pair{-30., -12.},
                               {-12., -6.},
                               {-6., -3.},
                               {-3., 0.},
                               {0., 3.},
                               {3., 8.},
                               {8., 20.},
                               {20., 45.}})
      sum += Kronrod::integrate(in_log, a, b, 0, 1e-12);
    const double b = batch, expected = 2 / M_PI * b * (b - 1) * sum;
    const ResidualLaw residual(student_t_noise(1, 1.0));
    EXPECT_NEAR(residual.matrix_phi(1e-14, batch) / expected, 1, 1e-9) << batch;
  }
}

TEST(MatrixRate, QuadratureReproducesTheGaussianNumbers) {
  NoiseLaw density = gaussian_noise(0.5);
  density.parts = {NoisePart{}};
  density.parts[0].density = [](double x) { return std::sqrt(8 / M_PI) * std::exp(-2 * x * x); };
  density.parts[0].tail = [](double x) { return std::erfc(x * std::sqrt(2.0)); };
  density.parts[0].scale = 0.5;
  const ResidualLaw residual(density);
  for (const double risk : {10.0, 1e-2, 1e-5, 1e-9})
    for (const int batch : {1, 2, 3, 8, 100, 10000})
      EXPECT_NEAR(residual.matrix_phi(risk, batch) * std::sqrt(2 * risk + 0.25) /
                      of_standard_gaussian(batch),
                  1, 1e-10)
          << risk << ' ' << batch;
}

TEST(MatrixRate, LargeBatchesGiveTheVectorRate) {
  for (const int batch : {1000, 10000, 100000}) {
    const double b = batch, ratio = of_standard_gaussian(batch) / std::sqrt(2 * b / M_PI);
    EXPECT_NEAR(ratio, 1 - 1 / b, 6 / (b * b) + 1e-9) << batch;
  }
}

TEST(MatrixRate, OneSampleSeesTheDensityAtZero) {
  // (4/pi) p_l(0)
  EXPECT_NEAR(of_standard_gaussian(1), 4 / M_PI / std::sqrt(2 * M_PI), 1e-14);
  EXPECT_NEAR(ResidualLaw(student_t_noise(1, 0.2)).matrix_phi(1e-12, 1), 4 / M_PI / (M_PI * 0.2),
              1e-5);
}

TEST(MatrixRate, IsInverseToTheScaleOfTheResiduals) {
  constexpr double k = 37, risk = 0.01;
  const auto ratio = [](const NoiseLaw& law, const NoiseLaw& scaled, int batch) {
    return k * ResidualLaw(scaled).matrix_phi(k * k * risk, batch) /
           ResidualLaw(law).matrix_phi(risk, batch);
  };
  for (const int batch : {1, 2, 30, 3000}) {
    EXPECT_NEAR(ratio(gaussian_noise(0.3), gaussian_noise(k * 0.3), batch), 1, 1e-10);
    EXPECT_NEAR(ratio(student_t_noise(1, 0.2), student_t_noise(1, k * 0.2), batch), 1, 1e-10);
    EXPECT_NEAR(ratio(student_t_noise(0.5, 0.2), student_t_noise(0.5, k * 0.2), batch), 1, 1e-10);
    EXPECT_NEAR(ratio(laplace_noise(0.3), laplace_noise(k * 0.3), batch), 1, 1e-10);
    EXPECT_NEAR(ratio(rademacher_noise(0.3), rademacher_noise(k * 0.3), batch), 1, 1e-10);
  }
}

TEST(MatrixRate, HasALimitAtNoRisk) {
  for (const NoiseLaw& law : {student_t_noise(1, 0.2), laplace_noise(0.3), rademacher_noise(0.3)})
    for (const int batch : {2, 120, 100000}) {
      const ResidualLaw residual(law);
      const double limit = residual.matrix_phi(1e-200, batch);
      EXPECT_TRUE(std::isfinite(limit) && limit > 0) << law.kind << ' ' << batch;
      EXPECT_NEAR(residual.matrix_phi(1e-18, batch) / limit, 1, 1e-7) << law.kind << ' ' << batch;
    }
}

TEST(MatrixRate, IsTheDriftOfTheMatrixProblemAlone) {
  const Covariance side = isotropic(4);
  for (const NoiseLaw& law : {no_noise(), gaussian_noise(0.5), student_t_noise(1, 0.2)}) {
    MatrixProblem matrix{side, side, law, {}, {}};
    matrix.initial = matrix_power_law_target(side.spectrum, side.spectrum, 0.0, Sides::in, 1.0);
    VectorProblem vector{side, law, {}, {}, {}};
    vector.initial = isotropic_target(side.spectrum, 1.0);
    const ResidualLaw residual(law);
    const ModeSystem products = mode_system(matrix, SignSgd{6}),
                     plain = mode_system(vector, SignSgd{6});
    for (const double risk : {1.0, 1e-3, 1e-9}) {
      EXPECT_NEAR(products.response(Now{.risk = risk}).drift[0] / residual.matrix_phi(risk, 6), 1,
                  1e-9);
      EXPECT_NEAR(plain.response(Now{.risk = risk}).drift[0] / residual.phi(risk, 6), 1, 1e-9);
    }
  }
}

}  // namespace
}  // namespace riskcurve
