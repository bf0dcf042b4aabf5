#include "riskcurve/analysis/optimum.hpp"

#include <gtest/gtest.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

VectorProblem isotropic_problem(double dimension, const NoiseLaw& noise) {
  VectorProblem problem{isotropic(dimension), noise, {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  return problem;
}

double risk_at(const ModeSystem& system, const Schedule& step, double horizon) {
  const RiskCurve curve = solve(system, step, Eigen::ArrayXd::Constant(1, horizon));
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  return curve.risk[0];
}

struct Case {
  const char* name;
  ModeSystem system;
};

std::vector<Case> cases() {
  const VectorProblem gaussian = power_law_problem(200, 0.6, 0.2, gaussian_noise(0.3));
  const VectorProblem cauchy = power_law_problem(200, 0.8, 0.6, student_t_noise(1, 0.1));
  const VectorProblem steep = power_law_problem(200, 1.5, 0.2, gaussian_noise(0.1));
  return {{"sgd", compress(mode_system(gaussian, Sgd{4}), 4)},
          {"sign_sgd", compress(mode_system(gaussian, SignSgd{4}), 4)},
          {"sign_sgd cauchy", compress(mode_system(cauchy, SignSgd{1}), 4)},
          {"clipped_sgd cauchy",
           compress(mode_system(cauchy, ClippedSgd{2, constant_schedule(0.5)}), 4)},
          {"sgd steep", compress(mode_system(steep, Sgd{1}), 4)},
          {"sign_sgd steep", compress(mode_system(steep, SignSgd{1}), 4)}};
}

TEST(BestStep, MinimisesTheClosedFormOfIsotropicSgd) {
  const double d = 300, v2 = 0.25, b = 2, T = 2000;
  const ModeSystem system = mode_system(isotropic_problem(d, gaussian_noise(0.5)), Sgd{2});
  const auto exact = [&](double x) {
    const double gamma = std::exp(x), rate = 2 * gamma - gamma * gamma * d / b;
    const double floor = gamma * gamma * d * v2 / (2 * b) / rate;
    return std::log(floor + (1 - floor) * std::exp(-rate * T));
  };
  const auto [x, value] =
      boost::math::tools::brent_find_minima(exact, std::log(1e-5), std::log(0.99 * b / d), 50);
  const Optimum best = best_step(system, T);
  ASSERT_TRUE(best.found) << best.message;
  EXPECT_NEAR(best.step / std::exp(x), 1, 1e-5);
  EXPECT_NEAR(best.risk / std::exp(value), 1, 1e-9);
  EXPECT_LE(best.evaluations, 15);
}

TEST(BestStep, IsALocalMinimumWithinFifteenSolvesOverSixDecadesOfHorizons) {
  for (const Case& now : cases())
    for (const double horizon : {10.0, 1e6}) {
      const Optimum best = best_step(now.system, horizon);
      ASSERT_TRUE(best.found) << now.name << " " << horizon << ": " << best.message;
      EXPECT_LE(best.evaluations, 15) << now.name << " " << horizon;
      for (const double factor : {0.97, 1.03})
        EXPECT_GT(risk_at(now.system, constant_schedule(factor * best.step), horizon), best.risk)
            << now.name << " " << horizon;
    }
}

TEST(FastestStep, NoOtherStepIsThereSooner) {
  for (const Case& now : cases()) {
    const double target = 0.2;
    const Optimum best = fastest_step(now.system, target);
    ASSERT_TRUE(best.found) << now.name << ": " << best.message;
    EXPECT_NEAR(best.risk / target, 1, 1e-8) << now.name;
    for (const double factor : {0.9, 1.1})
      EXPECT_GT(risk_at(now.system, constant_schedule(factor * best.step), best.steps),
                target * (1 + 1e-9))
          << now.name << " " << factor;
  }
}

TEST(FastestStep, SaysWhenNoStepGetsThere) {
  const ModeSystem system = cases()[1].system;
  const Optimum best = fastest_step(system, 1e-3, 100);
  EXPECT_FALSE(best.found);
  EXPECT_NE(best.message.find("no constant step reaches"), std::string::npos) << best.message;
  EXPECT_THROW(fastest_step(system, 2), InputError);
}

TEST(StationaryRisk, OfSgdIsItsClosedForm) {
  const VectorProblem problem = power_law_problem(500, 0.6, 0.2, gaussian_noise(0.4));
  const ModeSystem system = mode_system(problem, Sgd{3});
  const double trace = problem.covariance.spectrum.value.sum(), gamma = 0.3 / trace;
  const double share = gamma / 6 * trace;
  EXPECT_NEAR(stationary_risk(system, gamma), share / (1 - share) * 0.08, 1e-10);
  EXPECT_TRUE(std::isinf(stationary_risk(system, 6.1 / trace)));
  EXPECT_NEAR(largest_stable_step(system) * trace, 6, 1e-6);
  EXPECT_EQ(
      stationary_risk(mode_system(power_law_problem(500, 0.6, 0.2, no_noise()), Sgd{3}), gamma), 0);
}

TEST(StationaryRisk, IsWhereALongRunComesToRest) {
  for (const Case& now : cases()) {
    const double gamma = best_step(now.system, 1e3).step;
    EXPECT_NEAR(
        stationary_risk(now.system, gamma) / risk_at(now.system, constant_schedule(gamma), 1e13), 1,
        1e-7)
        << now.name;
  }
}

TEST(ScheduleFamily, DerivativesMatchFiniteDifferences) {
  const auto check = [](const ScheduleFamily& family, const Eigen::ArrayXd& p) {
    for (const double t : {0.0, 3.7, 55.0, 410.0, 999.0}) {
      const Eigen::ArrayXd by = family.derivative(p, t);
      for (Eigen::Index i = 0; i < p.size(); ++i) {
        Eigen::ArrayXd up = p, down = p;
        up[i] *= std::exp(1e-5);
        down[i] *= std::exp(-1e-5);
        const double expected = (family.schedule(up)(t) - family.schedule(down)(t)) / 2e-5;
        EXPECT_NEAR(by[i], expected, 1e-8 * p[0]) << family.kind << " " << i << " " << t;
      }
    }
  };
  Eigen::ArrayXd p(3);
  p << 0.3, 0.7, 40;
  check(power_decay_family(), p);
  check(constant_family(), p.head(1));
  p.conservativeResize(2);
  p[1] = 33;
  check(cosine_family(1000), p);
  const Eigen::ArrayXd mesh = schedule_mesh(1000, 21);
  check(tabulated_family(mesh), 1 / (1 + mesh / 100));
}

TEST(GreedySchedule, FollowsTheClosedFormOfIsotropicSgdWhereItIsOptimal) {
  // One rate: dR/dt = -(b/d) 2R^2/(2R + v^2) under the greedy step, which is then optimal, so
  // 2 log R - v^2/R falls as 2 (b/d) t.
  const double d = 300, v2 = 0.25, b = 2, T = 2000;
  const ModeSystem system = mode_system(isotropic_problem(d, gaussian_noise(0.5)), Sgd{2});
  const auto mesh = schedule_mesh(T, 161);
  const ScheduleOptimum greedy = greedy_schedule(system, mesh);
  ASSERT_TRUE(greedy.found) << greedy.message;
  const double fall = (-v2) - (2 * std::log(greedy.risk) - v2 / greedy.risk);
  EXPECT_NEAR(fall / (2 * b / d * T), 1, 2e-4);  // linear between the times of the mesh
  const ScheduleOptimum best = optimal_schedule(system, mesh);
  EXPECT_LE(best.risk, greedy.risk * (1 + 1e-10));
  EXPECT_NEAR(best.risk / greedy.risk, 1, 1e-4);
}

TEST(BestSchedule, OfAFamilyIsNeverAboveItsStart) {
  const ModeSystem system = cases()[1].system;
  Eigen::ArrayXd start(3);
  start << 2e-3, 0.5, 300;
  const ScheduleOptimum best = best_schedule(system, 3000, power_decay_family(), start);
  ASSERT_TRUE(best.found) << best.message;
  EXPECT_LT(best.risk, 0.9 * risk_at(system, power_decay_family().schedule(start), 3000));
  EXPECT_THROW(best_schedule(system, 3000, power_decay_family(), -start), InputError);
}

TEST(OptimalSchedule, IsStationaryAndNeverWorseThanGreedyConstantOrFamily) {
  const std::vector<Case> all = cases();
  for (const Case& now : {all[0], all[1]}) {
    const double T = 3000;
    const ModeSystem& system = now.system;
    const Eigen::ArrayXd mesh = schedule_mesh(T, 17);
    const ScheduleOptimum best = optimal_schedule(system, mesh);
    ASSERT_TRUE(best.found) << now.name << ": " << best.message;
    EXPECT_LT(best.gradient, 1e-5) << now.name << " " << best.message;
    const ScheduleOptimum greedy = greedy_schedule(system, mesh);
    EXPECT_LE(best.risk, greedy.risk * (1 + 1e-8)) << now.name;
    EXPECT_LE(best.risk, best_step(system, T).risk * (1 + 1e-8)) << now.name;
    Eigen::ArrayXd start(2);
    start << best_step(system, T).step, 10;
    const ScheduleOptimum cosine = best_schedule(system, T, cosine_family(T), start);
    EXPECT_LT(cosine.gradient, 1e-5) << now.name << " " << cosine.message;
    EXPECT_LE(best.risk, cosine.risk * (1 + 1e-3)) << now.name;  // the mesh holds it nearly
    EXPECT_LE(cosine.risk, risk_at(system, cosine_family(T).schedule(start), T)) << now.name;
  }
}

}  // namespace
}  // namespace riskcurve
