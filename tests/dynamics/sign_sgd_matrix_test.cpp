// SignSGD on the matrix problem in exact orientation, against the vector problem of the Kronecker
// product, whose arcsine of the full correlation matrix is taken entry by entry. phi_B apart.
#include <gtest/gtest.h>

#include <cmath>
#include <unsupported/Eigen/KroneckerProduct>

#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;

MatrixXd normals(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed, 0, 0);
  MatrixXd m(rows, columns);
  random.normals(m.data(), static_cast<std::size_t>(m.size()));
  return m;
}

/// K in coordinates; diagonal orientation: its eigenvalues.
MatrixXd in_coordinates(const Covariance& c) {
  return c.matrix ? *c.matrix : MatrixXd(c.spectrum.expand().matrix().asDiagonal());
}
MatrixXd vectors(const Covariance& c) {
  const auto n = static_cast<Eigen::Index>(c.dimension());
  return c.eigenvectors ? *c.eigenvectors : MatrixXd::Identity(n, n);
}

/// Both problems with the same Delta_0, `error` in coordinates.
MatrixProblem matrix_problem(const Covariance& out, const Covariance& in, const MatrixXd& error) {
  MatrixProblem problem{out, in, gaussian_noise(0.3), {}, {}};
  problem.initial_error = vectors(out).transpose() * error * vectors(in);
  Eigen::ArrayXXd squares(out.spectrum.size(), in.spectrum.size());
  for (Eigen::Index i = 0; i < out.spectrum.size(); ++i)
    for (Eigen::Index j = 0; j < in.spectrum.size(); ++j)
      squares(i, j) = problem.initial_error
                          ->block(Eigen::Index(out.spectrum.first[i]) - 1,
                                  Eigen::Index(in.spectrum.first[j]) - 1,
                                  Eigen::Index(out.spectrum.multiplicity[i]),
                                  Eigen::Index(in.spectrum.multiplicity[j]))
                          .squaredNorm();
  problem.initial = squares;
  validate(problem);
  return problem;
}

VectorProblem kronecker(const Covariance& out, const Covariance& in, const MatrixXd& error) {
  const MatrixXd k = Eigen::kroneckerProduct(in_coordinates(in), in_coordinates(out));
  VectorProblem problem{from_matrix(k), gaussian_noise(0.3), {}, {}, {}};
  problem.initial_error = Eigen::VectorXd(error.reshaped());
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);  // not read: error is known
  return problem;
}

double largest_gap(const Covariance& out, const Covariance& in) {
  const MatrixXd error =
      normals(Eigen::Index(out.dimension()), Eigen::Index(in.dimension()), 4) / 3;
  const ModeSystem matrix = mode_system(matrix_problem(out, in, error), SignSgd{8});
  EXPECT_TRUE(matrix.warnings.empty());
  const ArrayXd at = ArrayXd::LinSpaced(9, 0, 400);
  const Schedule step = constant_schedule(4e-3);
  SolveOptions tight;
  tight.rtol = 1e-12;
  const RiskCurve a = solve(matrix, step, at, tight);
  ModeSystem vector = mode_system(kronecker(out, in, error), SignSgd{8});
  vector.response = matrix.response;  // phi_B is not that of a vector: matrix_rate_test.cpp
  const RiskCurve b = solve(vector, step, at, tight);
  EXPECT_EQ(a.status, RiskCurve::Status::ok) << a.message;
  EXPECT_LT(b.risk[8], 0.5 * b.risk[0]);
  return ((a.risk - b.risk) / b.risk).abs().maxCoeff();
}

TEST(SignSgdMatrix, CurveIsThatOfTheKroneckerProduct) {
  const MatrixXd x = normals(9, 6, 1), y = normals(8, 5, 2);
  const Covariance wishart_out = from_matrix(x.transpose() * x / 9),
                   wishart_in = from_matrix(y.transpose() * y / 8);
  EXPECT_LT(largest_gap(ar1(5, 0.7), ar1(4, -0.5)), 1e-9);
  EXPECT_LT(largest_gap(ar1(5, 0.97), ar1(4, 0.95)), 1e-9);
  EXPECT_LT(largest_gap(wishart_out, wishart_in), 1e-9);
}

TEST(SignSgdMatrix, OneSideMayBeDiagonal) {
  const Covariance steep = power_law(6, 0.8, Orientation::diagonal);
  EXPECT_LT(largest_gap(steep, ar1(5, 0.9)), 1e-9);
  EXPECT_LT(largest_gap(ar1(5, 0.9), steep), 1e-9);
  Covariance flat = isotropic(4);  // one node for four coordinates
  flat.orientation = Orientation::diagonal;
  EXPECT_LT(largest_gap(flat, ar1(5, 0.6)), 1e-9);
  EXPECT_LT(largest_gap(ar1(5, 0.6), flat), 1e-9);
  EXPECT_LT(largest_gap(flat, steep), 1e-9);
}

