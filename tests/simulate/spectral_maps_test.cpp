// Maps of singular values as they are run, held to their definitions by an SVD of Eigen's.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <vector>

#include "problem/random.hpp"
#include "problems.hpp"
#include "riskcurve/simulate/simulate.hpp"
#include "simulate/chain.hpp"
#include "simulate/matrix_update.hpp"

namespace riskcurve {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd drawn_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  MatrixXd g(rows, columns);
  Random(seed, 0, 0).normals(g.data(), static_cast<std::size_t>(g.size()));
  return g;
}

/// U f(S) V^T, f of all positive singular values, the largest first.
template <class F>
MatrixXd by_eigen(const MatrixXd& g, Eigen::Index rank, const F& f) {
  const Eigen::JacobiSVD<MatrixXd> svd(g, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixU().leftCols(rank) * f(svd.singularValues().head(rank)).asDiagonal() *
         svd.matrixV().leftCols(rank).transpose();
}

/// By the path of a batch, and by that of a momentum.
template <class F>
void expect_maps(const MatrixUpdate& update, const F& f) {
  for (const auto& [rows, columns, batch] :
       std::vector<std::array<int, 3>>{{12, 9, 30}, {9, 12, 30}, {20, 16, 7}, {8, 8, 8}}) {
    const MatrixXd out = drawn_matrix(rows, batch, 1), in = drawn_matrix(columns, batch, 2);
    const VectorXd residual = drawn_matrix(batch, 1, 3);
    const MatrixBatch samples{out, in, residual};
    MatrixXd g = gradient(samples);
    const MatrixXd want = by_eigen(g, std::min({rows, columns, batch}), f);
    EXPECT_LT((update.compute(samples) - want).cwiseAbs().maxCoeff(), 1e-7) << rows << " " << batch;
    update.of_filtered(g);
    EXPECT_LT((g - want).cwiseAbs().maxCoeff(), 1e-7) << rows << " " << batch;
  }
}

TEST(SpectralMapUpdate, IsThatOfTheDefinition) {
  const MatrixProblem none;
  for (const double share : {0.0, 0.1, 0.25, 0.5, 0.9})
    expect_maps(update_of(TruncatedSvd{1, share}, none), [share](VectorXd s) {
      const auto dropped =
          static_cast<Eigen::Index>(std::ceil(share * static_cast<double>(s.size()) - 1e-9));
      s.head(dropped).setZero();
      s.tail(s.size() - dropped).setOnes();
      return s;
    });
  for (const double share : {0.0, 0.4, 1.0})
    expect_maps(update_of(MixedSvd{1, share}, none), [share](const VectorXd& s) {
      return VectorXd(((1 - share) + share * s.array() / s.norm()).matrix());
    });
  for (const double q : {-0.4, 0.0, 0.3, 1.0})
    expect_maps(update_of(Schatten{1, q}, none),
                [q](const VectorXd& s) { return VectorXd(s.array().pow(q).matrix()); });
  expect_maps(update_of(RegularizedSvd{1, 0.7}, none), [](const VectorXd& s) {
    return VectorXd((s.array() / (s.array().square() + 0.49).sqrt()).matrix());
  });
}

TEST(SpectralMapUpdate, KaonDrawsEverySingularValue) {
  const MatrixUpdate update = update_of(Kaon{1, UniformValues{0.5, 2.5}}, MatrixProblem{});
  const auto map = update.random_map(Random(4, 0, 0));
  double sum = 0, squares = 0, by_order = 0, count = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const MatrixXd g = drawn_matrix(9, 6, seed);
    const Eigen::JacobiSVD<MatrixXd> svd(g, Eigen::ComputeThinU | Eigen::ComputeThinV);
    MatrixXd x = g;
    map(x);
    const MatrixXd d = svd.matrixU().transpose() * x * svd.matrixV();
    EXPECT_LT((d - MatrixXd(d.diagonal().asDiagonal())).cwiseAbs().maxCoeff(), 1e-9);
    EXPECT_GE(d.diagonal().minCoeff(), 0.5 - 1e-9);
    EXPECT_LE(d.diagonal().maxCoeff(), 2.5 + 1e-9);
    sum += d.trace();
    squares += d.diagonal().squaredNorm();
    by_order += d(0, 0) - d(5, 5);
    count += 6;
  }
  const double deviation = 2 / std::sqrt(12.0);
  EXPECT_NEAR(sum / count, 1.5, 4 * deviation / std::sqrt(count));
  EXPECT_NEAR(squares / count, 2.25 + 4. / 12, 0.1);
  EXPECT_NEAR(by_order / 200, 0, 4 * deviation * std::sqrt(2. / 200));
}

