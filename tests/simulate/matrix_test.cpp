#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "problem/random.hpp"
#include "problems.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/simulate/simulate.hpp"
#include "simulate/matrix_source.hpp"

namespace riskcurve {
namespace {

using testing_problems::steps;

const std::vector<std::string> matrix_optimizers = {
    "name = 'sgd'\nbatch = 9",
    "name = 'sign_sgd'\nbatch = 9",
    "name = 'sign_svd'\nbatch = 9",
    "name = 'schatten'\nexponent = 0.5\nbatch = 30",
    "name = 'regularized_svd'\nepsilon = 0.1\nbatch = 9",
    "name = 'muon'\nbatch = 9"};

MatrixProblem problem(Covariance out, Covariance in, double risk, NoiseLaw noise = no_noise()) {
  MatrixProblem p;
  p.initial = matrix_power_law_target(out.spectrum, in.spectrum, 0.3, Sides::both, risk);
  p.covariance_out = std::move(out);
  p.covariance_in = std::move(in);
  p.noise = std::move(noise);
  return p;
}

Experiment experiment(const MatrixProblem& problem, const std::string& optimizer, double step,
                      const Eigen::ArrayXd& at) {
  Experiment e;
  e.problem = problem;
  e.optimizer = optimizer_of(optimizer);
  e.schedule = constant_schedule(step);
  e.run = {at[at.size() - 1], at};
  return e;
}

struct NamedMatrix {
  std::string name;
  MatrixProblem problem;
};

std::vector<NamedMatrix> matrix_problems() {
  const NoiseLaw noise = student_t_noise(3, 0.2);
  const auto law = [](double d, Orientation orientation) { return power_law(d, 0.4, orientation); };
  return {
      {"isotropic", problem(isotropic(12), isotropic(15), 0.7, noise)},
      {"diagonal",
       problem(law(12, Orientation::diagonal), law(17, Orientation::diagonal), 0.7, noise)},
      {"generic",
       problem(law(16, Orientation::generic), law(12, Orientation::generic), 0.7, noise)},
      {"spiked and given", problem(spiked(14, Eigen::Array2d(4, 2), 0), ar1(11, 0.6), 0.7, noise)}};
}

TEST(MatrixSimulate, IsBitIdenticalForAnyThreadCount) {
  for (const NamedMatrix& p : matrix_problems())
    for (const std::string& optimizer : matrix_optimizers) {
      const Experiment e = experiment(p.problem, optimizer, 0.01, steps({0, 3, 40}));
      const Ensemble one = simulate(e, {.runs = 5, .seed = 5, .threads = 1});
      for (const int threads : {2, 3}) {
        const Ensemble many = simulate(e, {.runs = 5, .seed = 5, .threads = threads});
        EXPECT_TRUE((one.risk == many.risk).all()) << p.name << " " << optimizer;
      }
      const Ensemble other = simulate(e, {.runs = 5, .seed = 6, .threads = 1});
      EXPECT_FALSE((one.risk.row(2) == other.risk.row(2)).any()) << p.name << " " << optimizer;
      // Neither recording less nor running less changes a run.
      const Ensemble few =
          simulate(experiment(p.problem, optimizer, 0.01, steps({40})), {.runs = 2, .seed = 5});
      EXPECT_TRUE((few.risk.row(0) == one.risk.row(2).head(2)).all());
    }
}

TEST(MatrixSimulate, StartsAtExactlyTheInitialRisk) {
  for (const NamedMatrix& p : matrix_problems())
    for (const std::string& optimizer : matrix_optimizers) {
      const Ensemble e = simulate(experiment(p.problem, optimizer, 0.01, steps({0})), {.runs = 3});
      // A zero eigenvalue has a share of s(0), and none of the risk.
      for (const double r : e.risk.row(0)) EXPECT_NEAR(r, 0.7, 1e-12) << p.name;
    }
}

TEST(MatrixSource, SamplesHaveTheCovarianceOfTheRisk) {
  constexpr Eigen::Index n = 100000;
  const MatrixProblem p = problem(power_law(4, 0.5), ar1(3, 0.6), 1);
  for (const bool invariant : {true, false}) {
    const MatrixSource source = matrix_source(p, invariant, 4);
    Random random(9, 0, 0);
    const Eigen::MatrixXd u = source.out.draw(random, n), v = source.in.draw(random, n);
    const Eigen::MatrixXd k_out = u * u.transpose() / n, k_in = v * v.transpose() / n;
    // R of a rank-one Delta = a b^T is (a^T K_out a)(b^T K_in b)/2; five standard errors.
    for (Eigen::Index i = 0; i < 4; ++i)
      for (Eigen::Index j = 0; j < 3; ++j) {
        Eigen::VectorXd a = Eigen::VectorXd::Unit(4, i), b = Eigen::VectorXd::Unit(3, j);
        a[0] += 0.5;
        b[2] -= 0.3;
        const double want = source.risk(a * b.transpose());
        EXPECT_NEAR(0.5 * a.dot(k_out * a) * b.dot(k_in * b), want, 5 * want * std::sqrt(4.0 / n));
      }
    if (!invariant) {
      const double corner =
          2 * source.risk(Eigen::MatrixXd::Identity(4, 3).col(0) * Eigen::RowVector3d(0, 1, 0));
      const double other =
          2 * source.risk(Eigen::MatrixXd::Identity(4, 3).col(0) * Eigen::RowVector3d(0, 1, 1));
      EXPECT_NEAR(other / corner, 2 * (1 + 0.6), 1e-12);  // ar1 as given: K_12 = 0.6
    }
  }
}

TEST(MatrixSource, TurnsTheTwoSidesIndependently) {
  const MatrixProblem p = problem(power_law(20, 0.5), power_law(20, 0.5), 1);
  const MatrixSource source = matrix_source(p, false, 4);
  EXPECT_GT((source.out.factor - source.in.factor).norm(), 1);
  EXPECT_NEAR(source.out.factor.norm(), source.in.factor.norm(), 1e-12);
}

// u, v, epsilon independent, u ~ N(0, K_out), so E[u u^T (u^T K u)] = K tr K^2 + 2 K^3 and
// E R' = R - gamma sum S^2 s + gamma^2/2 { (1 - 1/B) sum S^3 s + (1/B) [E eps^2 tr K_out^2 tr
// K_in^2
//        + sum (sigma tr K_out^2 + 2 sigma^3)(lambda tr K_in^2 + 2 lambda^3) s] },  S = sigma
//        lambda.
TEST(MatrixSimulate, OneSgdStepHasItsExactMean) {
  const double gamma = 0.15;
  const int b = 3, runs = 60000;
  const MatrixProblem p = problem(
      power_law(3, 0.5), from_eigenvalues(Eigen::Array4d(1.5, 1, 1, 0.2)), 0.7, uniform_noise(0.9));
  const Spectrum &out = p.covariance_out.spectrum, &in = p.covariance_in.spectrum;
  const Eigen::ArrayXd sigma = out.value, lambda = in.value;
  const double out2 = (sigma.square() * out.multiplicity).sum(),
               in2 = (lambda.square() * in.multiplicity).sum();
  const auto sum = [&](const Eigen::ArrayXd& f, const Eigen::ArrayXd& g) {
    return (f.matrix().transpose() * p.initial.entries().matrix() * g.matrix()).value();
  };
  const double third = sum(sigma.cube(), lambda.cube());
  const double single = sum(sigma * out2 + 2 * sigma.cube(), lambda * in2 + 2 * lambda.cube()) +
                        p.noise.variance * out2 * in2;
  const double want = 0.7 - gamma * sum(sigma.square(), lambda.square()) +
                      0.5 * gamma * gamma * ((1 - 1.0 / b) * third + single / b);
  const Ensemble e = simulate(experiment(p, "name = 'sgd'\nbatch = 3", gamma, steps({1})),
                              {.runs = runs, .seed = 3});
  EXPECT_NEAR(e.mean[0], want, 4 * e.error[0]);
  EXPECT_LT(e.error[0], 0.01 * want);
}

// From the optimum, with K = I: 2R' = gamma^2 |U V^T|^2 = gamma^2 rank.
TEST(MatrixSimulate, SignSvdMovesByItsRankTimesGammaSquared) {
  for (const int batch : {3, 8, 12, 40}) {
    const MatrixProblem p = problem(isotropic(8), isotropic(12), 0, student_t_noise(1, 1));
    const Ensemble e = simulate(
        experiment(p, "name = 'sign_svd'\nbatch = " + std::to_string(batch), 0.1, steps({1})),
        {.runs = 20});
    for (const double risk : e.risk.row(0))
      EXPECT_NEAR(2 * risk, 0.01 * std::min(batch, 8), 1e-13) << batch;
  }
}

TEST(MatrixSimulate, SchattenAndRegularisedReachTheirLimits) {
  const MatrixProblem p = matrix_problems()[1].problem;
  const auto run = [&](const std::string& optimizer) {
    return simulate(experiment(p, optimizer, 0.02, steps({30})), {.runs = 3}).risk;
  };
  for (const std::string batch : {"\nbatch = 7", "\nbatch = 40"}) {
    const Eigen::ArrayXXd sign = run("name = 'sign_svd'" + batch),
                          sgd = run("name = 'sgd'" + batch);
    EXPECT_TRUE((run("name = 'schatten'\nexponent = 0.0" + batch) == sign).all());
    EXPECT_LT((run("name = 'schatten'\nexponent = 1.0" + batch) / sgd - 1).abs().maxCoeff(), 1e-9);
    EXPECT_LT((run("name = 'regularized_svd'\nepsilon = 1e-9" + batch) / sign - 1).abs().maxCoeff(),
              1e-5);
    EXPECT_GT((run("name = 'schatten'\nexponent = 0.5" + batch) / sign - 1).abs().minCoeff(), 1e-3);
  }
}

TEST(MatrixSimulate, SignSgdSeesTheGivenBasisAndNotAnother) {
  const Eigen::ArrayXd lambda = Eigen::ArrayXd::LinSpaced(12, 1, 12).pow(-1.2);
  const auto run = [&](const Covariance& side, std::uint64_t seed) {
    return simulate(experiment(problem(side, side, 1, laplace_noise(0.2)),
                               "name = 'sign_sgd'\nbatch = 12", 0.02, steps({60})),
                    {.runs = 300, .seed = seed});
  };
  const Ensemble diagonal = run(from_eigenvalues(lambda, Orientation::diagonal), 1);
  const Ensemble given = run(from_matrix(lambda.matrix().asDiagonal().toDenseMatrix()), 2);
  const Ensemble generic = run(from_eigenvalues(lambda, Orientation::generic), 3);
  const auto gap = [](const Ensemble& a, const Ensemble& b) {
    return std::abs(a.mean[0] - b.mean[0]) / std::hypot(a.error[0], b.error[0]);
  };
  EXPECT_LT(gap(diagonal, given), 4);
  EXPECT_GT(gap(diagonal, generic), 10);
}

TEST(MatrixSimulate, TakesTheStepSizeOfEachStepFromTheSchedule) {
  // 1 x 1 without noise: SignSVD is the sign, and walks straight to the target.
  Experiment e = experiment(problem(isotropic(1), isotropic(1), 0.5), "name = 'sign_svd'", 1,
                            steps({0, 1, 2, 3, 4}));
  e.schedule = piecewise_schedule({0, 1, 3}, {0.1, 0.02, 0.2});
  const Eigen::ArrayXd delta = (2 * simulate(e, {.runs = 2}).risk.col(1)).sqrt();
  EXPECT_LT((delta - steps({1, 0.9, 0.88, 0.86, 0.66})).abs().maxCoeff(), 1e-13);
}

TEST(MatrixSimulate, CountsDivergedRunsAndStopsWhenTold) {
  const MatrixProblem p = problem(isotropic(8), isotropic(8), 1, gaussian_noise(0.1));
  const Ensemble e = simulate(experiment(p, "name = 'sgd'", 50, steps({0, 1, 1000})), {.runs = 3});
  EXPECT_EQ(e.diverged, 3);
  EXPECT_EQ(e.mean[2], INFINITY);
  const Experiment longer = experiment(p, "name = 'sign_svd'\nbatch = 16", 0.01, steps({0, 2000}));
  const Ensemble stopped = simulate(
      longer,
      {.runs = 1000, .threads = 2, .progress = [](double fraction) { return fraction < 1e-9; }});
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_LT(stopped.risk.cols(), 1000);
}

TEST(MatrixSimulate, RefusesWhatItCannotRun) {
  const MatrixProblem p = problem(isotropic(6), isotropic(6), 1);
  const auto refuses = [](const std::function<Experiment()>& e, const std::string& word) {
    try {
      simulate(e(), {.runs = 1});
      ADD_FAILURE() << "ran; expected a complaint about " << word;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refuses([&] { return experiment(p, "name = 'clipped_sgd'\nthreshold = 1", 0.1, steps({1})); },
          "sign_svd");
  refuses(
      [&] {
        return testing_problems::experiment(testing_problems::problem(isotropic(6), 1),
                                            "name = 'sign_svd'", 0.1, steps({1}));
      },
      "clipped_sgd");
  refuses([&] { return experiment(p, "name = 'sign_svd'\nexponent = 0.2", 0.1, steps({1})); },
          "exponent");
  refuses([&] { return experiment(p, "name = 'sgd'", 0.1, steps({1.5})); }, "1.5");
  refuses([&] { return experiment(p, "name = 'sgd'\nbatch = 100000000", 0.1, steps({1})); },
          "batch");
  refuses(
      [&] {
        return experiment(problem(isotropic(2e5), isotropic(2), 1), "name = 'sgd'", 0.1,
                          steps({1}));
      },
      "covariance_out");
  refuses(
      [&] {
        return experiment(problem(isotropic(2), power_law(7000, 0.1), 1), "name = 'sign_sgd'", 0.1,
                          steps({1}));
      },
      "6000");
  refuses(
      [&] {
        return experiment(problem(isotropic(2e4), isotropic(2e4), 1), "name = 'sgd'", 0.1,
                          steps({1}));
      },
      "1e8");
}

}  // namespace
}  // namespace riskcurve
