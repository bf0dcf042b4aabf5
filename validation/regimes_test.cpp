// Optimal schedules on power laws against the laws derived in docs/theory/schedules.md.
//
// lambda_j = j^(-2 alpha), squared target coefficients j^(-2 beta). In the drift clock the part of
// the risk yet to be learned falls as tau^(-rho), and noise is forgotten as K(u) ~ u^(-kappa).
// Fixed beforehand: exponents of gamma and R in T within 0.03, delta within 8 %, read off the
// middle of the training (0.2 T to 0.8 T); the law at every time within 10 % from 0.01 T to T.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

VectorProblem problem(double dimension, double alpha, double beta, const NoiseLaw& noise) {
  VectorProblem p{power_law(dimension, alpha), noise, {}, {}, {}};
  p.initial = power_law_target(p.covariance.spectrum, beta, 1.0);
  return p;
}

VectorProblem along_coordinates(VectorProblem p) {
  p.covariance.orientation = Orientation::diagonal;
  return p;
}

/// K_out = I and B >> N_out >> N_in: a = sqrt(lambda), c flat, up to factors.
ModeSystem sign_svd_system(double alpha, double beta, const NoiseLaw& noise) {
  MatrixProblem p{isotropic(1e7), power_law(1e5, alpha), noise, {}, {}};
  p.initial = matrix_power_law_target(p.covariance_out.spectrum, p.covariance_in.spectrum, beta,
                                      Sides::in, 1.0);
  return compress(mode_system(p, SignSvd{1000000000}), 4);
}

ScheduleOptimum optimal(const ModeSystem& system, const ArrayXd& mesh) {
  ScheduleOptions options;
  options.tolerance = 1e-3;  // of the decrement: log R to about 1e-6
  options.solve.rtol = 1e-8;
  ScheduleOptimum best = optimal_schedule(system, mesh, options);
  EXPECT_TRUE(best.found) << best.message;
  return best;
}

struct Law {
  double delta, xi, rate;
};
Law law(double rho, double kappa) {
  const double total = rho + 2 - kappa;
  return {kappa / (2 - kappa), 1 - 1 / total, rho / total};
}

/// delta, xi and the exponent of R, measured over two horizons.
Law measure(const ModeSystem& system, double shorter, double longer) {
  Law measured{};
  double half[2], risk[2];
  for (const int k : {0, 1}) {
    const double T = k == 0 ? shorter : longer;
    const ArrayXd mesh = schedule_mesh(T, 49);
    const ScheduleOptimum best = optimal(system, mesh);
    half[k] = best.schedule(T / 2);
    risk[k] = best.risk;
    const auto used = mesh >= 0.2 * T && mesh <= 0.8 * T;
    measured.delta = fit_exponent(used.select(1 - mesh / T, 0), best.parameters).value;
  }
  measured.xi = -std::log(half[1] / half[0]) / std::log(longer / shorter);
  measured.rate = -std::log(risk[1] / risk[0]) / std::log(longer / shorter);
  return measured;
}

void expect_law(const std::string& name, const Law& measured, const Law& derived) {
  fmt::print("{}: delta {:.3f} ({:.3f}), xi {:.3f} ({:.3f}), R ~ T^-{:.3f} ({:.3f})\n", name,
             measured.delta, derived.delta, measured.xi, derived.xi, measured.rate, derived.rate);
  EXPECT_NEAR(measured.delta / derived.delta, 1, 0.08) << name;
  EXPECT_NEAR(measured.xi, derived.xi, 0.03) << name;
  EXPECT_NEAR(measured.rate, derived.rate, 0.03) << name;
}