Experiment small_experiment(const Optimizer& optimizer) {
  Experiment e;
  e.problem = make_problem(isotropic(6), isotropic(5), IsotropicTarget{1}, gaussian_noise(0.3));
  e.schedule = constant_schedule(0.05);
  e.run = {20, testing_problems::steps({5, 20})};
  e.optimizer = optimizer;
  return e;
}

TEST(RowNormalizedUpdate, GivesEveryRowALengthOfOne) {
  const MatrixUpdate update = update_of(RowNormalizedSgd{1}, MatrixProblem{});
  MatrixXd g = drawn_matrix(7, 5, 3);
  const MatrixXd given = g;
  g.row(2).setZero();
  update.map()(g);
  for (Eigen::Index i = 0; i < g.rows(); ++i)
    for (Eigen::Index j = 0; j < g.cols(); ++j)
      EXPECT_NEAR(g(i, j), i == 2 ? 0 : given(i, j) / given.row(i).norm(), 1e-15);
}

TEST(SpectralMapSimulate, KaonIsTheSameForAnyNumberOfThreads) {
  const Experiment e = small_experiment(Kaon{4});
  const Ensemble one = simulate(e, {.runs = 6, .threads = 1}),
                 two = simulate(e, {.runs = 6, .threads = 2});
  EXPECT_TRUE((one.risk == two.risk).all());
  EXPECT_NE(one.risk(1, 0), one.risk(1, 1));
}

TEST(SpectralMapSimulate, KaonOfOneNumberIsSignSvd) {
  for (const double momentum : {0.0, 0.8}) {
    Experiment kaon = small_experiment(Kaon{4, UniformValues{1, 1}}),
               signs = small_experiment(SignSvd{4});
    if (momentum > 0) kaon.chain.momentum = signs.chain.momentum = constant_schedule(momentum);
    const Ensemble a = simulate(kaon, {.runs = 3}), b = simulate(signs, {.runs = 3});
    EXPECT_LT((a.risk / b.risk - 1).abs().maxCoeff(), 1e-6) << momentum;
  }
}

TEST(SpectralMapSimulate, MapsThatSeeTheScaleAreGivenAnAverage) {
  // Of f(g) = g: momentum 0.75, gradients A, B.
  const MatrixXd a = drawn_matrix(4, 3, 1), b = drawn_matrix(4, 3, 2), zero = MatrixXd::Zero(4, 3);
  for (const bool nesterov : {false, true}) {
    Chain chain;
    chain.momentum = constant_schedule(0.75);
    chain.nesterov = nesterov;
    const Schedule gamma = constant_schedule(1);
    ChainRun<MatrixXd> run(chain, gamma, buffer_of(Schatten{1, 1}), {}, zero, {});
    MatrixXd m = zero, moved = zero;
    for (const MatrixXd& g : {a, b}) {
      run.step(&g == &a ? 0 : 1, [&](int, const MatrixXd&, MatrixXd& update) { update = g; });
      m = (0.75 * m + 0.25 * g).eval();
      moved -= nesterov ? MatrixXd(0.75 * m + 0.25 * g) : m;
    }
    EXPECT_LT((run.point() - moved).cwiseAbs().maxCoeff(), 1e-14) << nesterov;
  }
}

}  // namespace
}  // namespace riskcurve
