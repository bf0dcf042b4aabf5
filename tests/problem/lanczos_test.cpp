#include "problem/lanczos.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace riskcurve {
namespace {

SymmetricOperator diagonal(const Eigen::ArrayXd& values) {
  return {values.size(), [values](const Eigen::VectorXd& v) -> Eigen::VectorXd {
            return (values * v.array()).matrix();
          }};
}

const Eigen::MatrixXd kNothing(0, 0);

TEST(LanczosQuadrature, IsExactForPolynomialsOfDegreeTwiceItsSteps) {
  const Eigen::ArrayXd values = Eigen::ArrayXd::LinSpaced(200, 0, 1);
  const Eigen::VectorXd start = (values * 3 + 1).sin().matrix();
  const Quadrature rule = lanczos_quadrature(diagonal(values), start, 6, kNothing);
  ASSERT_EQ(rule.node.size(), 6);
  const auto error = [&](int degree) {
    return (rule.weight * rule.node.pow(degree)).sum() /
               (start.array().square() * values.pow(degree)).sum() -
           1;
  };
  for (int degree = 0; degree <= 11; ++degree) EXPECT_NEAR(error(degree), 0, 1e-12) << degree;
  EXPECT_GT(std::abs(error(12)), 1e-9);
}

TEST(LanczosQuadrature, StopsExactlyWhenTheKrylovSpaceIsExhausted) {
  Eigen::ArrayXd values(50);
  values << Eigen::ArrayXd::Constant(20, 0), Eigen::ArrayXd::Constant(20, 1),
      Eigen::ArrayXd::Constant(10, 7);
  const Quadrature rule =
      lanczos_quadrature(diagonal(values), Eigen::VectorXd::Ones(50), 40, kNothing);
  ASSERT_EQ(rule.node.size(), 3);
  EXPECT_LT((rule.node - Eigen::Array3d(7, 1, 0)).abs().maxCoeff(), 1e-13);
  EXPECT_LT((rule.weight - Eigen::Array3d(10, 20, 20)).abs().maxCoeff(), 1e-12);
}

TEST(LanczosQuadrature, LeavesOutTheDeflatedSpace) {
  const Eigen::ArrayXd values = Eigen::ArrayXd::LinSpaced(30, 30, 1);
  const Eigen::MatrixXd first = Eigen::MatrixXd::Identity(30, 5);
  const Quadrature rule =
      lanczos_quadrature(diagonal(values), Eigen::VectorXd::Ones(30), 30, first);
  EXPECT_EQ(rule.node.size(), 25);
  EXPECT_LT(rule.node[0], 25 + 1e-9);
  EXPECT_NEAR(rule.weight.sum(), 25, 1e-12);
  EXPECT_EQ(lanczos_quadrature(diagonal(values), first.col(2), 9, first).node.size(), 0);
  EXPECT_EQ(lanczos_quadrature(diagonal(values), Eigen::VectorXd::Zero(30), 9, first).node.size(),
            0);
}

TEST(CountingQuadrature, CountsExactlyAndEstimatesTracesWithinHutchinsonsError) {
  const Eigen::ArrayXd values = Eigen::ArrayXd::LinSpaced(1000, 0, 1);
  const Eigen::MatrixXd last = Eigen::MatrixXd::Identity(1000, 1000).rightCols(100);
  const int probes = 16;
  const Quadrature rule = counting_quadrature(diagonal(values), 40, probes, last);
  EXPECT_NEAR(rule.weight.sum(), 900, 1e-9);
  EXPECT_TRUE((rule.weight >= 0).all());
  for (const double t : {0.5, 5.0, 50.0}) {
    const Eigen::ArrayXd f = (-t * values.head(900)).exp();
    const double error = std::sqrt(2 * f.square().sum() / probes);
    EXPECT_NEAR((rule.weight * (-t * rule.node).exp()).sum(), f.sum(), 4 * error);
  }
}

TEST(LeadingPairs, SatisfyTheirEquation) {
  const Eigen::Index n = 400;
  const Eigen::ArrayXd values = Eigen::ArrayXd::LinSpaced(n, 1, double(n)).pow(-1.0);
  // A rotation that is its own inverse, so that the eigenvectors are not coordinates.
  const Eigen::VectorXd w = Eigen::VectorXd::LinSpaced(n, -1, 2).normalized();
  const auto reflect = [w](const Eigen::VectorXd& v) -> Eigen::VectorXd {
    return v - 2 * w.dot(v) * w;
  };
  const SymmetricOperator A{
      n, [&](const Eigen::VectorXd& v) { return reflect((values * reflect(v).array()).matrix()); }};
  const LeadingPairs pairs = leading_pairs(A, 40);
  ASSERT_EQ(pairs.value.size(), 40);
  EXPECT_LT((pairs.value - values.head(40)).abs().maxCoeff(), 1e-12);
  for (Eigen::Index k = 0; k < 40; ++k)
    EXPECT_LT((A.apply(pairs.vector.col(k)) - pairs.value[k] * pairs.vector.col(k)).norm(), 1e-10);
  EXPECT_LT((pairs.vector.transpose() * pairs.vector - Eigen::MatrixXd::Identity(40, 40)).norm(),
            1e-12);
  EXPECT_EQ(leading_pairs(diagonal(Eigen::ArrayXd::Ones(1)), 40).value.size(), 0);
}

}  // namespace
}  // namespace riskcurve
