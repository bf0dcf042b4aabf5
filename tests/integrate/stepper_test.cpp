#include <gtest/gtest.h>

#include <boost/numeric/odeint/integrate/integrate_times.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "integrate/exponential_stepper.hpp"
#include "integrate/flow.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {
namespace {

/// Modes of rates `a` under responses g = 1/sqrt(2R + v), n = 1 + R: a nonlinear coupling.
ModeSystem coupled(const Eigen::ArrayXd& a) {
  ModeSystem system;
  system.weight = a;
  system.drift = a;
  system.diffusion = 0.3 + a;
  system.initial = Eigen::ArrayXd::Constant(a.size(), 2 / a.sum());
  system.response = [](const Now& now) {
    return Response{Eigen::ArrayXd::Constant(1, 1 / std::sqrt(2 * now.risk + 0.1)),
                    Eigen::ArrayXd::Constant(1, 1 + now.risk)};
  };
  return system;
}

StepSize smooth_schedule() {
  return [](double t) { return 0.02 * (1.2 + std::sin(0.3 * t)); };
}

/// Error of R at the horizon with fixed steps, against the solution at 64 times as many.
double fixed_step_risk(const ModeSystem& system, double horizon, int steps) {
  Collocation step(system);
  Eigen::ArrayXd state = system.initial;
  const Flow flow{&system, smooth_schedule()};
  for (int i = 0; i < steps; ++i) {
    EXPECT_TRUE(step.solve(flow, state, i * horizon / steps, horizon / steps, 1e-13));
    Eigen::ArrayXd next;
    step.state_at(1, next);
    state = next;
  }
  return system.risk(state);
}

double observed_order(const ModeSystem& system, double horizon, int steps) {
  const double exact = fixed_step_risk(system, horizon, 16 * steps);
  const double coarse = std::abs(fixed_step_risk(system, horizon, steps) - exact);
  const double fine = std::abs(fixed_step_risk(system, horizon, 2 * steps) - exact);
  EXPECT_GT(fine, 1e-13 * exact) << "at roundoff: no order to read";
  testing::Test::RecordProperty("errors", std::to_string(coarse) + " " + std::to_string(fine));
  return std::log2(coarse / fine);
}

TEST(ExponentialStepper, ShowsItsDeclaredOrderWhereRatesAreMild) {
  const double order = observed_order(coupled(Eigen::ArrayXd::LinSpaced(5, 0.1, 1)), 24, 16);
  EXPECT_GT(order, ControlledExponential::order() - 0.4);
  EXPECT_LT(order, ControlledExponential::order() + 1.5);
}

TEST(ExponentialStepper, StaysAccurateWhereMostModesAreStiff) {
  // Rates to 10^5: gamma a H is in the thousands, where explicit steppers explode. The fast modes
  // start where noise balances decay, so that no initial layer hides the order. The error is of
  // size H^5/(a gamma H)^2 there: order 5 as long as a mode stays as stiff, 3 at a fixed rate.
  ModeSystem system = coupled(
      Eigen::ArrayXd::LinSpaced(24, -1, 5).unaryExpr([](double e) { return std::pow(10.0, e); }));
  const Eigen::ArrayXd a = system.drift.col(0);
  system.weight.setConstant(1);
  system.diffusion = 0.5 * a;
  double risk = 1;
  for (int i = 0; i < 100; ++i) {  // the balance depends on the risk, and the risk on it
    const Response start = system.response(Now{.risk = risk});
    const double balance = smooth_schedule()(0) * start.diffusion[0] * 0.5 / (2 * start.drift[0]);
    system.initial = (a > 3).select(balance, Eigen::ArrayXd::Constant(24, 0.2));
    risk = system.risk(system.initial);
  }
  const double exact = fixed_step_risk(system, 24, 512);
  EXPECT_LT(std::abs(fixed_step_risk(system, 24, 8) / exact - 1), 3e-6);
  EXPECT_LT(std::abs(fixed_step_risk(system, 24, 32) / exact - 1), 2e-8);
  EXPECT_GT(observed_order(system, 24, 4), 4);
  EXPECT_GT(observed_order(system, 24, 8), 4);
  EXPECT_GT(observed_order(system, 24, 16), 2);
}

TEST(Dopri5, ShowsOrderFive) {
  const ModeSystem system = coupled(Eigen::ArrayXd::LinSpaced(5, 0.1, 1));
  const Flow flow{&system, smooth_schedule()};
  using Stepper = boost::numeric::odeint::runge_kutta_dopri5<std::vector<double>>;
  const auto risk = [&](int steps) {
    Stepper stepper;
    std::vector<double> x(system.initial.begin(), system.initial.end());
    for (int i = 0; i < steps; ++i)
      stepper.do_step(std::cref(flow), x, 24.0 * i / steps, 24.0 / steps);
    return system.risk(Eigen::Map<const Eigen::ArrayXd>(x.data(), system.modes()));
  };
  const double exact = fixed_step_risk(system, 24, 192);
  EXPECT_NEAR(std::log2(std::abs(risk(24) - exact) / std::abs(risk(48) - exact)), Stepper().order(),
              0.6);
}

TEST(ExponentialStepper, IsAnOdeintDenseOutputStepper) {
  const ModeSystem system = coupled(Eigen::ArrayXd::LinSpaced(5, 0.1, 1));
  const Flow flow{&system, smooth_schedule()};
  const std::vector<double> times{0, 3, 7.5, 20};
  std::vector<double> risk, x(system.initial.begin(), system.initial.end());
  boost::numeric::odeint::integrate_times(
      DenseExponential(system, 1e-11), std::cref(flow), x, times.begin(), times.end(), 0.1,
      [&](const std::vector<double>& state, double) {
        risk.push_back(system.risk(Eigen::Map<const Eigen::ArrayXd>(state.data(), system.modes())));
      });
  const Schedule schedule = custom_schedule(smooth_schedule(), {});
  SolveOptions options;
  options.method = Method::dopri5;
  options.rtol = 1e-12;
  const RiskCurve curve =
      solve(system, schedule, Eigen::Map<const Eigen::ArrayXd>(times.data(), 4), options);
  ASSERT_EQ(risk.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(risk[i] / curve.risk[i], 1, 1e-9);
}

TEST(ExponentialStepper, DenseOutputIsAsAccurateAsTheSteps) {
  const ModeSystem system = coupled(Eigen::ArrayXd::LinSpaced(5, 0.1, 1));
  const Schedule schedule = custom_schedule(smooth_schedule(), {});
  const Eigen::ArrayXd many = Eigen::ArrayXd::LinSpaced(1001, 0, 30);
  const RiskCurve dense = solve(system, schedule, many);
  SolveOptions options;
  options.method = Method::dopri5;
  options.rtol = 1e-12;
  const RiskCurve reference = solve(system, schedule, many, options);
  EXPECT_LT(((dense.risk - reference.risk) / reference.risk).abs().maxCoeff(), 1e-8);
  EXPECT_LT(dense.accepted, 400);
}

TEST(Flow, JacobianMatchesFiniteDifferences) {
  ModeSystem system = coupled(Eigen::ArrayXd::LinSpaced(4, 0.2, 2));
  system.extra_initial = Eigen::ArrayXd::Constant(1, 0.7);
  system.extra_rate = [](const Now& now) { return Eigen::ArrayXd(0.1 * (now.risk - now.extra)); };
  const Flow flow{&system, smooth_schedule()};
  std::vector<double> x{0.3, 0.2, 0.5, 0.1, 0.7}, up(5), down(5), jacobian(25), dfdt(5);
  flow.jacobian(x.data(), jacobian.data(), dfdt.data(), 2.0);
  for (int j = 0; j < 5; ++j) {
    std::vector<double> y = x;
    y[j] = x[j] + 1e-6;
    flow(y, up, 2.0);
    y[j] = x[j] - 1e-6;
    flow(y, down, 2.0);
    for (int i = 0; i < 5; ++i)
      EXPECT_NEAR(jacobian[5 * i + j], (up[i] - down[i]) / 2e-6, 1e-7) << i << ' ' << j;
  }
}

}  // namespace
}  // namespace riskcurve
