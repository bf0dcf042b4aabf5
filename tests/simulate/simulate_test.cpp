#include "riskcurve/simulate/simulate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "problems.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using testing_problems::experiment;
using testing_problems::problem;
using testing_problems::rows_problem;
using testing_problems::steps;

constexpr double inf = std::numeric_limits<double>::infinity();

const std::vector<std::string> optimizers = {
    "name = 'sgd'\nbatch = 3", "name = 'sign_sgd'\nbatch = 3",
    "name = 'clipped_sgd'\nbatch = 3\nthreshold = 0.5",
    "name = 'clipped_sgd'\nbatch = 3\nthreshold = 0.5\nclip = 'batch'",
    "name = 'preconditioned_sgd'\nbatch = 3\nexponent = 0.5"};

struct Named {
  std::string name;
  VectorProblem problem;
};

Eigen::MatrixXd some_rows() {
  Eigen::MatrixXd x(5, 3);
  x << 1, 2, -1, 0.5, -1, 2, -2, 0.3, 0.7, 1.5, 1.5, 0.2, -0.4, -0.8, 1.1;
  return x;
}

std::vector<Named> problems() {
  const NoiseLaw noise = laplace_noise(0.3);
  return {{"isotropic", problem(isotropic(40), 0.7, noise)},
          {"diagonal", problem(power_law(50, 0.4, Orientation::diagonal), 0.7, noise)},
          {"generic", problem(power_law(50, 0.4, Orientation::generic), 0.7, noise)},
          {"spiked", problem(spiked(30, Eigen::Array2d(4, 2), 0), 0.7, noise)},
          {"given", problem(ar1(40, 0.6), 0.7, noise)},
          {"rows", rows_problem(some_rows(), Eigen::Vector3d(1, -0.5, 0.2),
                                (Eigen::ArrayXd(5) << 0.1, -0.3, 0.2, 0.05, -0.6).finished())}};
}

TEST(Simulate, IsBitIdenticalForAnyThreadCount) {
  for (const Named& p : problems())
    for (const std::string& optimizer : optimizers) {
      const Experiment e = experiment(p.problem, optimizer, 0.01, steps({0, 7, 300}));
      const Ensemble one = simulate(e, {.runs = 7, .seed = 5, .threads = 1});
      for (const int threads : {2, 3}) {
        const Ensemble many = simulate(e, {.runs = 7, .seed = 5, .threads = threads});
        EXPECT_TRUE((one.risk == many.risk).all()) << p.name << " " << optimizer;
        EXPECT_TRUE((one.mean == many.mean).all() && (one.error == many.error).all());
      }
      const Ensemble other = simulate(e, {.runs = 7, .seed = 6, .threads = 1});
      EXPECT_FALSE((one.risk.row(2) == other.risk.row(2)).any()) << p.name << " " << optimizer;
    }
}

TEST(Simulate, RecordingMoreStepsOrRunningMoreRunsChangesNothing) {
  for (const Named& p : problems()) {
    const auto run = [&](const Eigen::ArrayXd& at, int runs) {
      return simulate(experiment(p.problem, optimizers[1], 0.01, at), {.runs = runs}).risk;
    };
    const Eigen::ArrayXXd few = run(steps({100}), 2), many = run(steps({0, 13, 100, 101}), 5);
    EXPECT_TRUE((few.row(0) == many.row(2).head(2)).all()) << p.name;
  }
}

TEST(Simulate, StartsAtExactlyTheInitialRisk) {
  for (const Named& p : problems())
    for (const std::string& optimizer : optimizers) {
      const Ensemble e = simulate(experiment(p.problem, optimizer, 0.01, steps({0})), {.runs = 3});
      double risk = p.problem.initial_risk();
      if (p.problem.covariance.rows) {
        const Eigen::MatrixXd& x = p.problem.covariance.rows->x;
        risk = 0.5 * (x * *p.problem.initial_error).squaredNorm() / static_cast<double>(x.rows());
      }
      for (const double r : e.risk.row(0)) EXPECT_NEAR(r, risk, 1e-12 * risk) << p.name;
    }
}

