#include "riskcurve/integrate/solve.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "power_law_problem.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

SolveOptions with(Method method, double rtol) {
  SolveOptions options;
  options.method = method;
  options.rtol = rtol;
  return options;
}

double largest_relative_difference(const RiskCurve& a, const RiskCurve& b) {
  EXPECT_EQ(a.status, RiskCurve::Status::ok) << a.message;
  EXPECT_EQ(b.status, RiskCurve::Status::ok) << b.message;
  return ((a.risk - b.risk) / b.risk).abs().maxCoeff();
}

/// Two optimizers with one mode each way, as a plain mode system.
ModeSystem one_mode(double a, double h, double c, double s0, std::function<double(double)> g,
                    std::function<double(double)> n) {
  ModeSystem system;
  system.weight = Eigen::ArrayXd::Constant(1, h);
  system.drift = Eigen::ArrayXd::Constant(1, a);
  system.diffusion = Eigen::ArrayXd::Constant(1, c);
  system.initial = Eigen::ArrayXd::Constant(1, s0);
  system.response = [g, n](const Now& now) {
    return Response{Eigen::ArrayXd::Constant(1, g(now.risk)),
                    Eigen::ArrayXd::Constant(1, n(now.risk))};
  };
  return system;
}

TEST(Solve, IsotropicSgdFollowsItsClosedForm) {
  // K = I, batch b, noise v^2: R' = -2 gamma R + gamma^2 d (2R + v^2)/(2b), linear in R.
  const double d = 300, v2 = 0.25, gamma = 0.002, b = 2;
  VectorProblem problem{isotropic(d), gaussian_noise(0.5), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(21, 0, 4000);
  const RiskCurve curve = solve(mode_system(problem, Sgd{2}), constant_schedule(gamma), at);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  const double rate = 2 * gamma - gamma * gamma * d / b;
  const double floor = gamma * gamma * d * v2 / (2 * b) / rate;
  const Eigen::ArrayXd exact = floor + (1 - floor) * (-rate * at).exp();
  EXPECT_LT(((curve.risk - exact) / exact).abs().maxCoeff(), 1e-10);
}

TEST(Solve, NoiselessSignSgdOfOneModeFollowsItsClosedForm) {
  // s' = -2 gamma a s/sqrt(s) with R = s/2, h = 1, no diffusion: sqrt(s) falls linearly.
  const ModeSystem system = one_mode(
      0.7, 1, 0, 4.0, [](double r) { return 1 / std::sqrt(2 * r); }, [](double) { return 0.0; });
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(10, 0, 250);
  const RiskCurve curve = solve(system, constant_schedule(0.01), at);
  const Eigen::ArrayXd exact = 0.5 * (2 - 0.7 * 0.01 * at).square();
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  EXPECT_LT(((curve.risk - exact) / exact).abs().maxCoeff(), 1e-9);
}

TEST(Solve, ExponentialAgreesWithDopri5ToOneInHundredMillion) {
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(11, 0, 3000);
  const auto compare = [&](const ModeSystem& system, const Schedule& step) {
    const RiskCurve fast = solve(system, step, at);
    const RiskCurve slow = solve(system, step, at, with(Method::dopri5, 1e-12));
    return largest_relative_difference(fast, slow);
  };
  for (const NoiseLaw& noise : {gaussian_noise(0.3), laplace_noise(0.2)}) {
    const VectorProblem problem = power_law_problem(400, 0.6, 0.2, noise);
    for (const Schedule& step : {constant_schedule(3e-4), cosine_schedule(5e-4, 0, 3000),
                                 warm_up(power_decay_schedule(6e-4, 0.5, 100), 200),
                                 piecewise_schedule({0, 777.5, 2000}, {4e-4, 1e-4, 6e-4})}) {
      EXPECT_LT(compare(mode_system(problem, Sgd{4}), step), 1e-8)
          << noise.kind << ' ' << step.kind;
      EXPECT_LT(compare(mode_system(problem, SignSgd{4}), step), 1e-8)
          << noise.kind << ' ' << step.kind;
      EXPECT_LT(compare(mode_system(problem, ClippedSgd{4, constant_schedule(0.5)}), step), 1e-8)
          << noise.kind << ' ' << step.kind;
    }
  }
}

TEST(Solve, Rosenbrock4AgreesWithTheDefault) {
  const VectorProblem problem = power_law_problem(60, 0.8, 0.2, student_t_noise(3, 0.2));
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(6, 0, 2000);
  for (const ModeSystem& system :
       {mode_system(problem, Sgd{2}), mode_system(problem, SignSgd{2})}) {
    const RiskCurve fast = solve(system, constant_schedule(2e-3), at);
    const RiskCurve slow =
        solve(system, constant_schedule(2e-3), at, with(Method::rosenbrock4, 1e-8));
    EXPECT_LT(largest_relative_difference(fast, slow), 1e-6);
  }
}

TEST(Solve, NoiselessSignSgdNearItsStationaryRiskIsNotStiffForTheDefault) {
  // The coupling through 1/sqrt(2R) makes this a trap for explicit steppers. Stationary risk:
  // R = gamma n/(4 g) sum h c/a with g = 2/(pi sqrt(2R)).
  const VectorProblem problem = power_law_problem(100, 1.5, 0.2, no_noise());
  const ModeSystem system = mode_system(problem, SignSgd{1});
  const double gamma = 1e-5;
  Eigen::ArrayXd at(3);
  at << 0, 1e7, 1e11;
  const RiskCurve curve = solve(system, constant_schedule(gamma), at);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  const double sum = (system.weight * system.diffusion.col(0) / system.drift.col(0)).sum();
  const double root = gamma * M_PI / 8 * std::sqrt(2.0) * sum;  // sqrt(R)
  EXPECT_NEAR(curve.risk[2] / (root * root), 1, 1e-8);
  EXPECT_LT(curve.accepted, 3000);
}

TEST(Solve, ListedAndAnalyticSpectraOfAMillionModesGiveOneCurve) {
  Eigen::ArrayXd eigenvalues(1000000);
  for (Eigen::Index j = 0; j < eigenvalues.size(); ++j)
    eigenvalues[j] = std::pow(static_cast<double>(j + 1), -1.2);
  VectorProblem listed{from_eigenvalues(eigenvalues), gaussian_noise(0.1), {}, {}, {}};
  listed.initial = power_law_target(listed.covariance.spectrum, 0.2, 1.0);
  Eigen::ArrayXd at(5);
  at << 0, 1e2, 1e4, 1e5, 1e6;
  const RiskCurve curve =
      solve(compress(mode_system(listed, SignSgd{8})), constant_schedule(1e-6), at);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  // The analytic spectrum takes another road (Gauss nodes in the index) to the same curve.
  const RiskCurve analytic =
      solve(mode_system(power_law_problem(1e6, 0.6, 0.2, gaussian_noise(0.1)), SignSgd{8}),
            constant_schedule(1e-6), at);
  EXPECT_LT(largest_relative_difference(curve, analytic), 1e-8);
}

TEST(Solve, SumOfProductsEqualsItsSingleProduct) {
  // a_k split into two drift products with the same total must change nothing.
  const ModeSystem one = mode_system(power_law_problem(50, 0.7, 0.2, gaussian_noise(0.2)), Sgd{3});
  ModeSystem two = one;
  two.drift.resize(one.modes(), 2);
  two.drift.col(0) = 0.3 * one.drift.col(0);
  two.drift.col(1) = one.drift.col(0).square();
  two.drift.conservativeResize(one.modes(), 3);
  two.drift.col(2) = 0.7 * one.drift.col(0) - one.drift.col(0).square();
  two.response = [inner = one.response](const Now& now) {
    Response response = inner(now);
    response.drift = Eigen::ArrayXd::Ones(3);
    return response;
  };
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(9, 0, 4000);
  const Schedule step = cosine_schedule(2e-3, 1e-4, 4000);
  EXPECT_LT(largest_relative_difference(solve(two, step, at), solve(one, step, at)), 1e-9);
}

TEST(Solve, ResponsesThatChangeModeByModeAgreeWithDopri5) {
  // Drift with two products whose responses differ, two noises: no common clock.
  const Eigen::Index n = 30;
  ModeSystem system;
  const Eigen::ArrayXd index = Eigen::ArrayXd::LinSpaced(n, 1, n);
  system.weight = index.pow(-1.0);
  system.drift.resize(n, 2);
  system.drift.col(0) = index.pow(-1.0);
  system.drift.col(1) = index.pow(-0.5);
  system.diffusion.resize(n, 2);
  system.diffusion.col(0) = index.pow(-1.0);
  system.diffusion.col(1).setConstant(0.1);
  system.initial = index.pow(-0.5);
  system.response = [](const Now& now) {
    const double r = now.risk;
    Response response{Eigen::ArrayXd(2), Eigen::ArrayXd(2)};
    response.drift << 1 / (1 + r), 0.3 / std::sqrt(r + 0.01);
    response.diffusion << 2 * r + 0.1, 1 / (1 + r);
    return response;
  };
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(9, 0, 800);
  const Schedule step = power_decay_schedule(0.02, 0.3, 50);
  EXPECT_LT(largest_relative_difference(solve(system, step, at),
                                        solve(system, step, at, with(Method::dopri5, 1e-12))),
            1e-8);
}

TEST(Solve, ExtraScalarStateAgreesWithDopri5) {
  // Adam with a slow second moment V: dV/dt = rate (2P/b - V), a = lambda/sqrt(V).
  ModeSystem system = mode_system(power_law_problem(80, 0.6, 0.2, gaussian_noise(0.5)), Sgd{1});
  system.extra_initial = Eigen::ArrayXd::Constant(1, 3.0);
  system.extra_rate = [](const Now& now) {
    return Eigen::ArrayXd(0.004 * (2 * now.risk + 0.25 - now.extra));
  };
  system.response = [](const Now& now) {
    const double v = now.extra[0];
    return Response{Eigen::ArrayXd::Constant(1, 1 / std::sqrt(v)),
                    Eigen::ArrayXd::Constant(1, (2 * now.risk + 0.25) / v)};
  };
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(9, 0, 3000);
  const Schedule step = constant_schedule(1e-3);
  EXPECT_LT(largest_relative_difference(solve(system, step, at),
                                        solve(system, step, at, with(Method::dopri5, 1e-12))),
            1e-8);
}

TEST(Solve, ResponsesSeeTheStepSizeAndExtraStatesOfTheInstant) {
  // Clipping that follows the step size, told of it or reading the schedule: one curve, whichever
  // way it is integrated.
  const Schedule step = power_decay_schedule(2e-3, 0.5, 100);
  const auto damped = [](double gamma) {
    return Response{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Constant(1, 1 / (1 + 400 * gamma))};
  };
  ModeSystem told = mode_system(power_law_problem(50, 0.7, 0.2, gaussian_noise(0.2)), Sgd{3}),
             reads = told;
  told.response = [damped](const Now& now) { return damped(now.gamma); };
  reads.response = [damped, step](const Now& now) { return damped(step(now.time)); };
  told.observable["gamma"] = [](const ModeSystem&, const Now& now, const Eigen::ArrayXd& s) {
    return now.state == &s ? now.gamma : NAN;
  };
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(9, 0, 4000);
  for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
    const RiskCurve curve = solve(told, step, at, with(method, 1e-8));
    EXPECT_LT(largest_relative_difference(curve, solve(reads, step, at, with(method, 1e-8))),
              1e-13);
    EXPECT_TRUE(
        (curve.observable.at("gamma") == at.unaryExpr([&](double t) { return step(t); })).all());
  }
}

