#include "riskcurve/integrate/sde.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "problem/random.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

ArrayXd at(double t) {
  return ArrayXd::Constant(1, t);
}

/// Mean and variance of a sample, with their standard errors.
struct Moments {
  double mean, mean_error, variance, variance_error;
};
Moments moments(const ArrayXd& x) {
  const auto n = static_cast<double>(x.size());
  const ArrayXd centred = x - x.mean();
  const double variance = centred.square().sum() / (n - 1);
  const double fourth = centred.square().square().mean();
  return {x.mean(), std::sqrt(variance / n), variance,
          std::sqrt((fourth - variance * variance) / n)};
}

VectorProblem power_law_problem(double dimension, const NoiseLaw& noise) {
  VectorProblem problem{power_law(dimension, 0.25), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  return problem;
}

/// Two modes of m directions each, responses constant.
ModeSystem constant_system(double m) {
  ModeSystem system;
  system.weight = ArrayXd{{1.0, 0.4}};
  system.drift = ArrayXd{{2.0, 0.3}};
  system.diffusion = ArrayXd{{0.5, 1.5}};
  system.initial = ArrayXd{{1.0, 2.0}};
  system.multiplicity = ArrayXd::Constant(2, m);
  system.response = [](const Now&) { return Response{ArrayXd::Ones(1), ArrayXd::Ones(1)}; };
  return system;
}

TEST(Sde, IsExactForStepsOfAnyLengthUnderConstantResponses) {
  // s is v times a noncentral chi-square of m degrees of freedom: mean e s(0) + m v, variance
  // 2 m v^2 + 4 v e s(0), e = exp(-2 gamma a T), v = gamma (c/m)(1 - e)/(2 a).
  const double gamma = 0.3, T = 4;
  for (const double m : {0.5, 1.0, 2.5, 40.0})
    for (const double step : {T, T / 3}) {
      const ModeSystem system = constant_system(m);
      const ArrayXd a = system.drift.col(0), e = (-2 * gamma * T * a).exp();
      const ArrayXd v = gamma * system.diffusion.col(0) / m * (1 - e) / (2 * a);
      const ArrayXd mean = e * system.initial + m * v;
      const ArrayXd variance = 2 * m * v.square() + 4 * v * e * system.initial;
      SdeOptions options;
      options.runs = 40000;
      options.step = step;
      const Ensemble runs = solve_sde(system, constant_schedule(gamma), at(T), options);
      const Moments found = moments(runs.risk.row(0).transpose());
      EXPECT_NEAR(found.mean, 0.5 * (system.weight * mean).sum(), 4 * found.mean_error) << m;
      EXPECT_NEAR(found.variance, 0.25 * (system.weight.square() * variance).sum(),
                  4 * found.variance_error)
          << m << " directions, steps of " << step;
    }
}

TEST(Sde, SgdFollowsItsCurveAndSpreadsByTheLinearNoiseFormula) {
  // Var R(T) = sum_k int 4 gamma^2 p_k^2 s_k c_k/m_k dt. SGD is linear in s, so p(t; T) is that of
  // a curve of length T - t: independent of the SDE's code.
  const ModeSystem system = mode_system(power_law_problem(600, gaussian_noise(0.5)), Sgd{1});
  const double T = 600, step = 0.4 / system.drift.sum();
  const Schedule gamma = constant_schedule(step);
  constexpr int pieces = 24;  // Simpson
  SolveOptions keep;
  keep.keep_modes = true;
  const RiskCurve curve = solve(system, gamma, ArrayXd::LinSpaced(pieces + 1, 0, T), keep);
  double variance = 0;
  for (int i = 0; i <= pieces; ++i) {
    const ArrayXd p = i < pieces ? sensitivity(system, gamma, T * (1 - i / double(pieces))).initial
                                 : ArrayXd(0.5 * system.weight);
    const ArrayXd s = curve.modes.row(i).transpose();
    const ArrayXd c = system.diffusion.col(0) * (2 * curve.risk[i] + 0.25);
    const double weight = (i == 0 || i == pieces ? 1 : i % 2 == 1 ? 4 : 2) * T / pieces / 3;
    variance += weight * 4 * step * step * (p.square() * s * c / system.multiplicity).sum();
  }
  SdeOptions options;
  options.runs = 2000;
  const Ensemble runs = solve_sde(system, gamma, at(T), options);
  const Moments found = moments(runs.risk.row(0).transpose());
  std::printf("R %.5f (curve %.5f), Var R %.3e +- %.1e (linear noise %.3e)\n", found.mean,
              curve.risk[pieces], found.variance, found.variance_error, variance);
  // E R is the curve exactly: what is left is the step's own error.
  EXPECT_NEAR(found.mean, curve.risk[pieces], 4 * found.mean_error + 1e-3 * found.mean);
  // Beyond linear noise: relative order 1/d_eff, d_eff = tr K/||K||.
  const double allowance = 3 / (system.weight.sum() / system.weight.maxCoeff());
  EXPECT_NEAR(found.variance, variance, 4 * found.variance_error + allowance * variance);
}

TEST(Sde, MeanFollowsTheCurveOfEveryOptimizer) {
  const auto experiment = [](const std::string& geometry, const std::string& optimizer,
                             const std::string& schedule) {
    const std::string problem =
        geometry == "vector"
            ? "covariance = { kind = 'power_law', dimension = 400, alpha = 0.25 }\n"
              "target = { kind = 'power_law', beta = 0.2, risk = 1.0 }\n"
            : "covariance_out = { kind = 'power_law', dimension = 50, alpha = 0.25 }\n"
              "covariance_in = { kind = 'power_law', dimension = 60, alpha = 0.25 }\n"
              "target = { kind = 'power_law', beta = 0.2, sides = 'both', risk = 1.0 }\n";
    return parse_experiment("[problem]\ngeometry = '" + geometry + "'\n" + problem +
                            "noise = { kind = 'laplace', scale = 0.3 }\n"
                            "[optimizer]\n" +
                            optimizer + "\n[schedule]\n" + schedule +
                            "\n[run]\nsteps = 600\npoints = 5\n");
  };
  const std::vector<Experiment> cases = {
      experiment("vector", "name = 'sign_sgd'\nbatch = 2", "kind = 'constant'\nstep = 2e-3"),
      experiment("vector", "name = 'clipped_sgd'\nthreshold = 0.7\nbatch = 2",
                 "kind = 'cosine'\nstep = 1e-2\nfinal_step = 0"),
      experiment("matrix", "name = 'sgd'\nbatch = 20", "kind = 'constant'\nstep = 1e-2"),
      experiment("matrix", "name = 'sign_svd'\nbatch = 60",
                 "kind = 'piecewise'\nfrom = [0, 333.5]\nstep = [4e-3, 1e-3]")};
  for (const Experiment& now : cases) {
    const ModeSystem limit = mode_system(now, Grids::whole);
    SdeOptions options;
    options.runs = 60;
    const Ensemble runs = solve_sde(limit, now.schedule, now.run.at, options);
    const RiskCurve curve = solve(limit, now.schedule, now.run.at);
    ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
    EXPECT_LT(curve.risk.minCoeff(), 0.6);
    const ArrayXd& h = limit.weight;
    const double d = (h * limit.multiplicity).sum() / h.maxCoeff();
    for (Index i = 0; i < runs.steps.size(); ++i)
      EXPECT_NEAR(runs.mean[i], curve.risk[i], 4 * runs.error[i] + (3 / d + 2e-3) * curve.risk[i])
          << name_of(now.optimizer) << " at " << runs.steps[i];
  }
}

/// Neighbouring coordinates correlated, of standard deviations 1 to 8.
VectorProblem given_problem(Index d) {
  const ArrayXd size = ArrayXd::LinSpaced(d, 0, std::log(8.0)).exp();
  Eigen::MatrixXd k(d, d);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j)
      k(i, j) = std::pow(0.9, static_cast<double>(std::abs(i - j))) * size[i] * size[j] / 20;
  VectorProblem problem{from_matrix(k), gaussian_noise(0.5), {}, {}, {}};
  problem.initial_error =
      Eigen::VectorXd::LinSpaced(d, 1, -1) / static_cast<double>(d) + Eigen::VectorXd::Ones(d) / 4;
  const Eigen::VectorXd c = problem.covariance.eigenvectors->transpose() * *problem.initial_error;
  problem.initial = c.array().square();
  return problem;
}
Experiment given_experiment(Index d) {
  Experiment experiment{given_problem(d), SignSgd{1}, constant_schedule(0.01), {}};
  return experiment;
}