// What optimizer.hpp says each algorithm does, written once more.
Eigen::VectorXd update(int kind, const Eigen::MatrixXd& x, const Eigen::VectorXd& residual,
                       double limit) {
  const auto b = static_cast<double>(x.rows());
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(x.cols());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    Eigen::VectorXd g = residual[i] * x.row(i).transpose();
    if (kind == 2) g *= std::min(1.0, limit / g.norm());
    sum += g;
  }
  if (kind == 1) return sum.cwiseSign();
  if (kind == 3) return sum / b * std::min(1.0, limit / (sum / b).norm());
  return sum / b;
}

struct Moments {
  double first = 0, second = 0, fourth = 0;
};

// Exact moments of R after the steps, by enumeration of every batch that can be drawn.
void enumerate(const VectorProblem& p, int kind, int b, int left, double gamma, double limit,
               const Eigen::VectorXd& delta, double weight, Moments& moments) {
  const Eigen::MatrixXd& rows = p.covariance.rows->x;
  const Eigen::Index n = rows.rows();
  if (left == 0) {
    const double risk = 0.5 * (rows * delta).squaredNorm() / static_cast<double>(n);
    moments.first += weight * risk;
    moments.second += weight * risk * risk;
    moments.fourth += weight * std::pow(risk, 4);
    return;
  }
  const auto batches = static_cast<Eigen::Index>(std::pow(n, b));
  for (Eigen::Index code = 0; code < batches; ++code) {
    Eigen::MatrixXd x(b, rows.cols());
    Eigen::VectorXd residual(b);
    for (Eigen::Index i = 0, rest = code; i < b; ++i, rest /= n) {
      x.row(i) = rows.row(rest % n);
      residual[i] = x.row(i).dot(delta) - (*p.row_residuals)[rest % n];
    }
    enumerate(p, kind, b, left - 1, gamma, limit, delta - gamma * update(kind, x, residual, limit),
              weight / static_cast<double>(batches), moments);
  }
}

TEST(Simulate, MatchesTheExactMomentsOfTheRiskOverAllBatchesOfRows) {
  const VectorProblem p = problems().back().problem;
  const double gamma = 0.15;
  const std::string names[] = {"sgd", "sign_sgd", "clipped_sgd", "clipped_sgd"};
  for (int kind = 0; kind < 4; ++kind)
    for (const auto& [b, count] : {std::pair{1, 3}, {3, 1}}) {
      const double limit = 0.5 * std::sqrt(p.covariance.spectrum.trace());
      Moments exact;
      enumerate(p, kind, b, count, gamma, limit, *p.initial_error, 1, exact);

      const std::string optimizer = "name = '" + names[kind] + "'\nbatch = " + std::to_string(b) +
                                    (kind >= 2 ? "\nthreshold = 0.5" : "") +
                                    (kind == 3 ? "\nclip = 'batch'" : "");
      const int runs = 20000;
      const Ensemble e =
          simulate(experiment(p, optimizer, gamma, steps({double(count)})), {.runs = runs});
      const double error = std::sqrt((exact.second - exact.first * exact.first) / runs);
      EXPECT_NEAR(e.mean[0], exact.first, 4 * error) << optimizer;
      EXPECT_NEAR(e.error[0], error, 0.05 * error) << optimizer;
      const double second_error = std::sqrt((exact.fourth - exact.second * exact.second) / runs);
      EXPECT_NEAR(e.risk.square().mean(), exact.second, 4 * second_error) << optimizer;
    }
}