TEST(Solve, StartAtTheOptimumRisesFromZero) {
  VectorProblem problem{isotropic(200), gaussian_noise(1.0), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 0.0);
  const double gamma = 1e-3, d = 200;
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(6, 0, 2000);
  const RiskCurve curve = solve(mode_system(problem, Sgd{1}), constant_schedule(gamma), at);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  const double rate = 2 * gamma - gamma * gamma * d;
  const Eigen::ArrayXd exact = gamma * gamma * d / (2 * rate) * (1 - (-rate * at).exp());
  EXPECT_EQ(curve.risk[0], 0);
  EXPECT_LT(((curve.risk - exact) / exact.maxCoeff()).abs().maxCoeff(), 1e-8);
}

TEST(Solve, ZeroRiskWithoutNoiseStaysZero) {
  VectorProblem problem{isotropic(50), no_noise(), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 0.0);
  const RiskCurve curve = solve(mode_system(problem, Sgd{1}), constant_schedule(1e-3),
                                Eigen::ArrayXd::LinSpaced(3, 0, 100));
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  ASSERT_EQ(curve.risk.size(), 3);
  EXPECT_EQ(curve.risk.maxCoeff(), 0);
}

TEST(Solve, VanishingRiskIsReportedAsZeroWithAWarning) {
  VectorProblem problem{isotropic(50), no_noise(), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  Eigen::ArrayXd at(3);
  at << 0, 1e3, 1e7;
  const RiskCurve curve = solve(mode_system(problem, Sgd{1}), constant_schedule(1e-3), at);
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  EXPECT_NEAR(std::log(curve.risk[1]), -(2e-3 - 1e-6 * 50) * 1e3, 1e-7);
  EXPECT_EQ(curve.risk[2], 0);
  ASSERT_EQ(curve.warnings.size(), 1u);
  EXPECT_NE(curve.warnings[0].find("reported as 0"), std::string::npos);
}

TEST(Solve, UnstableStepsAreSaidToDiverge) {
  VectorProblem problem{isotropic(100), gaussian_noise(0.1), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
    const RiskCurve curve = solve(mode_system(problem, Sgd{1}), constant_schedule(0.05),
                                  Eigen::ArrayXd::LinSpaced(3, 0, 10000), with(method, 1e-8));
    EXPECT_EQ(curve.status, RiskCurve::Status::diverged);
    EXPECT_NE(curve.message.find("diverges"), std::string::npos) << curve.message;
    EXPECT_EQ(curve.risk.size(), 1);
  }
}

TEST(Solve, NonFiniteResponsesFailWithALine) {
  ModeSystem system = one_mode(
      1, 1, 1, 1, [](double) { return 1.0; }, [](double r) { return r < 0.5 ? NAN : 0.0; });
  for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
    const RiskCurve curve = solve(system, constant_schedule(0.01),
                                  Eigen::ArrayXd::LinSpaced(3, 0, 1000), with(method, 1e-8));
    EXPECT_EQ(curve.status, RiskCurve::Status::failed) << static_cast<int>(method);
    EXPECT_FALSE(curve.message.empty());
  }
}

