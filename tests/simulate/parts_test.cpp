#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "problem/random.hpp"
#include "problems.hpp"
#include "simulate/source.hpp"
#include "simulate/update.hpp"

namespace riskcurve {
namespace {

using testing_problems::experiment;
using testing_problems::problem;

RowMatrix draw(const Source& source, Eigen::Index count, Eigen::VectorXd& epsilon) {
  RowMatrix latent(count, source.latent), x(count, source.dimension);
  epsilon.resize(count);
  Random samples(9, 0, 0, Purpose::samples), noise(9, 0, 0, Purpose::label_noise);
  source.draw(samples, noise, 0, count, latent, epsilon);
  if (!source.colour) return latent;
  source.colour(latent, x);
  return x;
}

// The covariance that `risk` measures with, read off from it.
Eigen::MatrixXd covariance_of_risk(const Source& source) {
  const Eigen::Index d = source.dimension;
  Eigen::MatrixXd k(d, d);
  const auto e = [&](Eigen::Index i) { return Eigen::VectorXd(Eigen::VectorXd::Unit(d, i)); };
  for (Eigen::Index i = 0; i < d; ++i)
    for (Eigen::Index j = 0; j < d; ++j)
      k(i, j) = source.risk(e(i) + e(j)) - source.risk(e(i)) - source.risk(e(j));
  return k;
}

TEST(HaarOrthogonal, IsOrthogonalWithTheMomentsOfHaar) {
  constexpr int d = 6, n = 4000;
  double trace = 0, trace2 = 0, trace4 = 0, square_trace = 0, corner4 = 0, positive = 0;
  for (int seed = 0; seed < n; ++seed) {
    const Eigen::MatrixXd q = haar_orthogonal(d, static_cast<std::uint64_t>(seed));
    ASSERT_LT((q.transpose() * q - Eigen::MatrixXd::Identity(d, d)).norm(), 1e-13);
    const double t = q.trace();
    trace += t / n;
    trace2 += t * t / n;
    trace4 += std::pow(t, 4) / n;
    square_trace += (q * q).trace() / n;
    corner4 += std::pow(q(d - 1, 0), 4) / n;
    positive += q.determinant() > 0;
  }
  // Diaconis and Shahshahani (1994): moments of tr Q and tr Q^2 are the Gaussian's; five standard
  // errors.
  const double root = std::sqrt(n);
  EXPECT_NEAR(trace, 0, 5 / root);
  EXPECT_NEAR(trace2, 1, 5 * std::sqrt(2) / root);
  EXPECT_NEAR(trace4, 3, 5 * std::sqrt(96) / root);
  EXPECT_NEAR(square_trace, 1, 5 * std::sqrt(2) / root);
  EXPECT_NEAR(corner4, 3.0 / (d * (d + 2)), 5 * 0.13 / root);
  EXPECT_NEAR(positive, n / 2, 5 * root / 2);
}

TEST(Source, SamplesHaveTheCovarianceOfTheRisk) {
  constexpr Eigen::Index n = 100000;
  for (const Covariance& covariance :
       {power_law(5, 0.5, Orientation::generic), spiked(5, Eigen::Array2d(3, 2), 0), ar1(5, 0.7)}) {
    const VectorProblem p = problem(covariance, 1, gaussian_noise(0.5));
    for (const Source& source : {factor_source(p, 4), eigen_source(p)}) {
      const Eigen::MatrixXd k = covariance_of_risk(source);
      Eigen::VectorXd epsilon;
      const RowMatrix x = draw(source, n, epsilon);
      const Eigen::MatrixXd sample = x.transpose() * x / static_cast<double>(n);
      for (Eigen::Index i = 0; i < 5; ++i)
        for (Eigen::Index j = 0; j < 5; ++j) {
          const double variance = k(i, i) * k(j, j) + k(i, j) * k(i, j);
          EXPECT_NEAR(sample(i, j), k(i, j), 5 * std::sqrt(variance / n) + 1e-12);
        }
      EXPECT_NEAR(epsilon.squaredNorm() / n, 0.25, 5 * 0.25 * std::sqrt(2.0 / n));
      const Eigen::VectorXd values =
          Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(k).eigenvalues().reverse();
      EXPECT_LT((values.array() - p.covariance.spectrum.expand()).abs().maxCoeff(), 1e-12);
    }
  }
}

TEST(Source, OfAGivenMatrixMeasuresAndSamplesThatMatrix) {
  const Covariance covariance = ar1(5, 0.7);
  const Source source = factor_source(problem(covariance, 1), 4);
  EXPECT_LT((covariance_of_risk(source) - *covariance.matrix).norm(), 1e-12);
}

TEST(Source, TakesAGivenInitialErrorAsItIs) {
  VectorProblem p = problem(ar1(4, 0.7), 1);
  p.initial_error = Eigen::Vector4d(1, -2, 0.5, 3);
  const double risk = 0.5 * p.initial_error->dot(*p.covariance.matrix * *p.initial_error);
  Random random(1, 0, 0, Purpose::start);
  const Source factor = factor_source(p, 1), eigen = eigen_source(p);
  EXPECT_EQ(factor.initial(random), *p.initial_error);
  EXPECT_NEAR(factor.risk(factor.initial(random)), risk, 1e-12);
  EXPECT_NEAR(eigen.risk(eigen.initial(random)), risk, 1e-12);
}

TEST(Source, DrawsTheSignsOfAFreeInitialErrorPerRun) {
  const Source source = eigen_source(problem(power_law(100, 0.5), 1));
  Random one(1, 0, 0, Purpose::start), two(1, 1, 0, Purpose::start);
  const Eigen::VectorXd a = source.initial(one), b = source.initial(two);
  EXPECT_EQ(a.cwiseAbs(), b.cwiseAbs());
  const auto same = (a.array() == b.array()).count();
  EXPECT_GT(same, 25);  // five standard deviations about 50
  EXPECT_LT(same, 75);
}

TEST(Source, DrawsRowsUniformlyWithTheirOwnResiduals) {
  Eigen::MatrixXd x(3, 1);
  x << -1, 0.5, 2;
  const Eigen::Array3d residuals(10, 20, 30);
  const Source source =
      row_source(testing_problems::rows_problem(x, Eigen::VectorXd::Ones(1), residuals));
  constexpr Eigen::Index n = 30000;
  Eigen::VectorXd epsilon;
  const RowMatrix drawn = draw(source, n, epsilon);
  for (Eigen::Index row = 0; row < 3; ++row) {
    const auto here = drawn.col(0).array() == x(row, 0);
    EXPECT_NEAR(static_cast<double>(here.count()), n / 3.0, 5 * std::sqrt(n * 2 / 9.0));
    EXPECT_TRUE((!here || epsilon.array() == residuals[row]).all());
  }
}

Eigen::VectorXd compute(const Update& update, const RowMatrix& x, const Eigen::VectorXd& residual,
                        double k = 0) {
  Eigen::VectorXd result(x.cols());
  update.compute(k, {x, residual}, result);
  if (update.map) update.map()(result);
  return result;
}

TEST(ClippedSgdUpdate, NeverExceedsTheThreshold) {
  const Covariance covariance = power_law(12, 0.3);
  const double unit = std::sqrt(covariance.spectrum.trace());
  for (const std::string clip : {"sample", "batch"}) {
    const Update update =
        update_of(ClippedSgd{3, piecewise_schedule({0, 5}, {0.4, 0.1}),
                             clip == "batch" ? ClippedSgd::Clip::batch : ClippedSgd::Clip::sample},
                  problem(covariance, 1));
    Random random(2, 0, 0);
    for (int trial = 0; trial < 200; ++trial) {
      RowMatrix x(3, 12);
      Eigen::VectorXd residual(3);
      random.normals(x.data(), 36);
      random.normals(residual.data(), 3);
      residual *= std::pow(10, trial % 5 - 2);
      for (const double k : {4.0, 5.0}) {
        const double limit = (k < 5 ? 0.4 : 0.1) * unit;
        EXPECT_LE(compute(update, x, residual, k).norm(), limit * (1 + 1e-12));
        if (clip == "batch" && (x.transpose() * residual).norm() / 3 > limit) {
          EXPECT_NEAR(compute(update, x, residual, k).norm(), limit, 1e-12 * limit);
        }
      }
    }
    // A vanishing gradient is no division by zero.
    EXPECT_EQ(compute(update, RowMatrix::Ones(3, 12), Eigen::VectorXd::Zero(3)).norm(), 0);
  }
}

TEST(SignSgdUpdate, IsTheSignOfTheBatchGradientWithSignZeroZero) {
  const Update update = update_of(SignSgd{2}, problem(isotropic(3), 1));
  RowMatrix x(2, 3);
  x << 1, -2, 1, 3, 1, -1;
  EXPECT_EQ(compute(update, x, Eigen::Vector2d(1, 1)), Eigen::Vector3d(1, -1, 0));
  EXPECT_EQ(compute(update, x, Eigen::Vector2d(-4, 1e-300)), Eigen::Vector3d(-1, 1, -1));
}

TEST(SgdUpdate, IsTheBatchMeanOfTheGradients) {
  const Update update = update_of(Sgd{2}, problem(isotropic(3), 1));
  RowMatrix x(2, 3);
  x << 1, -2, 1, 3, 1, -1;
  EXPECT_LT((compute(update, x, Eigen::Vector2d(2, 1)) - Eigen::Vector3d(2.5, -1.5, 0.5)).norm(),
            1e-15);
}

}  // namespace
}  // namespace riskcurve