TEST(Simulate, OneSgdStepHasItsExactMeanInEveryOrientation) {
  // x Gaussian, Delta' = Delta - gamma (1/b) sum l_i x_i, by Wick's theorem:
  // E R' = R - gamma D K^2 D + gamma^2/2 [ (P2 tr K^2 + 2 D K^3 D)/b + (1 - 1/b) D K^3 D ],
  // P2 = D K D + E epsilon^2.
  const double gamma = 0.2;
  const int b = 2, runs = 40000;
  for (const Covariance& covariance :
       {power_law(6, 0.4, Orientation::diagonal), power_law(6, 0.4, Orientation::generic),
        isotropic(6, 0.5), ar1(6, 0.5)}) {
    const VectorProblem p = problem(covariance, 0.7, uniform_noise(0.9));
    const Eigen::ArrayXd lambda = p.covariance.spectrum.value;
    const Eigen::ArrayXd square = p.initial, mass = p.covariance.spectrum.multiplicity;
    const double d1 = (lambda * square).sum(), d2 = (lambda.pow(2) * square).sum(),
                 d3 = (lambda.pow(3) * square).sum(), k2 = (lambda.square() * mass).sum();
    const double want =
        0.5 * d1 - gamma * d2 +
        0.5 * gamma * gamma * (((d1 + p.noise.variance) * k2 + 2 * d3) / b + (1 - 1.0 / b) * d3);
    const Ensemble e = simulate(experiment(p, "name = 'sgd'\nbatch = 2", gamma, steps({1})),
                                {.runs = runs, .seed = 3});
    EXPECT_NEAR(e.mean[0], want, 4 * e.error[0]) << covariance.kind;
    EXPECT_LT(e.error[0], 0.01 * want);
  }
}

TEST(Simulate, SignSgdSeesTheGivenBasisAndNotAnother) {
  // A diagonal K given as a matrix is the diagonal orientation; a generic basis is another law.
  const Eigen::ArrayXd lambda = Eigen::ArrayXd::LinSpaced(20, 1, 20).pow(-1.2);
  const auto run = [&](const Covariance& covariance, std::uint64_t seed) {
    const VectorProblem p = problem(covariance, 1, laplace_noise(0.2));
    return simulate(experiment(p, "name = 'sign_sgd'", 0.02, steps({100})),
                    {.runs = 2000, .seed = seed});
  };
  const Ensemble diagonal = run(from_eigenvalues(lambda, Orientation::diagonal), 1);
  const Ensemble given = run(from_matrix(lambda.matrix().asDiagonal().toDenseMatrix()), 2);
  const Ensemble generic = run(from_eigenvalues(lambda, Orientation::generic), 3);
  const auto gap = [](const Ensemble& a, const Ensemble& b) {
    return std::abs(a.mean[0] - b.mean[0]) / std::hypot(a.error[0], b.error[0]);
  };
  EXPECT_LT(gap(diagonal, given), 4);
  EXPECT_GT(gap(diagonal, generic), 20);
}

TEST(Simulate, SignSgdMovesEveryCoordinateByExactlyGamma) {
  // K = I, Delta_j = +-delta: 2R' = sum (delta +- gamma)^2, so that the excess counts signs.
  const double d = 40, gamma = 0.013, delta = std::sqrt(2 * 0.7 / d);
  const VectorProblem p = problem(isotropic(d), 0.7, student_t_noise(1, 0.5));
  const Ensemble e = simulate(experiment(p, "name = 'sign_sgd'", gamma, steps({1})), {.runs = 50});
  for (const double risk : e.risk.row(0)) {
    const double signs = (2 * risk - d * delta * delta - d * gamma * gamma) / (2 * delta * gamma);
    const double minus = (d - signs) / 2;
    EXPECT_NEAR(minus, std::round(minus), 1e-9);
    EXPECT_GE(minus, -1e-9);
    EXPECT_LE(minus, d + 1e-9);
  }
}

TEST(Simulate, TakesTheStepSizeOfEachStepFromTheSchedule) {
  // In one dimension and without noise SignSGD walks straight to the target: no randomness is left.
  const VectorProblem p = problem(isotropic(1), 0.5);
  Experiment e = experiment(p, "name = 'sign_sgd'", 1, steps({0, 1, 2, 3, 4, 5}));
  e.schedule = piecewise_schedule({0, 1, 3}, {0.1, 0.02, 0.2});
  const Eigen::ArrayXd delta = (2 * simulate(e, {.runs = 2}).risk.col(1)).sqrt();
  const Eigen::ArrayXd want = steps({1, 0.9, 0.88, 0.86, 0.66, 0.46});
  EXPECT_LT((delta - want).abs().maxCoeff(), 1e-14);
}