TEST(Solve, StepsAreBounded) {
  SolveOptions options = with(Method::dopri5, 1e-12);
  options.max_steps = 20;
  const RiskCurve curve =
      solve(mode_system(power_law_problem(50, 1, 0.2, no_noise()), Sgd{1}), constant_schedule(0.1),
            Eigen::ArrayXd::LinSpaced(2, 0, 1e6), options);
  EXPECT_EQ(curve.status, RiskCurve::Status::failed);
  EXPECT_NE(curve.message.find("max_steps"), std::string::npos) << curve.message;
}

TEST(Solve, RejectedTriesCountTooAndMayBeInterrupted) {
  // No step is ever acceptable.
  const ModeSystem system = one_mode(
      1, 1, 1, 1, [](double) { return NAN; }, [](double) { return NAN; });
  for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
    SolveOptions options = with(method, 1e-8);
    options.max_steps = 30;
    int asked = 0;
    options.progress = [&](double) { return ++asked > 0; };
    const auto run = [&] {
      return solve(system, constant_schedule(0.01), Eigen::ArrayXd::Constant(1, 1e6), options);
    };
    EXPECT_EQ(run().status, RiskCurve::Status::failed);
    EXPECT_GE(asked, 30) << static_cast<int>(method);
    EXPECT_NE(run().message.find("max_steps = 30"), std::string::npos) << run().message;
    options.max_steps = 1000000;
    asked = 0;
    EXPECT_EQ(run().status, RiskCurve::Status::failed);
    EXPECT_LT(asked, 1000);
    asked = 0;
    options.progress = [&](double) { return ++asked < 10; };
    EXPECT_EQ(run().status, RiskCurve::Status::interrupted) << static_cast<int>(method);
    EXPECT_EQ(asked, 10);
  }
}

