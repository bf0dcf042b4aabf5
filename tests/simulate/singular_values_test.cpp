#include "simulate/singular_values.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>
#include <vector>

#include "problem/random.hpp"
#include "simulate/blas.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

const SingularMap sign{[](double) { return 1.0; }, true};
const SingularMap root{[](double s) { return std::sqrt(s); }};
const SingularMap inverse_root{[](double s) { return 1 / std::sqrt(s); }};
const SingularMap regularized{[](double s) { return s / std::hypot(s, 0.3); }};

MatrixXd gaussian(Index rows, Index columns, std::uint64_t seed) {
  MatrixXd a(rows, columns);
  Random(seed, 0, 0).normals(a.data(), static_cast<std::size_t>(a.size()));
  return a;
}

/// The definition, by Eigen, which shares no code with LAPACK: (0 g; g^T 0) has the eigenvectors
/// (u; v)/sqrt 2 at the eigenvalues s > 0.
MatrixXd reference(const SingularMap& map, const MatrixXd& g, Index rank) {
  const Index rows = g.rows(), n = g.rows() + g.cols();
  MatrixXd both = MatrixXd::Zero(n, n);
  both.bottomLeftCorner(g.cols(), rows) = g.transpose();  // the lower half is read
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(both);
  const MatrixXd top = solver.eigenvectors().rightCols(rank);
  const Eigen::VectorXd f = solver.eigenvalues().tail(rank).unaryExpr(map.f);
  return 2 * top.topRows(rows) * f.asDiagonal() * top.bottomRows(g.cols()).transpose();
}

/// U diag(s) V^T with random orthonormal U, V.
MatrixXd with_singular_values(Index rows, Index columns, const Eigen::VectorXd& s) {
  MatrixXd u = gaussian(rows, s.size(), 31), v = gaussian(columns, s.size(), 32);
  thin_qr(u);
  thin_qr(v);
  return u * s.asDiagonal() * v.transpose();
}

MatrixXd mapped(const SingularMap& map, MatrixXd g) {
  map_singular_values(map, g);
  return g;
}

double relative(const MatrixXd& a, const MatrixXd& b) {
  return (a - b).norm() / b.norm();
}

/// ||P^T P - I|| on the smaller side.
double isometry_error(const MatrixXd& p) {
  const MatrixXd tall = p.rows() < p.cols() ? MatrixXd(p.transpose()) : p,
                 gram = tall.transpose() * tall;
  return (gram - MatrixXd::Identity(gram.rows(), gram.cols())).norm();
}

TEST(ThinQr, ReproducesTheMatrixFromOrthonormalColumns) {
  for (const auto& [rows, columns] : {std::pair{9, 9}, {60, 7}, {50, 1}}) {
    const MatrixXd a = gaussian(rows, columns, 1);
    MatrixXd q = a;
    const MatrixXd r = thin_qr(q);
    EXPECT_LT(relative(q * r, a), 1e-14);
    EXPECT_LT(isometry_error(q), 1e-13);
    EXPECT_TRUE(r.isUpperTriangular(0));
  }
}

TEST(PolarFactor, IsAnIsometryOfEveryShape) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {40, 40}, {90, 30}, {30, 90}, {1, 50}}) {
    const MatrixXd g = gaussian(rows, columns, 2), p = mapped(sign, g);
    EXPECT_LT(isometry_error(p), 1e-12);
    EXPECT_LT(relative(p, reference(sign, g, std::min(rows, columns))), 1e-10);
  }
}

// Condition numbers on both sides of the limit of the Gram matrix (3e5), and far beyond.
TEST(PolarFactor, SurvivesIllConditioning) {
  for (const double condition : {1e2, 1e5, 2e5, 5e5, 1e8, 1e12}) {
    const Eigen::VectorXd s = Eigen::ArrayXd::LinSpaced(24, 0, -std::log(condition)).exp().matrix();
    for (const auto& [rows, columns] : {std::pair{24, 24}, {50, 24}, {24, 50}}) {
      const MatrixXd g = with_singular_values(rows, columns, s), p = mapped(sign, g);
      // One Newton-Schulz step squares the 2^-52 k^2 the Gram matrix leaves: 1e-10 at its limit.
      EXPECT_LT(isometry_error(p), condition < 3.2e5 ? 1e-11 : 1e-12) << condition;
      // The factor itself: to 2^-52 k^2 by the Gram matrix, to roundoff times k by the SVD.
      const double bound = condition < 3.2e5 ? 0x1p-52 * condition * condition : 1e-14 * condition;
      EXPECT_LT(relative(p, reference(sign, g, 24)), bound + 1e-11) << condition;
    }
  }
}