TEST(Simulate, ClippingAtAHugeThresholdIsSgd) {
  const VectorProblem p = problem(power_law(30, 0.4), 1, gaussian_noise(0.5));
  const auto run = [&](const std::string& optimizer) {
    return simulate(experiment(p, optimizer, 0.05, steps({200})), {.runs = 4}).risk;
  };
  const Eigen::ArrayXXd sgd = run("name = 'sgd'\nbatch = 4");
  for (const std::string clip : {"sample", "batch"}) {
    const Eigen::ArrayXXd clipped =
        run("name = 'clipped_sgd'\nbatch = 4\nthreshold = 1e6\nclip = '" + clip + "'");
    EXPECT_LT((clipped / sgd - 1).abs().maxCoeff(), 1e-11) << clip;
  }
}

TEST(Simulate, CauchyNoiseDoesNotBreakOptimizersWithBoundedUpdates) {
  const VectorProblem p = problem(power_law(30, 0.4), 1, student_t_noise(1, 0.2));
  for (std::size_t i = 1; i + 1 < optimizers.size(); ++i) {  // the first and the last are linear
    const Ensemble e = simulate(experiment(p, optimizers[i], 0.02, steps({2000})), {.runs = 20});
    EXPECT_EQ(e.diverged, 0) << optimizers[i];
    EXPECT_LT(e.mean[0], 0.5) << optimizers[i];
  }
  const Ensemble heavy = simulate(experiment(problem(isotropic(10), 1, student_t_noise(0.1, 1)),
                                             optimizers[1], 0.01, steps({500})),
                                  {.runs = 20});
  EXPECT_TRUE(heavy.risk.isFinite().all());
}

TEST(Simulate, CountsDivergedRunsAndSetsTheirRiskToInfinity) {
  const VectorProblem p = problem(isotropic(20), 1, gaussian_noise(0.1));
  const Ensemble e =
      simulate(experiment(p, "name = 'sgd'", 50, steps({0, 1, 2000, 4000})), {.runs = 3});
  EXPECT_EQ(e.diverged, 3);
  EXPECT_TRUE(e.risk.topRows(2).isFinite().all());
  EXPECT_TRUE((e.risk.bottomRows(2) == inf).all());
  EXPECT_EQ(e.mean[3], inf);
  EXPECT_EQ(e.error[3], inf);
  EXPECT_TRUE(std::isfinite(e.error[1]));
}

TEST(Simulate, MeanAndErrorAreThoseOfTheRuns) {
  const VectorProblem p = problem(isotropic(20), 1, gaussian_noise(0.1));
  const Ensemble e = simulate(experiment(p, "name = 'sgd'", 0.01, steps({0, 50})), {.runs = 3});
  const Eigen::ArrayXd r = e.risk.row(1).transpose();
  const double mean = (r[0] + r[1] + r[2]) / 3;
  EXPECT_DOUBLE_EQ(e.mean[1], mean);
  EXPECT_NEAR(e.error[1], std::sqrt((r - mean).square().sum() / 2 / 3), 1e-15);
  EXPECT_TRUE(
      std::isnan(simulate(experiment(p, "name = 'sgd'", 0.01, steps({50})), {.runs = 1}).error[0]));
}

TEST(Simulate, ReportsProgressAndStopsWhenTold) {
  const VectorProblem p = problem(isotropic(200), 1, gaussian_noise(0.1));
  const Experiment e = experiment(p, "name = 'sgd'\nbatch = 8", 0.01, steps({0, 4000}));
  std::vector<double> fractions;
  const auto note = [&](double fraction) {
    fractions.push_back(fraction);
    return true;
  };
  const Ensemble whole = simulate(e, {.runs = 4, .threads = 2, .progress = note});
  EXPECT_FALSE(whole.interrupted);
  ASSERT_FALSE(fractions.empty());
  EXPECT_EQ(fractions.back(), 1);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));

  const Ensemble stopped = simulate(
      e, {.runs = 1000, .threads = 2, .progress = [](double fraction) { return fraction < 1e-9; }});
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_LT(stopped.risk.cols(), 1000);
  EXPECT_TRUE(stopped.risk.isFinite().all());
}