TEST(Solve, AHopelessPaceIsSaidAtOnce) {
  // Twenty modes forget within steps of time; explicit steps would follow them 10^12 times.
  const ModeSystem system =
      mode_system(power_law_problem(20, 0.5, 0.2, gaussian_noise(0.3)), Sgd{4});
  Eigen::ArrayXd at(2);
  at << 1e12, 2e12;
  EXPECT_EQ(solve(system, constant_schedule(0.1), at).status, RiskCurve::Status::ok);
  SolveOptions options = with(Method::dopri5, 1e-8);
  int asked = 0;
  options.progress = [&](double) { return ++asked > 0; };
  const RiskCurve curve = solve(system, piecewise_schedule({0, 1e10}, {1e-11, 0.1}), at, options);
  EXPECT_EQ(curve.status, RiskCurve::Status::failed);
  EXPECT_NE(curve.message.find("max_steps"), std::string::npos) << curve.message;
  EXPECT_LE(asked, 1000001);
}

TEST(Solve, Rosenbrock4KeepsItsOrderUnderAStepSizeThatChanges) {
  const ModeSystem system =
      mode_system(power_law_problem(30, 0.8, 0.2, gaussian_noise(0.3)), Sgd{2});
  const Schedule step = tabulated_schedule({0, 20, 1000}, {1e-6, 0.1, 1e-4});
  const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(5, 10, 1000);
  const RiskCurve fast = solve(system, step, at);
  const RiskCurve slow = solve(system, step, at, with(Method::rosenbrock4, 1e-8));
  EXPECT_LT(largest_relative_difference(slow, fast), 1e-7);
  EXPECT_LT(slow.accepted, 2000);
}

