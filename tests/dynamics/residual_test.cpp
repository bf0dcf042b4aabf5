#include "riskcurve/dynamics/residual.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dynamics/batch_clip.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "dynamics/noise_laws.hpp"
#include "problem/random.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {
namespace {

/// Gaussian noise told as a density of |epsilon|: forces every quadrature, where closed forms
/// exist.
NoiseLaw gaussian_as_density(double std) {
  NoiseLaw law = gaussian_noise(std);
  law.parts = {NoisePart{}};
  law.parts[0].density = [std](double x) {
    return std::sqrt(2 / M_PI) / std * std::exp(-0.5 * x * x / (std * std));
  };
  law.parts[0].tail = [std](double x) { return std::erfc(x / std / std::sqrt(2.0)); };
  law.parts[0].scale = std;
  return law;
}

/// Mean and standard error of a statistic.
struct Estimate {
  double sum = 0, squares = 0;
  int count = 0;
  void add(double x) { sum += x, squares += x * x, ++count; }
  double mean() const { return sum / count; }
  double error() const { return std::sqrt((squares / count - mean() * mean()) / count); }
};

TEST(ResidualLaw, QuadratureReproducesTheGaussianClosedForms) {
  const ResidualLaw closed(gaussian_noise(0.5)), quadrature(gaussian_as_density(0.5));
  ASSERT_TRUE(closed.gaussian());
  ASSERT_FALSE(quadrature.gaussian());
  for (const double risk : {10.0, 1.0, 1e-2, 1e-5, 1e-9}) {
    for (const int batch : {1, 2, 3, 8, 100})
      EXPECT_NEAR(quadrature.phi(risk, batch) / closed.phi(risk, batch), 1, 1e-11)
          << risk << ' ' << batch;
    for (const double c : {1e-3, 0.3, 1.0, 20.0}) {
      const double p2 = 2 * risk + 0.25;  // 2P
      EXPECT_NEAR(quadrature.within(risk, c), std::erf(c / std::sqrt(2 * p2)), 1e-12);
      EXPECT_NEAR(closed.within(risk, c), std::erf(c / std::sqrt(2 * p2)), 1e-14);
      EXPECT_NEAR(quadrature.clipped_square(risk, c) / closed.clipped_square(risk, c), 1, 1e-10)
          << risk << ' ' << c;
    }
  }
}

TEST(ResidualLaw, BatchClipQuadratureReproducesTheGaussianChiIntegrals) {
  const ResidualLaw closed(gaussian_noise(0.5)), quadrature(gaussian_as_density(0.5));
  for (const int batch : {2, 5, 8})
    for (const double c : {0.1, 0.3, 1.0})
      for (const double risk : {1.0, 0.05, 1e-3, 1e-6}) {
        const auto exact = closed.batch_clip(risk, c, batch);
        const auto found = quadrature.batch_clip(risk, c, batch);
        const double kernel = std::sqrt(2 * risk) / (c * batch);
        const double allowed = kernel > 0.2 ? 1e-8 : 3e-3;
        EXPECT_NEAR(found.mu, exact.mu, allowed) << batch << ' ' << c << ' ' << risk;
        EXPECT_NEAR(found.nu / exact.nu, 1, allowed) << batch << ' ' << c << ' ' << risk;
      }
}

TEST(ResidualLaw, ResponsesMatchSampledResidualsForEveryLaw) {
  // Before Stein's lemma, straight from the algorithms: with z the signal part of the residual,
  //   phi_b = sqrt(2/pi) E[sum l_i z_i / ||l||] / (2R),
  //   mu = E[clip(l) z]/(2R), and for the batch clip mu = E[f sum l_i z_i / b]/(2R).
  Random random(11, 0, 0);
  for (const NoiseLaw& law : all_laws()) {
    const ResidualLaw residual(law);
    for (const double risk : {0.5, 0.02})
      for (const int batch : {1, 2, 7}) {
        const double c = 0.4, spread = std::sqrt(2 * risk);
        Estimate phi, mu, nu, batch_mu, batch_nu, share;
        for (int draw = 0; draw < 20000; ++draw) {
          double norm2 = 0, dot = 0;
          for (int i = 0; i < batch; ++i) {
            const double z = spread * random.normal(), l = z + law.sample(random);
            norm2 += l * l;
            dot += l * z;
            const double clipped = std::copysign(std::min(std::abs(l), c), l);
            mu.add(clipped * z / (2 * risk));
            nu.add(clipped * clipped);
          }
          const double norm = std::sqrt(norm2), f = std::min(1.0, c * batch / norm);
          phi.add(std::sqrt(2 / M_PI) * dot / norm / (2 * risk));
          batch_mu.add(f * dot / batch / (2 * risk));
          batch_nu.add(f * f * norm2 / batch);
          share.add(norm > c * batch);
        }
        const auto clip = residual.batch_clip(risk, c, batch);
        const auto near = [&](double exact, const Estimate& e, const char* what) {
          EXPECT_NEAR(exact, e.mean(), 5 * e.error() + 1e-4)
              << what << ' ' << law.kind << " R=" << risk << " b=" << batch;
        };
        near(residual.phi(risk, batch), phi, "phi");
        near(residual.within(risk, c), mu, "mu");
        near(residual.clipped_square(risk, c), nu, "nu");
        near(clip.mu, batch_mu, "batch mu");
        near(clip.nu, batch_nu, "batch nu");
        near(clip.share, share, "share of clipped steps");
      }
  }
}

TEST(ResidualLaw, HugeThresholdGivesSgdAndTinyThresholdGivesSignOfResidual) {
  for (const NoiseLaw& law : {gaussian_noise(0.5), laplace_noise(0.3), uniform_noise(1.0)}) {
    const ResidualLaw residual(law);
    const double risk = 0.1;
    EXPECT_NEAR(residual.within(risk, 1e3), 1, 1e-12) << law.kind;
    EXPECT_NEAR(residual.clipped_square(risk, 1e3), 2 * risk + law.variance, 1e-9) << law.kind;
    // C -> 0: mu -> 2 C p_l(0), nu -> C^2; and phi_1 = sqrt(8/pi) p_l(0).
    const double c = 1e-5;
    EXPECT_NEAR(residual.within(risk, c) / (2 * c), residual.phi(risk, 1) * std::sqrt(M_PI / 8),
                1e-8)
        << law.kind;
    EXPECT_NEAR(residual.clipped_square(risk, c) / (c * c), 1, 1e-4) << law.kind;
  }
}

TEST(ResidualLaw, CauchyResponseHasItsVoigtLimitAsTheRiskVanishes) {
  // R -> 0: p_l(0) -> the Cauchy density 1/(pi scale).
  const ResidualLaw residual(student_t_noise(1, 0.2));
  EXPECT_NEAR(residual.phi(1e-12, 1), std::sqrt(8 / M_PI) / (M_PI * 0.2), 1e-5);
  EXPECT_TRUE(std::isfinite(residual.phi(1e-200, 4)));
}

TEST(NoncentralChi, AgreesWithDirectIntegrationOverTwoGaussians) {
  // k = 2: X^2 = (sqrt(lambda) + z1)^2 + z2^2, on a fine grid.
  for (const double lambda : {0.0, 0.7, 9.0, 400.0})
    for (const double tau : {0.5, 3.0, 20.0}) {
      double below = 0, inverse = 0, square = 0;
      const double h = 0.01;
      for (double a = -8; a <= 8; a += h)
        for (double b = -8 + h / 2; b <= 8; b += h) {
          const double w = h * h / (2 * M_PI) * std::exp(-0.5 * (a * a + b * b));
          const double x2 = (std::sqrt(lambda) + a) * (std::sqrt(lambda) + a) + b * b;
          if (x2 <= tau * tau)
            below += w, square += w * x2;
          else
            inverse += w / std::sqrt(x2);
        }
      const NoncentralChi chi = noncentral_chi(2, lambda, tau);
      EXPECT_NEAR(chi.below, below, 1e-3) << lambda << ' ' << tau;
      EXPECT_NEAR(chi.inverse_above, inverse, 1e-3) << lambda << ' ' << tau;
      EXPECT_NEAR(chi.square_below, square, 1e-3 * (1 + tau * tau)) << lambda << ' ' << tau;
    }
}

TEST(LogChebyshev, ReproducesAnAnalyticFunctionToRoundoff) {
  const auto f = [](double x) { return std::exp(-1 / x) / std::sqrt(1 + x); };
  const LogChebyshev table(f);
  for (double x = 1e-3; x < 1e9; x *= 1.37) {
    if (f(0.5 * x) > 1e-200)
      EXPECT_NEAR(table(x) / f(x), 1, 1e-12) << x;
    else
      EXPECT_GE(table(x), 0);
  }
}

}  // namespace
}  // namespace riskcurve
