// Matrices of many pairs on few nodes of either side.
#include "dynamics/few_nodes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "dynamics/gauss_measure.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

Experiment experiment(const std::string& optimizer) {
  return parse_experiment(
      "[problem]\ngeometry = \"matrix\"\n"
      "covariance_out = { kind = \"power_law\", dimension = 300, alpha = 0.6 }\n"
      "covariance_in = { kind = \"exponential_decay\", dimension = 200, length = 30 }\n"
      "target = { kind = \"power_law\", beta = 0.2 }\nnoise = { kind = \"gaussian\", std = 0.2 }\n"
      "[schedule]\nkind = \"constant\"\nstep = 1e-3\n[run]\nsteps = 2000\nsignal = \"small\"\n"
      "[optimizer]\nbatch = 100\nname = " +
      optimizer);
}

TEST(FewNodes, KeepTheCurveOfAProductTarget) {
  for (const char* optimizer :
       {"\"sign_svd\"", "\"sgd\"", "\"sign_sgd\"", "\"schatten\"\nexponent = 0.5"}) {
    const Experiment e = experiment(optimizer);
    const ModeSystem few = mode_system(e), all = mode_system(e, Grids::listed);
    EXPECT_LT(2 * few.modes(), all.modes()) << optimizer;
    const ArrayXd at = ArrayXd::LinSpaced(5, 0, 2000);
    SolveOptions options;
    options.rtol = 1e-11;
    const RiskCurve merged = solve(few, e.schedule, at, options),
                    listed = solve(all, e.schedule, at, options);
    EXPECT_LT((merged.risk / listed.risk - 1).abs().maxCoeff(), 1e-8) << optimizer;
    EXPECT_LT(listed.risk[4], 0.8 * listed.risk[0]) << optimizer;
  }
}

TEST(FewNodes, AreRefusedWhereTheTargetIsNoProduct) {
  MatrixProblem problem = experiment("\"sgd\"").matrix();
  ASSERT_TRUE(few_nodes(problem));
  Eigen::ArrayXXd other = problem.initial.entries();
  problem.initial = other;
  ASSERT_TRUE(few_nodes(problem));
  other(7, 3) *= 1.001;
  problem.initial = other;
  EXPECT_FALSE(few_nodes(problem));
}

/// d listed eigenvalues j^-1.5, and an error of independent Gaussian coefficients where `drawn`.
Experiment listed(Eigen::Index d, const std::string& optimizer, Orientation orientation,
                  bool drawn) {
  Experiment e = experiment(optimizer);
  VectorProblem problem = make_problem(
      from_eigenvalues(ArrayXd::LinSpaced(d, 1, static_cast<double>(d)).pow(-1.5), orientation),
      PowerLawTarget{0.3}, gaussian_noise(0.2));
  Random random(5, 0, 0);
  if (drawn)
    for (double& square : problem.initial) square *= std::pow(random.normal(), 2);
  problem.target = GivenTarget{};
  e.problem = problem;
  return e;
}

TEST(FewNodes, KeepTheCurveOfALongList) {
  for (const auto& [optimizer, orientation] :
       {std::pair("\"sign_sgd\"", Orientation::generic),
        std::pair("\"sign_sgd\"", Orientation::diagonal),
        std::pair("\"clipped_sgd\"\nthreshold = 1", Orientation::generic)})
    for (const bool drawn : {false, true}) {
      const Experiment e = listed(25000, optimizer, orientation, drawn);
      const ModeSystem few = mode_system(e), all = mode_system(e, Grids::listed);
      EXPECT_LT(few.modes(), 1000) << optimizer;
      // What is a sum over single directions needs an error that is smooth in them.
      EXPECT_EQ(few.multiplicity.size(), drawn ? 0 : few.modes());
      SolveOptions options;
      options.rtol = 1e-10;
      const ArrayXd at = ArrayXd::LinSpaced(3, 0, 2000);
      const RiskCurve merged = solve(few, e.schedule, at, options),
                      one_by_one = solve(all, e.schedule, at, options);
      EXPECT_LT((merged.risk / one_by_one.risk - 1).abs().maxCoeff(), 1e-9) << optimizer;
      EXPECT_LT(one_by_one.risk[2], 0.99 * one_by_one.risk[0]) << optimizer;
    }
}

TEST(Thinned, KeepsMomentsInEachCell) {
  Random random(6, 0, 0);
  const Eigen::Index n = 5000;
  ArrayXd point(n), one(n), other(n);
  for (Eigen::Index k = 0; k < n; ++k) {
    point[k] = 1 + random.uniform();
    one[k] = std::pow(random.normal(), 2);
    other[k] = point[k] < 1.5 ? 1 : 0;
  }
  const Measures few = thinned(point, {one, other}, 40);
  EXPECT_LE(few.point.size(), 240);
  EXPECT_GE(few.point.minCoeff(), point.minCoeff());
  EXPECT_LE(few.point.maxCoeff(), point.maxCoeff());
  EXPECT_GE(few.weight.minCoeff(), 0);
  for (const double rate : {0.0, 1.0, 10.0}) {
    const ArrayXd f = (-rate * point).exp(), g = (-rate * few.point).exp();
    EXPECT_NEAR((few.weight.col(0) * g).sum() / (one * f).sum(), 1, 1e-9) << rate;
    EXPECT_NEAR((few.weight.col(1) * g).sum() / (other * f).sum(), 1, 1e-9) << rate;
  }
  for (int degree = 0; degree < 6; ++degree)
    EXPECT_NEAR((few.weight.col(0) * few.point.pow(degree)).sum() / (one * point.pow(degree)).sum(),
                1, 1e-13);
}

TEST(CommonRule, KeepsTheMomentsOfEachMeasure) {
  Random random(4, 0, 0);
  const int n = 8;
  Measures both{ArrayXd::LinSpaced(300, 1, 2), Eigen::ArrayXXd(300, 2)};
  for (Eigen::Index k = 0; k < 300; ++k) {
    both.weight(k, 0) = std::exp(0.1 * random.normal());
    both.weight(k, 1) = both.point[k] * std::exp(0.1 * random.normal());
  }
  const Measures rule = common_rule(both, n);
  ASSERT_EQ(rule.point.size(), n);
  for (int degree = 0; degree < n; ++degree)
    for (const Eigen::Index of : {0, 1}) {
      const auto moment = [&](const Measures& m) {
        return (m.weight.col(of) * m.point.pow(degree)).sum();
      };
      EXPECT_NEAR(moment(rule) / moment(both), 1, 1e-12) << degree;
    }
}

}  // namespace
}  // namespace riskcurve