TEST(SignSgdMatrix, GivenDiagonalMatrixEqualsDiagonalOrientation) {
  const Covariance diagonal = power_law(6, 0.8, Orientation::diagonal);
  const Covariance given = from_matrix(in_coordinates(diagonal));
  const MatrixXd error = normals(6, 5, 3);
  const ArrayXd at = ArrayXd::LinSpaced(5, 0, 300);
  const auto run = [&](const Covariance& out) {
    return solve(mode_system(matrix_problem(out, ar1(5, 0.4), error), SignSgd{8}),
                 constant_schedule(4e-3), at);
  };
  EXPECT_LT(((run(diagonal).risk - run(given).risk) / run(given).risk).abs().maxCoeff(), 1e-9);
}

TEST(SignSgdMatrix, NoiseSumsToTheTraceOfDTimesKSigma) {
  // tr(D K_sigma) = sum sqrt(K_jj), K_sigma having ones on its diagonal.
  MatrixXd scaled = in_coordinates(ar1(50, 0.8));
  for (Eigen::Index j = 0; j < 50; ++j) {
    scaled.row(j) *= 1 + 0.1 * double(j);
    scaled.col(j) *= 1 + 0.1 * double(j);
  }
  MatrixProblem problem{ar1(60, 0.9), from_matrix(scaled), no_noise(), {}, {}};
  problem.initial = matrix_power_law_target(problem.covariance_out.spectrum,
                                            problem.covariance_in.spectrum, 0.3, Sides::in, 2.0);
  const ModeSystem system = mode_system(problem, SignSgd{10});
  const double expected = 60 * scaled.diagonal().array().sqrt().sum();
  EXPECT_NEAR(system.diffusion.sum() / expected, 1, 1e-12);
  EXPECT_NEAR(system.risk(system.initial), 2, 1e-12);
}

TEST(SignSgdMatrix, IndependentEntriesKeepTheirSecondMoments) {
  // sum h^2 s = E tr(K D^-1 K Delta Delta^T), Delta with covariance U diag(s) U^T.
  const Covariance out = ar1(5, 0.7), in = ar1(4, 0.5);
  MatrixProblem problem{out, in, no_noise(), {}, {}};
  problem.initial = normals(5, 4, 9).array().square();
  const ModeSystem system = mode_system(problem, SignSgd{10});
  const MatrixXd k = Eigen::kroneckerProduct(*in.matrix, *out.matrix),
                 u = Eigen::kroneckerProduct(*in.eigenvectors, *out.eigenvectors);
  const MatrixXd c =
      u * ArrayXd(problem.initial.entries().reshaped()).matrix().asDiagonal() * u.transpose();
  EXPECT_NEAR((system.weight.square() * system.initial).sum() / (k * c * k).trace(), 1, 1e-11);
  EXPECT_NEAR(system.risk(system.initial) / (0.5 * (k * c).trace()), 1, 1e-11);
}

TEST(SignSgdMatrix, CoordinatesWithoutVarianceDropOut) {
  MatrixXd k = MatrixXd::Zero(5, 5);
  k.bottomRightCorner(4, 4) = in_coordinates(ar1(4, 0.6));
  const Covariance dead = from_matrix(k);
  EXPECT_LT(largest_gap(dead, ar1(4, 0.5)), 1e-9);
  const MatrixXd error = normals(5, 4, 5);
  EXPECT_EQ(mode_system(matrix_problem(dead, ar1(4, 0.5), error), SignSgd{8}).modes(), 16);
  Covariance zero = from_eigenvalues((ArrayXd(3) << 1, 0.5, 0).finished(), Orientation::diagonal);
  EXPECT_LT(largest_gap(zero, ar1(4, 0.5)), 1e-9);
}

TEST(SignSgdMatrix, CorrelationsOfOneOnBothSidesAreWarnedOf) {
  // Pairs of equal coordinates on both sides: arcsin(1) by its series, cut after 400 terms.
  MatrixXd twins = MatrixXd::Identity(4, 4);
  twins(0, 1) = twins(1, 0) = 1;
  const Covariance side = from_matrix(twins);
  const MatrixXd error = normals(4, 4, 6);
  const ModeSystem system = mode_system(matrix_problem(side, side, error), SignSgd{8});
  ASSERT_EQ(system.warnings.size(), 1u);
  EXPECT_NE(system.warnings[0].find("cut"), std::string::npos);
  // One side alone is in closed form.
  EXPECT_LT(largest_gap(side, ar1(4, 0.7)), 1e-9);
}

TEST(SignSgdMatrix, OneGenericSideMakesTheWholeGeneric) {
  MatrixProblem problem{ar1(6, 0.7), power_law(5, 0.5), no_noise(), {}, {}};
  problem.initial = matrix_power_law_target(problem.covariance_out.spectrum,
                                            problem.covariance_in.spectrum, 0.0, Sides::in, 1.0);
  const ModeSystem system = mode_system(problem, SignSgd{10});
  const double tau = problem.covariance_out.spectrum.mean() * problem.covariance_in.spectrum.mean();
  EXPECT_NEAR(system.diffusion.sum(), 30, 1e-10);
  EXPECT_LT((system.drift.col(0) - system.weight / std::sqrt(tau)).abs().maxCoeff(), 1e-12);
}

}  // namespace
}  // namespace riskcurve