TEST(PolarFactor, DoesNotDependOnTheScaleOfTheGradient) {
  const MatrixXd g = gaussian(20, 30, 3), p = mapped(sign, g);
  for (const double scale : {1e-200, 1e-3, 1e200})
    EXPECT_LT(relative(mapped(sign, scale * g), p), 1e-12);
}

TEST(SingularMap, MatchesTheDefinitionForEveryFunction) {
  for (const SingularMap& map : {root, inverse_root, regularized})
    for (const double condition : {3.0, 1e3, 9e3, 2e4, 1e6})
      for (const auto& [rows, columns] : {std::pair{24, 24}, {50, 24}, {24, 50}}) {
        const Eigen::VectorXd s =
            2 * Eigen::ArrayXd::LinSpaced(24, 0, -std::log(condition)).exp().matrix();
        const MatrixXd g = with_singular_values(rows, columns, s);
        EXPECT_LT(relative(mapped(map, g), reference(map, g, 24)), 1e-8) << condition;
      }
}

TEST(SingularMap, DropsZeroSingularValuesAndKeepsZeroAndNan) {
  const Eigen::VectorXd s = Eigen::ArrayXd::LinSpaced(7, 3, 1).matrix();
  for (const SingularMap& map : {sign, root, inverse_root, regularized})
    for (const auto& [rows, columns] : {std::pair{20, 20}, {40, 20}, {20, 40}}) {
      const MatrixXd g = with_singular_values(rows, columns, s);
      EXPECT_LT(relative(mapped(map, g), reference(map, g, 7)), 1e-10);
      EXPECT_EQ(mapped(map, MatrixXd::Zero(rows, columns)), MatrixXd::Zero(rows, columns));
      MatrixXd bad = g;
      bad(3, 2) = std::nan("");
      EXPECT_TRUE(mapped(map, bad).array().isNaN().all());
    }
}

TEST(Blas, GivesTheSameNumbersToThreadsAtOnce) {
  const MatrixXd a = gaussian(150, 150, 7), w = gaussian(200, 60, 8);
  const auto everything = [&] {
    MatrixXd q = w, vectors = lower_gram(a, Side::left);
    const MatrixXd r = thin_qr(q);
    const double sums[] = {(q * r).sum() + q.sum(), eigen_decompose(vectors).sum() + vectors.sum(),
                           thin_svd(a.leftCols(40)).u.sum(),
                           multiply_symmetric(vectors, a, Side::right).sum(),
                           multiply(a, Transpose::yes, a, Transpose::no).sum()};
    return Eigen::Map<const Eigen::Array<double, 5, 1>>(sums).eval();
  };
  const Eigen::Array<double, 5, 1> alone = everything();
  std::atomic<int> different = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) different += (everything() != alone).any();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

// B below, at and above both sides; below both, G is never formed.
TEST(SingularMap, OfABatchIsThatOfItsGradientAlsoWhereItHasLowRank) {
  for (const auto& [rows, columns] : {std::pair{30, 30}, {45, 30}, {30, 45}})
    for (const Index batch : {1, 2, 15, 29, 30, 37, 80})
      for (const SingularMap& map : {sign, root, inverse_root, regularized}) {
        // Spectra of a power law, and one sample that outweighs the rest.
        MatrixXd out = gaussian(rows, batch, 4), in = gaussian(columns, batch, 5);
        out.array().colwise() *= Eigen::ArrayXd::LinSpaced(rows, 1, rows).pow(-0.5);
        in.array().colwise() *= Eigen::ArrayXd::LinSpaced(columns, 1, columns).pow(-0.5);
        Eigen::VectorXd residual = gaussian(batch, 1, 6);
        residual[0] *= 1e3;
        const MatrixXd g =
            out * residual.asDiagonal() * in.transpose() / static_cast<double>(batch);
        const Index rank = std::min({batch, Index{rows}, Index{columns}});
        const MatrixXd p = map_singular_values(map, MatrixBatch{out, in, residual});
        EXPECT_LT(relative(p, reference(map, g, rank)), 1e-7) << rows << columns << batch;
        if (!map.polar) continue;
        // A partial isometry of that rank.
        EXPECT_LT((p * p.transpose() * p - p).norm(), 1e-12);
        EXPECT_NEAR(p.squaredNorm(), static_cast<double>(rank), 1e-11);
      }
}

}  // namespace
}  // namespace riskcurve