TEST(Simulate, PreconditionedSgdOfAMultipleOfTheIdentityIsSgdAtAnotherStep) {
  const VectorProblem p = problem(isotropic(30, 0.25), 0.7, laplace_noise(0.3));
  const auto at = steps({0, 50});
  const auto run = [&](const std::string& optimizer, double step) {
    return simulate(experiment(p, optimizer, step, at), {.runs = 3}).risk;
  };
  // 0.25^(1/2 - 1) = 2
  const Eigen::ArrayXXd own = run("name = 'preconditioned_sgd'\nexponent = 0.5", 0.01);
  EXPECT_LT((own / run("name = 'sgd'", 0.02) - 1).abs().maxCoeff(), 1e-12);
}

TEST(Simulate, PreconditionedSgdOnRowsMovesByThePowerOfTheirCovariance) {
  // The natural gradient of one row moves Delta by K^-1 x l: after a step the risk is one of five.
  const VectorProblem p =
      rows_problem(some_rows(), Eigen::Vector3d(1, -0.5, 0.2), Eigen::ArrayXd::Zero(5));
  const Experiment e =
      experiment(p, "name = 'preconditioned_sgd'\nexponent = 0.0", 0.05, steps({0, 1}));
  const Ensemble runs = simulate(e, {.runs = 40});
  const Eigen::MatrixXd x = some_rows(), k = x.transpose() * x / 5;
  for (Eigen::Index r = 0; r < runs.risk.cols(); ++r) {
    double nearest = inf;
    for (Eigen::Index i = 0; i < 5; ++i) {
      const Eigen::Vector3d delta = *p.initial_error;
      const Eigen::Vector3d row = x.row(i).transpose();
      const Eigen::Vector3d after = delta - 0.05 * row.dot(delta) * k.ldlt().solve(row);
      nearest = std::min(nearest, std::abs(0.5 * after.dot(k * after) / runs.risk(1, r) - 1));
    }
    EXPECT_LT(nearest, 1e-9);
  }
}

TEST(Simulate, RefusesWhatItCannotRun) {
  const VectorProblem p = problem(isotropic(20), 1);
  const auto refuses = [](const std::function<Experiment()>& e, const std::string& word,
                          const SimulateOptions& options = {.runs = 1}) {
    try {
      simulate(e(), options);
      ADD_FAILURE() << "ran; expected a complaint about " << word;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refuses([&] { return experiment(p, "name = 'adamax'", 0.1, steps({1})); }, "adamax");
  refuses([&] { return experiment(p, "name = 'sgd'\nbach = 2", 0.1, steps({1})); }, "bach");
  refuses([&] { return experiment(p, "name = 'sgd'", 0.1, steps({1.5})); }, "1.5");
  refuses([&] { return experiment(p, "name = 'sgd'", 0.1, steps({2, 1})); }, "increasing");
  refuses([&] { return experiment(p, "name = 'sgd'", 0.1, steps({1})); }, "runs", {.runs = 0});
  refuses([&] { return experiment(p, "name = 'sgd'", 0.1, steps({1})); }, "threads",
          {.threads = -1});
  refuses([&] { return experiment(p, "name = 'sgd'\nbatch = 100000000", 0.1, steps({1})); },
          "batch");
  refuses([&] { return experiment(problem(isotropic(1e6), 1), "name = 'sgd'", 0.1, steps({1})); },
          "100000");
  refuses(
      [&] {
        return experiment(problem(power_law(7000, 0.4), 1), "name = 'sign_sgd'", 0.1, steps({1}));
      },
      "6000");
  refuses(
      [&] { return experiment(problem(power_law(5e4, 0.4), 1), "name = 'sgd'", 0.1, steps({1})); },
      "eigenvalue by eigenvalue");
}

}  // namespace
}  // namespace riskcurve
