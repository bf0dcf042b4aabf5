#include "integrate/at_times.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

struct Taken {
  std::vector<Eigen::ArrayXd> rows;
  int calls = 0;
};

Taken take(const std::function<Eigen::ArrayXd(double)>& f, double a, double b,
           const Eigen::ArrayXd& at) {
  Taken taken;
  at_times(
      [&](double t) {
        ++taken.calls;
        return f(t);
      },
      a, b, at, 0, at.size(), [&](const Eigen::ArrayXd& row) { taken.rows.push_back(row); });
  return taken;
}

/// A risk that falls by 40 decades, one of either sign, a constant, and one that is not defined.
Eigen::ArrayXd smooth(double t) {
  return Eigen::ArrayXd{{3e-7 * std::exp(-90 * t) * (2 + std::sin(5 * t)), std::cos(7 * t),
                         0.83705862, std::nan("")}};
}

TEST(AtTimes, FewAreTakenOneByOne) {
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(100, 0, 1);
  const Taken taken = take(smooth, 0, 1, at);
  EXPECT_EQ(taken.calls, 100);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE((taken.rows[i].head(3) == smooth(at[i]).head(3)).all()) << at[i];
}

TEST(AtTimes, ManyAreInterpolatedFromFew) {
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(100000, 2, 3);
  const Taken taken = take([](double t) { return smooth(t - 2); }, 2, 3, at);
  EXPECT_LT(taken.calls, 300);
  ASSERT_EQ(taken.rows.size(), 100000U);
  for (int i = 0; i < 100000; ++i) {
    const Eigen::ArrayXd exact = smooth(at[i] - 2), &row = taken.rows[i];
    ASSERT_NEAR(row[0] / exact[0], 1, 3e-13) << at[i];
    ASSERT_NEAR(row[1], exact[1], 3e-13) << at[i];
    ASSERT_EQ(row[2], exact[2]);
    ASSERT_TRUE(std::isnan(row[3]));
  }
}

TEST(AtTimes, WhatIsNotSmoothIsTakenOneByOneWhereItIsNot) {
  const auto kink = [](double t) { return Eigen::ArrayXd{{1 + std::abs(t - 0.3)}}; };
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(100000, 0, 1);
  const Taken taken = take(kink, 0, 1, at);
  EXPECT_LT(taken.calls, 10000);
  for (int i = 0; i < 100000; ++i) ASSERT_NEAR(taken.rows[i][0], kink(at[i])[0], 1e-12) << at[i];
}

TEST(Solve, ManyTimesGiveTheRisksAndObservablesOfFew) {
  VectorProblem problem{power_law(300, 0.6), gaussian_noise(0.1), {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  const ModeSystem system = mode_system(problem, SignSgd{2});
  const Schedule schedule = constant_schedule(1e-3);
  const Eigen::ArrayXd many = Eigen::ArrayXd::LinSpaced(40001, 0, 4000),
                       few = Eigen::ArrayXd::LinSpaced(41, 0, 4000);
  const RiskCurve dense = solve(system, schedule, many), thin = solve(system, schedule, few);
  EXPECT_EQ(dense.accepted, thin.accepted);
  for (Eigen::Index i = 0; i < few.size(); ++i) {
    EXPECT_NEAR(dense.risk[1000 * i] / thin.risk[i], 1, 1e-12) << few[i];
    for (const auto& [name, values] : thin.observable) {
      const double here = dense.observable.at(name)[1000 * i];
      EXPECT_TRUE(std::abs(here - values[i]) <= 1e-12 * std::abs(values[i]) ||
                  (std::isnan(here) && std::isnan(values[i])))
          << name << " " << few[i];
    }
  }
}

}  // namespace
}  // namespace riskcurve