TEST(Sde, GivenSignSgdHasTheCovarianceOfSampledSigns) {
  // One step's noise is gamma times the sign of the gradient, sign(x) up to a common sign.
  const Index d = 6;
  const Experiment experiment = given_experiment(d);
  const VectorProblem& problem = experiment.vector();
  ASSERT_EQ(problem.covariance.orientation, Orientation::given);
  const Eigen::MatrixXd& k = *problem.covariance.matrix;
  const Eigen::MatrixXd root = k.llt().matrixL();
  const int draws = 200000;
  Eigen::MatrixXd sampled = Eigen::MatrixXd::Zero(d, d);
  Random random(7, 0, 0);
  for (int i = 0; i < draws; ++i) {
    Eigen::VectorXd z(d);
    random.normals(z.data(), static_cast<std::size_t>(d));
    const Eigen::VectorXd sign = (root * z).array().sign();
    sampled += sign * sign.transpose() / draws;
  }
  const ModeSystem limit = mode_system(experiment);
  const Correlation noise = limit.correlation();
  // The directions by another route: K v = Lambda D v, v^T D v = 1, w = D v, their signs free.
  const Eigen::MatrixXd scale = k.diagonal().cwiseSqrt().asDiagonal();
  const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> solver(k, scale);
  Eigen::MatrixXd w = scale * solver.eigenvectors();
  for (Index i = 0; i < d; ++i)
    if (w.col(i).dot(*problem.initial_error) * noise.initial[i] < 0) w.col(i) *= -1;
  EXPECT_LT((noise.initial.matrix() - w.transpose() * *problem.initial_error).norm(), 1e-9);
  const Eigen::MatrixXd expected = w.transpose() * sampled * w;
  const ArrayXd size = expected.diagonal().array().sqrt();
  EXPECT_LT((limit.diffusion.col(0).sqrt() / size - 1).abs().maxCoeff(), 6 / std::sqrt(draws));
  const Eigen::MatrixXd difference =
      noise.factor * noise.factor.transpose() -
      size.inverse().matrix().asDiagonal() * expected * size.inverse().matrix().asDiagonal();
  EXPECT_LT(difference.cwiseAbs().maxCoeff(), 6 / std::sqrt(draws));
  const Eigen::MatrixXd alone = Eigen::MatrixXd::Identity(d, d);
  const Eigen::MatrixXd off = noise.factor * noise.factor.transpose() - alone;
  EXPECT_GT(off.cwiseAbs().maxCoeff(), 0.1);  // so independent noise would not have passed
}

