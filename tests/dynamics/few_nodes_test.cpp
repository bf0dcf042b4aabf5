// Matrices of many pairs on few nodes of either side.
#include "dynamics/few_nodes.hpp"

#include <gtest/gtest.h>

#include <cmath>

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
    const RiskCurve merged = solve(few, e.schedule, at, {.rtol = 1e-11}),
                    listed = solve(all, e.schedule, at, {.rtol = 1e-11});
    EXPECT_LT((merged.risk / listed.risk - 1).abs().maxCoeff(), 1e-8) << optimizer;
    EXPECT_LT(listed.risk[4], 0.8 * listed.risk[0]) << optimizer;
  }
}

TEST(FewNodes, AreRefusedWhereTheTargetIsNoProduct) {
  MatrixProblem problem = experiment("\"sgd\"").matrix();
  ASSERT_TRUE(few_nodes(problem));
  problem.initial(7, 3) *= 1.001;
  EXPECT_FALSE(few_nodes(problem));
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