TEST(Solve, InterruptsWhenToldTo) {
  SolveOptions options;
  options.progress = [](double) { return false; };
  const RiskCurve curve =
      solve(mode_system(power_law_problem(50, 1, 0.2, no_noise()), Sgd{1}), constant_schedule(0.01),
            Eigen::ArrayXd::LinSpaced(5, 0, 1e4), options);
  EXPECT_EQ(curve.status, RiskCurve::Status::interrupted);
}

TEST(Solve, BadTimesAndTolerancesAreNamed) {
  const ModeSystem system = mode_system(power_law_problem(5, 1, 0.2, no_noise()), Sgd{1});
  const Schedule step = constant_schedule(0.01);
  Eigen::ArrayXd falling(2), negative(1);
  falling << 5, 3;
  negative << -1;
  EXPECT_THROW(solve(system, step, falling), InputError);
  EXPECT_THROW(solve(system, step, negative), InputError);
  EXPECT_THROW(solve(system, step, Eigen::ArrayXd()), InputError);
  EXPECT_THROW(solve(system, step, Eigen::ArrayXd::Zero(1), with(Method::exponential, 0)),
               InputError);
  EXPECT_THROW(solve(system, step, Eigen::ArrayXd::Constant(1, NAN)), InputError);
}

TEST(Solve, DefaultStatusIsNotRun) {
  EXPECT_STREQ(name(RiskCurve{}.status), "not run");
}

TEST(Solve, AnInitialRiskBelowTheLeastIsTakenAsZeroAndSaysSo) {
  VectorProblem problem = power_law_problem(200, 0.3, 0.2, gaussian_noise(0.0));
  problem.initial *= 1e-300;
  const Eigen::ArrayXd at{{0.0, 10.0, 100.0}};
  const RiskCurve quiet = solve(mode_system(problem, Sgd{1}), constant_schedule(0.01), at);
  EXPECT_TRUE((quiet.risk == 0).all());
  ASSERT_EQ(quiet.warnings.size(), 1U);
  EXPECT_EQ(quiet.warnings[0], "the initial risk 1e-300 is below 1e-280 and is taken as 0");
  // Noise lifts it from there, as from 0.
  problem.noise = gaussian_noise(0.1);
  const RiskCurve noisy = solve(mode_system(problem, Sgd{1}), constant_schedule(0.01), at);
  problem.initial.setZero();
  const RiskCurve none = solve(mode_system(problem, Sgd{1}), constant_schedule(0.01), at);
  EXPECT_TRUE((noisy.risk == none.risk).all());
  EXPECT_EQ(noisy.warnings.size(), 1U);
}

TEST(Solve, NamesTheEigenvalueThatOverflowsAndTheRtolItTakes) {
  VectorProblem problem = power_law_problem(200, 0.3, 0.2, gaussian_noise(0.1));
  problem.covariance.spectrum.value[0] = 1e308;
  problem.covariance.spectrum.multiplicity[0] = 10;
  Experiment experiment;
  experiment.problem = problem;
  experiment.optimizer = Sgd{1};
  try {
    mode_system(experiment);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "problem.covariance, largest eigenvalue = 1e308: expected less: the rates of sgd "
                 "are beyond the largest number");
  }
  try {
    check_rtol(1e-14, "--rtol");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "--rtol = 1e-14: expected a number >= 1e-13 and < 1");
  }
}

}  // namespace
}  // namespace riskcurve