TEST(Sde, GivenSignSgdSpreadsAsItsEquationInCoordinates) {
  // Against dDelta = -gamma phi D^(-1) K Delta dt + gamma L dW by Euler-Maruyama in coordinates at
  // short steps, L L^T = (2/pi) arcsin(rho).
  const Index d = 12;
  const Experiment experiment = given_experiment(d);
  const VectorProblem& problem = experiment.vector();
  const ModeSystem limit = mode_system(experiment);
  const double T = 40;
  SdeOptions options;
  options.runs = 4000;
  options.step = 0.5;  // so few directions need short steps
  const Ensemble runs = solve_sde(limit, experiment.schedule, at(T), options);

  const Eigen::MatrixXd& k = *problem.covariance.matrix;
  const Eigen::VectorXd inverse = k.diagonal().cwiseSqrt().cwiseInverse();
  const Eigen::MatrixXd bar = inverse.asDiagonal() * k;
  const Eigen::MatrixXd rho = bar * inverse.asDiagonal();
  const Eigen::MatrixXd sigma = 2 / M_PI * rho.array().min(1.0).asin().matrix();
  const Eigen::MatrixXd l = sigma.llt().matrixL();
  const double gamma = 0.01;
  ArrayXd risk(options.runs);
  for (int run = 0; run < options.runs; ++run) {
    Eigen::VectorXd delta = *problem.initial_error, z(d);
    Random random(11, static_cast<std::uint64_t>(run), 0);
    const double h = 0.25;
    for (int i = 0; i < T / h; ++i) {
      random.normals(z.data(), static_cast<std::size_t>(d));
      const double now = 0.5 * delta.dot(k * delta);
      const double phi = 2 / M_PI / std::sqrt(2 * now + 0.25);
      delta += -gamma * h * phi * (bar * delta) + gamma * std::sqrt(h) * (l * z);
    }
    risk[run] = 0.5 * delta.dot(k * delta);
  }
  const Moments found = moments(runs.risk.row(0).transpose()), other = moments(risk);
  std::printf("R %.5f and %.5f in coordinates; Var R %.3e and %.3e\n", found.mean, other.mean,
              found.variance, other.variance);
  const double se = std::hypot(found.variance_error, other.variance_error);
  EXPECT_NEAR(found.mean, other.mean,
              4 * std::hypot(found.mean_error, other.mean_error) + 0.01 * other.mean);
  EXPECT_NEAR(found.variance, other.variance, 4 * se + 0.03 * other.variance);
}