/// a = lambda, c ~ lambda: SGD, clipped SGD, and SignSGD in generic orientation as d -> infinity.
Law gradient_law(double alpha, double beta) {
  return law((2 * alpha + 2 * beta - 1) / (2 * alpha), 2 - 1 / (2 * alpha));
}
/// a ~ sqrt(lambda), c flat: SignSVD at large batch, and SignSGD along the coordinates.
Law square_root_law(double alpha, double beta) {
  return law((2 * alpha + 2 * beta - 1) / alpha, 2 - 1 / alpha);
}
/// a = lambda, c flat: SignSGD in generic orientation once it learns eigenvalues below the mean.
Law flat_law(double alpha, double beta) {
  return law((2 * alpha + 2 * beta - 1) / (2 * alpha), 1 - 1 / (2 * alpha));
}

TEST(Regimes, SgdDecaysByThePolynomialOfTheEasyPhase) {
  for (const auto& [alpha, beta] : {std::pair{0.6, 0.3}, {0.75, 0.5}})
    expect_law(
        fmt::format("SGD ({}, {})", alpha, beta),
        measure(compress(mode_system(problem(1e7, alpha, beta, gaussian_noise(1)), Sgd{1}), 4), 1e6,
                1e7),
        gradient_law(alpha, beta));
}

TEST(Regimes, ClippedSgdUnderCauchyNoiseDecaysAsSgd) {
  const ClippedSgd clip{1, constant_schedule(1)};
  expect_law("clipped SGD (0.6, 0.3)",
             measure(compress(mode_system(problem(1e7, 0.6, 0.3, student_t_noise(1, 1)), clip), 4),
                     1e6, 1e7),
             gradient_law(0.6, 0.3));
}

TEST(Regimes, SignSgdDecaysAsSgdWhileItLearnsAboveTheMeanEigenvalue) {
  expect_law(
      "SignSGD, d = 1e9 (0.6, 0.3)",
      measure(compress(mode_system(problem(1e9, 0.6, 0.3, gaussian_noise(1)), SignSgd{1}), 4), 1e6,
              1e7),
      gradient_law(0.6, 0.3));
}

TEST(Regimes, SignSgdDecaysFlatterWhereItLearnsBelowTheMeanEigenvalue) {
  expect_law("SignSGD, d = 300 (2, 0.3)",
             measure(compress(mode_system(problem(300, 2, 0.3, gaussian_noise(1)), SignSgd{1}), 4),
                     1e11, 1e12),
             flat_law(2, 0.3));
}

TEST(Regimes, SignSvdAndSignSgdAlongTheCoordinatesDecayByTheSquareRootLaw) {
  expect_law(
      "SignSGD, diagonal (0.75, 0.25)",
      measure(compress(mode_system(along_coordinates(problem(1e9, 0.75, 0.25, gaussian_noise(1))),
                                   SignSgd{1}),
                       4),
              1e8, 1e9),
      square_root_law(0.75, 0.25));
  expect_law("SignSVD (1.2, 0.1)", measure(sign_svd_system(1.2, 0.1, gaussian_noise(1)), 1e6, 1e7),
             square_root_law(1.2, 0.1));
}

/// (1/eta)(1/eta - 1/eta_s) = (n/g^2) K(u)/m along the optimal schedule, with eta = gamma g the
/// drift a step, u the drift left, K(u) = sum h c e^(-2 a u)/2 and m = -dR/dt at the end.
struct Pointwise {
  double worst = 0;     ///< |log| of the law's eta over the schedule's
  double plateau = 0;   ///< eta/eta_s at half time
  double annealed = 0;  ///< drift left where eta = eta_s/2, and below at the end; 0 if not reached
  double share = 0;     ///< of the steps, there
};

