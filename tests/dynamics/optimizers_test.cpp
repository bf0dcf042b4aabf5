#include "riskcurve/dynamics/optimizers.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

VectorProblem problem_of(Covariance covariance, const NoiseLaw& noise) {
  VectorProblem problem{std::move(covariance), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.3, 1.0);
  if (problem.covariance.eigenvectors)
    problem.initial_error = *problem.covariance.eigenvectors * problem.initial.sqrt().matrix();
  return problem;
}

double constant_limit(const ModeSystem& system, double gamma, double horizon) {
  const RiskCurve curve =
      solve(system, constant_schedule(gamma), Eigen::ArrayXd::Constant(1, horizon));
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  return curve.risk[0];
}

TEST(SignSgd, ModesOfAr1ReproduceTheFullMatrixEquation) {
  // dM/dt = -gamma phi (A M + M A^T) + gamma^2 K_sigma, A = D^-1 K, R = tr(K M)/2, by RK4 on the
  // full d x d matrix: no eigenvectors, no modes.
  const Eigen::Index d = 12;
  const VectorProblem problem = problem_of(ar1(d, 0.7), laplace_noise(0.3));
  const Eigen::MatrixXd& k = *problem.covariance.matrix;
  Eigen::MatrixXd sigma(d, d);
  for (Eigen::Index i = 0; i < d; ++i)
    for (Eigen::Index j = 0; j < d; ++j)
      sigma(i, j) = 2 / M_PI * std::asin(std::min(1.0, k(i, j) / std::sqrt(k(i, i) * k(j, j))));
  const Eigen::MatrixXd a = k.diagonal().array().rsqrt().matrix().asDiagonal() * k;
  const ResidualLaw residual(problem.noise);
  const double gamma = 0.01;
  const auto rate = [&](const Eigen::MatrixXd& m) {
    const double phi = residual.phi(0.5 * (k * m).trace(), 3);
    return Eigen::MatrixXd(-gamma * phi * (a * m + m * a.transpose()) + gamma * gamma * sigma);
  };
  Eigen::MatrixXd m = *problem.initial_error * problem.initial_error->transpose();
  const double horizon = 60, h = 0.1;
  for (int step = 0; step < std::lround(horizon / h); ++step) {
    const Eigen::MatrixXd k1 = rate(m), k2 = rate(m + 0.5 * h * k1), k3 = rate(m + 0.5 * h * k2),
                          k4 = rate(m + h * k3);
    m += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  const double risk = constant_limit(mode_system(problem, SignSgd{3}), gamma, horizon);
  EXPECT_NEAR(risk / (0.5 * (k * m).trace()), 1, 1e-8);
}

TEST(SignSgd, NoiseOfTheModesSumsToTheTraceOfKSigma) {
  const VectorProblem problem = problem_of(ar1(40, 0.5), no_noise());
  const ModeSystem system = mode_system(problem, SignSgd{1});
  // sum_i w_i^T K_sigma w_i = tr(D K_sigma) = sum_j sqrt(K_jj) = d here.
  EXPECT_NEAR(system.diffusion.sum(), 40, 1e-10);
  EXPECT_NEAR(system.risk(system.initial), 1, 1e-10);
}

TEST(SignSgd, GivenDiagonalMatrixEqualsDiagonalOrientation) {
  const Covariance diagonal = power_law(20, 0.7, Orientation::diagonal);
  const Covariance given = from_matrix(diagonal.spectrum.value.matrix().asDiagonal());
  const NoiseLaw noise = student_t_noise(1, 0.2);
  const ModeSystem a = mode_system(problem_of(diagonal, noise), SignSgd{4});
  const ModeSystem b = mode_system(problem_of(given, noise), SignSgd{4});
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(5, 0, 500);
  const RiskCurve x = solve(a, constant_schedule(2e-3), at),
                  y = solve(b, constant_schedule(2e-3), at);
  EXPECT_LT(((x.risk - y.risk) / x.risk).abs().maxCoeff(), 1e-9);
  const Eigen::ArrayXd p = x.observable.at("preconditioning"),
                       q = y.observable.at("preconditioning");
  EXPECT_LT((p - q).abs().maxCoeff(), 1e-8);
  EXPECT_GT(std::abs(p[0] - 1), 0.05);  // a diagonal K is preconditioned
}

TEST(SignSgd, IsotropicOrientationsAgree) {
  const NoiseLaw noise = laplace_noise(0.3);
  Covariance diagonal = isotropic(50);
  diagonal.orientation = Orientation::diagonal;
  const ModeSystem a = mode_system(problem_of(isotropic(50), noise), SignSgd{2});
  const ModeSystem b = mode_system(problem_of(diagonal, noise), SignSgd{2});
  EXPECT_NEAR(constant_limit(a, 1e-3, 300) / constant_limit(b, 1e-3, 300), 1, 1e-10);
}

TEST(SignSgd, DeadCoordinatesDropOut) {
  Eigen::MatrixXd k = Eigen::MatrixXd::Zero(4, 4);
  k.diagonal() << 1.0, 0.0, 0.5, 0.25;
  VectorProblem problem{from_matrix(k), no_noise(), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  problem.initial_error = Eigen::VectorXd::Ones(4);
  const ModeSystem system = mode_system(problem, SignSgd{1});
  EXPECT_EQ(system.modes(), 3);
  EXPECT_NEAR(system.risk(system.initial), 0.5 * 1.75, 1e-12);
}

TEST(SignSgd, FourEffectsAreReadAlongTheCurve) {
  const VectorProblem heavy = problem_of(power_law(100, 0.6), student_t_noise(3, 0.3));
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(5, 0, 2000);
  const RiskCurve curve = solve(mode_system(heavy, SignSgd{1}), constant_schedule(1e-3), at);
  ASSERT_EQ(curve.observable.size(), 4u);
  const ResidualLaw residual(heavy.noise);
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    EXPECT_NEAR(curve.observable.at("effective_learning_rate")[i], residual.phi(curve.risk[i], 1),
                1e-10);
    // A sharper centre than a Gaussian of the same variance: sign gains.
    EXPECT_GT(curve.observable.at("noise_compression")[i], 1);
    EXPECT_EQ(curve.observable.at("preconditioning")[i], 1);  // generic orientation: none
  }
  const RiskCurve plain =
      solve(mode_system(problem_of(power_law(100, 0.6), gaussian_noise(0.3)), SignSgd{1}),
            constant_schedule(1e-3), at);
  EXPECT_NEAR(plain.observable.at("noise_compression").maxCoeff(), 1, 1e-12);
}

TEST(StationaryRisk, MatchesTheClosedFormsOfEveryOptimizer) {
  const double v = 0.4, gamma = 1e-3;
  const VectorProblem problem = problem_of(power_law(60, 0.4), gaussian_noise(v));
  // SGD: R = gamma/(4) (2R + v^2)/b sum lambda.
  const double trace = problem.covariance.spectrum.trace();
  const double q = gamma * trace / (2 * 2);
  EXPECT_NEAR(constant_limit(mode_system(problem, Sgd{2}), gamma, 1e7) / (q * v * v / 2 / (1 - q)),
              1, 1e-8);
  // SignSGD: R = gamma/(4 phi) S with phi = f/sqrt(2P), 2P = 2R + v^2: with y = sqrt(2P),
  // y^2 - (gamma S/(2f)) y - v^2 = 0.
  const ModeSystem sign = mode_system(problem, SignSgd{3});
  const double s = (sign.weight * sign.diffusion.col(0) / sign.drift.col(0)).sum();
  const double f = std::sqrt(2 / M_PI) * chi_mean(3);
  const double half = gamma * s / (4 * f), y = half + std::sqrt(half * half + v * v);
  EXPECT_NEAR(constant_limit(sign, gamma, 1e7) / ((y * y - v * v) / 2), 1, 1e-7);
}

TEST(ClippedSgd, HugeThresholdFollowsSgd) {
  const VectorProblem problem = problem_of(power_law(80, 0.5), laplace_noise(0.2));
  const double plain = constant_limit(mode_system(problem, Sgd{4}), 2e-3, 800);
  for (const auto clip : {ClippedSgd::Clip::sample, ClippedSgd::Clip::batch})
    EXPECT_NEAR(constant_limit(mode_system(problem, ClippedSgd{4, constant_schedule(100), clip}),
                               2e-3, 800) /
                    plain,
                1, 1e-7);
}

TEST(ClippedSgd, SampleAndBatchClippingAgreeAtBatchOne) {
  const VectorProblem problem = problem_of(power_law(80, 0.5), student_t_noise(1, 0.2));
  const auto run = [&](ClippedSgd::Clip clip) {
    return constant_limit(mode_system(problem, ClippedSgd{1, constant_schedule(0.3), clip}), 2e-3,
                          800);
  };
  EXPECT_NEAR(run(ClippedSgd::Clip::sample) / run(ClippedSgd::Clip::batch), 1, 1e-9);
}

TEST(ClippedSgd, ScheduledConstantEqualsTheTabulatedConstant) {
  const VectorProblem problem = problem_of(power_law(80, 0.5), laplace_noise(0.2));
  const double table =
      constant_limit(mode_system(problem, ClippedSgd{2, constant_schedule(0.4)}), 2e-3, 500);
  const double direct = constant_limit(
      mode_system(problem, ClippedSgd{2, tabulated_schedule({0, 1000}, {0.4, 0.4})}), 2e-3, 500);
  EXPECT_NEAR(table / direct, 1, 1e-10);
}

TEST(Sgd, InfiniteVarianceIsRefused) {
  EXPECT_THROW(mode_system(problem_of(isotropic(5), student_t_noise(2, 1)), Sgd{1}), InputError);
}

TEST(Compress, KeepsTheCurveToElevenDigits) {
  Eigen::ArrayXd eigenvalues(3000);
  for (Eigen::Index j = 0; j < eigenvalues.size(); ++j)
    eigenvalues[j] = std::pow(static_cast<double>(j + 1), -1.4) *
                     (1 + 0.3 * std::sin(0.1 * static_cast<double>(j)));
  const VectorProblem problem = problem_of(from_eigenvalues(eigenvalues), gaussian_noise(0.1));
  Eigen::ArrayXd at(8);
  at << 0, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7;
  for (const ModeSystem& full : {mode_system(problem, Sgd{1}), mode_system(problem, SignSgd{1})}) {
    const ModeSystem small = compress(full);
    EXPECT_LT(small.modes(), 500);
    EXPECT_GE(small.initial.minCoeff(), 0);
    EXPECT_GE(small.diffusion.minCoeff(), 0);
    const RiskCurve a = solve(full, constant_schedule(1e-5), at);
    const RiskCurve b = solve(small, constant_schedule(1e-5), at);
    EXPECT_LT(((a.risk - b.risk) / a.risk).abs().maxCoeff(), 1e-11);
  }
}

TEST(PreconditionedSgd, AtExponentOneIsSgdToTheBit) {
  const VectorProblem problem = problem_of(power_law(300, 0.6), laplace_noise(0.3));
  EXPECT_EQ(constant_limit(mode_system(problem, PreconditionedSgd{4, 1}), 2e-3, 800),
            constant_limit(mode_system(problem, Sgd{4}), 2e-3, 800));
}

TEST(PreconditionedSgd, IsSgdOnAPowerOfTheCovariance) {
  // In y = K^((theta - 1)/2) Delta: covariance K^theta, squared coefficients times
  // lambda^(1-theta).
  for (const double theta : {0.0, 0.3, 0.8}) {
    const double alpha = 0.6, beta = 0.2;
    const auto power = [](double a, double b) {
      return make_problem(power_law(500, a), PowerLawTarget{b, 1}, student_t_noise(3, 0.2));
    };
    const double own =
        constant_limit(mode_system(power(alpha, beta), PreconditionedSgd{4, theta}), 3e-3, 500);
    const double plain = constant_limit(
        mode_system(power(alpha * theta, beta + alpha * (1 - theta)), Sgd{4}), 3e-3, 500);
    EXPECT_NEAR(own / plain, 1, 1e-9) << theta;
  }
}

TEST(PreconditionedSgd, NeverMovesWhereThereIsNoVariance) {
  const VectorProblem problem =
      problem_of(from_eigenvalues(Eigen::Array4d(1, 0.5, 0, 0)), gaussian_noise(0.1));
  const ModeSystem system = mode_system(problem, PreconditionedSgd{1, 0});
  EXPECT_TRUE((system.drift.col(0) == Eigen::Array3d(1, 1, 0)).all());
  EXPECT_TRUE((system.diffusion.col(0) == Eigen::Array3d(1, 2, 0)).all());
}

TEST(PreconditionedSgd, RefusesNoiseWithoutAVarianceAndMatrices) {
  EXPECT_THROW(
      mode_system(problem_of(isotropic(5), student_t_noise(2, 1)), PreconditionedSgd{1, 1}),
      InputError);
  Experiment matrix{make_problem(isotropic(3), isotropic(4), IsotropicTarget{}),
                    PreconditionedSgd{1, 0.5}, constant_schedule(0.1), run_for(3)};
  EXPECT_THROW(mode_system(matrix), InputError);
  EXPECT_THROW(mode_system(Experiment{problem_of(isotropic(5), no_noise()), PreconditionedSgd{},
                                      constant_schedule(0.1), run_for(3)}),
               InputError);
}

}  // namespace
}  // namespace riskcurve
