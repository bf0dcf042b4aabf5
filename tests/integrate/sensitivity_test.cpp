#include "riskcurve/integrate/sensitivity.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "power_law_problem.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

ModeSystem sign_svd_system(const NoiseLaw& noise) {
  MatrixProblem problem{power_law(4, 0.3), power_law(6, 0.5), noise, {}, {}};
  problem.initial = matrix_power_law_target(problem.covariance_out.spectrum,
                                            problem.covariance_in.spectrum, 0.2, Sides::both, 1.0);
  return mode_system(problem, SignSvd{5});
}

double risk_at(const ModeSystem& system, const Schedule& step, double horizon) {
  SolveOptions options;
  options.rtol = 1e-12;
  const RiskCurve curve = solve(system, step, Eigen::ArrayXd::Constant(1, horizon), options);
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  return curve.risk[0];
}

/// The schedule plus x times the direction.
Schedule moved(const Schedule& schedule, const std::function<double(double)>& direction, double x) {
  return custom_schedule([=](double t) { return schedule(t) + x * direction(t); }, schedule.breaks);
}

/// Fourth-order difference of R(T) along the direction, with steps of relative size 1e-3.
double difference(const ModeSystem& system, const Schedule& schedule, double horizon,
                  const std::function<double(double)>& direction, double x) {
  const auto at = [&](double scale) {
    return risk_at(system, moved(schedule, direction, scale * x), horizon);
  };
  return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * x);
}

struct Case {
  const char* name;
  ModeSystem system;
  double step, horizon;
};

std::vector<Case> cases() {
  const VectorProblem gaussian = power_law_problem(100, 0.6, 0.2, gaussian_noise(0.3));
  const VectorProblem laplace = power_law_problem(100, 0.6, 0.2, laplace_noise(0.2));
  const VectorProblem steep = power_law_problem(200, 1.5, 0.2, student_t_noise(3, 0.1));
  return {
      {"sgd", compress(mode_system(gaussian, Sgd{4}), 4), 4e-3, 3000},
      {"sign_sgd", compress(mode_system(laplace, SignSgd{4}), 4), 3e-4, 3000},
      {"clipped_sgd", compress(mode_system(laplace, ClippedSgd{4, constant_schedule(0.5)}), 4),
       4e-3, 3000},
      {"sgd steep", compress(mode_system(steep, Sgd{1}), 4), 0.3, 1e5},
      {"sign_sgd steep", compress(mode_system(steep, SignSgd{8}), 4), 1e-4, 1e5},
      {"sign_sgd, 30000 modes",
       compress(mode_system(power_law_problem(3e4, 1, 0.2, no_noise()), SignSgd{1}), 4), 1e-5, 1e5},
      {"sign_svd", sign_svd_system(gaussian_noise(0.4)), 3e-3, 2000},
      {"sign_svd, sums of products", sign_svd_system(laplace_noise(0.3)), 3e-3, 500}};
}

TEST(Sensitivity, GradientMatchesFiniteDifferencesInEveryDirectionTried) {
  for (const Case& now : cases()) {
    const double T = now.horizon;
    const Schedule constant = constant_schedule(now.step);
    const Sensitivity at = sensitivity(now.system, constant, T);
    ASSERT_EQ(at.curve.status, RiskCurve::Status::ok) << now.name << at.curve.message;
    EXPECT_NEAR(at.risk / risk_at(now.system, constant, T), 1, 1e-9) << now.name;
    const std::vector<std::function<double(double)>> directions = {
        [&](double) { return now.step; }, [&](double t) { return now.step * std::pow(t / T, 3); },
        [&](double t) { return now.step * std::cos(3 * t / T); }};
    for (std::size_t i = 0; i < directions.size(); ++i) {
      const double expected = difference(now.system, constant, T, directions[i], 1e-3);
      EXPECT_NEAR(at.along(directions[i]), expected, 1e-6 * std::abs(expected) + 1e-9 * at.risk)
          << now.name << ", direction " << i;
    }
  }
}