Pointwise pointwise(const std::string& name, const ModeSystem& system, double T) {
  const ArrayXd mesh = schedule_mesh(T, 65);
  const Index end = mesh.size() - 1;
  const ScheduleOptimum best = optimal(system, mesh);
  const Sensitivity at = sensitivity(system, best.schedule, T);
  const ArrayXd risk = solve(system, best.schedule, mesh).risk;
  const ArrayXd forgetting = 2 * system.drift.col(0), h = system.weight,
                c = system.diffusion.col(0);
  ArrayXd eta(mesh.size()), left(mesh.size()), noise(mesh.size());
  for (Index i = end; i >= 0; --i) {
    const Response r = system.response(Now{.risk = risk[i]});
    eta[i] = best.parameters[i] * r.drift[0];
    noise[i] = r.diffusion[0] / (r.drift[0] * r.drift[0]);
    left[i] = i == end ? 0 : left[i + 1] + 0.5 * (eta[i] + eta[i + 1]) * (mesh[i + 1] - mesh[i]);
  }
  // The drift a step at which the noise of a large risk keeps it up, in modes that had the time.
  const Response far = system.response(Now{.risk = 1e10});
  const double limit =
      2e10 * far.drift[0] * far.drift[0] /
      (far.diffusion[0] * (h * c / forgetting * (1 - (-forgetting * left[0]).exp())).sum());
  Pointwise result;
  for (Index i = end; i >= 0; --i) {
    const double kernel = 0.5 * (h * c * (-forgetting * left[i]).exp()).sum();
    const double derived =
        1 / (0.5 / limit + std::hypot(0.5 / limit, std::sqrt(noise[i] * kernel / -at.rate)));
    if (mesh[i] >= 0.01 * T)
      result.worst = std::max(result.worst, std::abs(std::log(eta[i] / derived)));
    if (result.annealed > 0 || eta[i] < limit / 2) continue;
    const double part = std::log(0.5 * limit / eta[i + 1]) / std::log(eta[i] / eta[i + 1]);
    result.annealed = std::pow(left[i], part) * std::pow(left[i + 1], 1 - part);
    result.share = std::pow(1 - mesh[i] / T, part) * std::pow(1 - mesh[i + 1] / T, 1 - part);
  }
  result.plateau = eta[end / 2] / limit;
  fmt::print(
      "{}, T = {:g}: law within {:.1f} %, eta/eta_s = {:.3f} at T/2 and 1/2 at {:.3f} T left\n",
      name, T, 100 * result.worst, result.plateau, result.share);
  EXPECT_LT(result.worst, 0.1) << name;
  return result;
}

TEST(Regimes, OneLawHoldsForEveryOptimizerUnderLabelNoise) {
  const NoiseLaw noise = gaussian_noise(1);
  pointwise("SGD", compress(mode_system(problem(1e7, 0.6, 0.3, noise), Sgd{1}), 4), 1e5);
  pointwise("SignSVD", sign_svd_system(1.2, 0.1, noise), 1e6);
}

TEST(Regimes, WithoutLabelNoiseSgdAnnealsFromThePlateau) {
  pointwise("SGD, no noise", compress(mode_system(problem(1e3, 1.5, -0.5, no_noise()), Sgd{1}), 4),
            1e3);
}

TEST(Regimes, WithoutLabelNoiseSignSgdAnnealsFromThePlateau) {
  pointwise("SignSGD, no noise",
            compress(mode_system(problem(1e7, 1.2, 0, no_noise()), SignSgd{1}), 4), 1e3);
}

TEST(Regimes, WithoutLabelNoiseSignSvdAnnealsFromThePlateau) {
  pointwise("SignSVD, no noise", sign_svd_system(3, -1, no_noise()), 100);
}

TEST(Regimes, SgdOfTheHardPhaseIsConstantAndAnnealsOverAVanishingShare) {
  // rho + 1 = 1.07 < kappa = 1.67. The drift left where annealing sets in grows as T^0.64, and its
  // share of the steps falls.
  const ModeSystem system =
      compress(mode_system(problem(1e3, 1.5, -0.9, gaussian_noise(2)), Sgd{1}), 4);
  const Pointwise shorter = pointwise("SGD, hard", system, 1e3);
  const Pointwise longer = pointwise("SGD, hard", system, 1e4);
  fmt::print("annealing drift ~ T^{:.3f} (0.640)\n",
             std::log10(longer.annealed / shorter.annealed));
  EXPECT_LT(longer.share, 0.6 * shorter.share);
  EXPECT_NEAR(std::log10(longer.annealed / shorter.annealed), 0.64, 0.06);
}

}  // namespace
}  // namespace riskcurve