TEST(Sde, IsTheSameToTheBitForAnyNumberOfThreads) {
  VectorProblem problem = power_law_problem(64, laplace_noise(0.3));  // tabulated responses
  problem.covariance = spiked(64, ArrayXd{{4.0, 2.0}}, 0.5);          // modes of 1 and 62
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  const std::vector<ModeSystem> cases = {mode_system(problem, SignSgd{2}),
                                         mode_system(given_experiment(8))};
  for (const ModeSystem& limit : cases) {
    SdeOptions options;
    options.runs = 13;
    options.threads = 1;
    const ArrayXd times{{0.0, 7.5, 40.0}};
    const Ensemble one = solve_sde(limit, constant_schedule(0.01), times, options);
    for (const int threads : {2, 3}) {
      options.threads = threads;
      const Ensemble more = solve_sde(limit, constant_schedule(0.01), times, options);
      EXPECT_TRUE((one.risk == more.risk).all()) << threads;
    }
    EXPECT_NEAR(one.risk(0, 0), limit.risk(limit.initial), 1e-12);
    EXPECT_NE(one.risk(2, 0), one.risk(2, 1));
    options.seed = 2;
    EXPECT_NE(solve_sde(limit, constant_schedule(0.01), times, options).risk(2, 0), one.risk(2, 0));
  }
}

TEST(Sde, StartsFromZeroRiskAndReportsDivergence) {
  VectorProblem problem = power_law_problem(300, gaussian_noise(0.5));
  problem.initial.setZero();
  const ModeSystem system = mode_system(problem, Sgd{1});
  const double stable = 2 / system.drift.sum();
  SdeOptions options;
  options.runs = 100;
  const Schedule gamma = constant_schedule(0.2 * stable);
  const Ensemble runs = solve_sde(system, gamma, at(2000), options);
  EXPECT_NEAR(runs.mean[0], solve(system, gamma, at(2000)).risk[0],
              4 * runs.error[0] + 2e-3 * runs.mean[0]);
  options.runs = 3;
  const Ensemble blown =
      solve_sde(system, constant_schedule(3 * stable), ArrayXd{{10.0, 1e5}}, options);
  EXPECT_EQ(blown.diverged, 3);
  EXPECT_TRUE(blown.risk.row(0).isFinite().all());
  EXPECT_EQ(blown.risk(1, 0), std::numeric_limits<double>::infinity());
}

TEST(Sde, StopsWhenToldTo) {
  SdeOptions options;
  options.runs = 10;
  options.threads = 1;
  options.progress = [](double fraction) { return fraction < 0.45; };
  const Ensemble runs =
      solve_sde(constant_system(1), constant_schedule(0.1), ArrayXd{{1.0, 2.0}}, options);
  EXPECT_TRUE(runs.interrupted);
  EXPECT_EQ(runs.risk.cols(), 4);
}

TEST(Sde, RefusesWhatItCannotRun) {
  const ModeSystem system = mode_system(power_law_problem(300, no_noise()), Sgd{1});
  const Schedule gamma = constant_schedule(1e-3);
  const auto refuses = [&](const ModeSystem& limit, const ArrayXd& times,
                           const SdeOptions& options) {
    EXPECT_THROW(solve_sde(limit, gamma, times, options), InputError);
  };
  refuses(compress(system, 2), at(1), {});  // keeps no directions
  refuses(system, ArrayXd{{2.0, 1.0}}, {});
  refuses(system, ArrayXd(), {});
  SdeOptions options;
  options.runs = 0;
  refuses(system, at(1), options);
  options.runs = 1;
  options.change = 0;
  refuses(system, at(1), options);
  const auto correlated = [&](const Correlation& noise) {
    ModeSystem with = system;
    with.correlation = [noise] { return noise; };
    return with;
  };
  refuses(correlated({ArrayXd::Ones(2), {}}), at(1), {});
  refuses(correlated({{}, Eigen::MatrixXd::Ones(3, 3)}), at(1), {});
}

}  // namespace
}  // namespace riskcurve