TEST(Sensitivity, HoldsAlongSchedulesWithBreaksAndAFadingStep) {
  const ModeSystem system =
      mode_system(power_law_problem(100, 0.6, 0.2, gaussian_noise(0.3)), SignSgd{4});
  const double T = 3000;
  for (const Schedule& schedule :
       {cosine_schedule(6e-4, 0, T), warm_up(power_decay_schedule(6e-4, 0.5, 100), 200),
        piecewise_schedule({0, 777.5, 2000}, {4e-4, 1e-4, 2e-4}),
        tabulated_schedule({0, 100, 900, T}, {1e-4, 6e-4, 3e-4, 1e-5})}) {
    const Sensitivity at = sensitivity(system, schedule, T);
    const auto bump = [&](double t) { return schedule(t) * std::exp(-t / T); };
    const double expected = difference(system, schedule, T, bump, 1e-3);
    EXPECT_NEAR(at.along(bump), expected, 1e-6 * std::abs(expected)) << schedule.kind;
  }
}

TEST(Sensitivity, InitialAdjointIsTheDerivativeByTheInitialState) {
  for (const Case& now : cases()) {
    const Sensitivity at = sensitivity(now.system, constant_schedule(now.step), now.horizon);
    for (const Eigen::Index k : {Eigen::Index{0}, now.system.modes() / 2}) {
      const double x = 1e-3 * std::max(now.system.initial[k], now.system.initial.mean());
      const auto risk = [&](double scale) {
        ModeSystem other = now.system;
        other.initial[k] += scale * x;
        return risk_at(other, constant_schedule(now.step), now.horizon);
      };
      const double expected = (risk(1) - risk(0)) / x;
      EXPECT_NEAR(at.initial[k], expected, 2e-3 * std::abs(expected) + 1e-7 * at.risk / x)
          << now.name << " mode " << k;
    }
  }
}

TEST(Sensitivity, RateAndGreedyStepAreThoseOfTheCurve) {
  const ModeSystem system =
      mode_system(power_law_problem(100, 0.6, 0.2, gaussian_noise(0.3)), Sgd{4});
  const Sensitivity at = sensitivity(system, constant_schedule(2e-3), 1000);
  const double slope = (risk_at(system, constant_schedule(2e-3), 1001) -
                        risk_at(system, constant_schedule(2e-3), 999)) /
                       2;
  EXPECT_NEAR(at.rate / slope, 1, 1e-5);
  const Eigen::ArrayXd& lambda = system.weight;
  const double greedy = lambda.square().cwiseProduct(system.initial).sum() /
                        (lambda.square().sum() * (2 * 1.0 + 0.09) / 4);
  EXPECT_NEAR(at.greedy[0] / greedy, 1, 1e-10);
}

TEST(Sensitivity, CanEndWhereTheRiskReachesATarget) {
  const ModeSystem system =
      mode_system(power_law_problem(100, 0.6, 0.2, gaussian_noise(0.3)), SignSgd{4});
  SolveOptions options;
  options.until_risk = 0.3;
  const RiskCurve curve =
      solve(system, constant_schedule(3e-4), Eigen::ArrayXd::Constant(1, 1e6), options);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  EXPECT_NEAR(risk_at(system, constant_schedule(3e-4), curve.reached), 0.3, 1e-10);
  EXPECT_EQ(curve.steps.size(), 0);
}

TEST(Sensitivity, RefusesExtraStates) {
  ModeSystem system = mode_system(power_law_problem(20, 0.6, 0.2, no_noise()), Sgd{4});
  system.extra_initial = Eigen::ArrayXd::Ones(1);
  system.extra_rate = [](const Now& now) -> Eigen::ArrayXd { return -now.extra; };
  EXPECT_THROW(sensitivity(system, constant_schedule(1e-3), 10), InputError);
}

TEST(Sensitivity, OfARiskThatIsAndStaysZeroHasNoTimes) {
  VectorProblem problem = power_law_problem(10, 0.3, 0.2, no_noise());
  problem.initial.setZero();
  const Sensitivity at = sensitivity(mode_system(problem, Sgd{2}), constant_schedule(0.1), 5);
  EXPECT_EQ(at.curve.status, RiskCurve::Status::ok);
  EXPECT_EQ(at.risk, 0);
  EXPECT_EQ(at.time.size(), 0);
}

}  // namespace
}  // namespace riskcurve
