// Chains around the update, solved step by step: against closed forms, other code and differences.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Matrix2d;
using Eigen::Vector2d;

Experiment experiment_of(const Optimizer& optimizer, double step, double steps, double d = 60) {
  Experiment e;
  e.problem = power_law_problem(d, 0.6, 0.2, gaussian_noise(0.3));
  e.optimizer = optimizer;
  e.schedule = constant_schedule(step);
  e.run = run_for(steps, 20);
  return e;
}

/// A mode of unit rate and weight with gradient noise of unit variance, whatever the risk.
ModeSystem one_mode(double lambda, const Chain& chain) {
  Experiment e = experiment_of(Sgd{1}, 0.1, 10);
  e.chain = chain;
  ModeSystem system = mode_system(e);
  system.weight = ArrayXd::Ones(1);
  system.drift = ArrayXd::Constant(1, lambda);
  system.diffusion = ArrayXd::Ones(1);
  system.initial = ArrayXd::Ones(1);
  system.multiplicity = ArrayXd::Ones(1);
  system.response = [](const Now&) { return Response{ArrayXd::Ones(1), ArrayXd::Ones(1)}; };
  return system;
}

double at_rest(const ModeSystem& system, double step) {
  const RiskCurve curve =
      solve(system, constant_schedule(step), ArrayXd::Constant(1, 20000), SolveOptions{});
  return 2 * curve.risk[0];
}

Chain heavy_ball(double momentum, bool nesterov = false) {
  Chain chain;
  chain.momentum = constant_schedule(momentum);
  chain.nesterov = nesterov;
  return chain;
}

TEST(Recursion, HeavyBallRestsAtItsClosedVariance) {
  const double lambda = 0.7;
  for (const double beta : {0.3, 0.9})
    for (const double gamma : {0.02, 0.5}) {
      const double s = gamma * lambda;
      const double expected = gamma * gamma * (1 + beta) / (s * (1 - beta) * (2 * (1 + beta) - s));
      EXPECT_NEAR(at_rest(one_mode(lambda, heavy_ball(beta)), gamma) / expected, 1, 1e-10);
    }
}

TEST(Recursion, NesterovRestsAtItsClosedVariance) {
  const double lambda = 0.7;
  for (const double b : {0.3, 0.9})
    for (const double gamma : {0.02, 0.5}) {
      const double s = gamma * lambda;
      const double numerator =
          (1 + b * (1 - s)) * ((1 + b) * (1 + b) + b * b) - 2 * b * (1 + b) * (1 + b) * (1 - s);
      const double expected =
          gamma * gamma * numerator / (s * (1 - b * (1 - s)) * (1 + (1 - s) * (1 + 2 * b)));
      EXPECT_NEAR(at_rest(one_mode(lambda, heavy_ball(b, true)), gamma) / expected, 1, 1e-10);
    }
}

TEST(Recursion, StabilityEndsWhereTheClosedBordersSay) {
  for (const double b : {0.5, 0.9}) {
    const auto grows = [&](double s, bool nesterov) {
      const RiskCurve curve = solve(one_mode(1, heavy_ball(b, nesterov)), constant_schedule(s),
                                    ArrayXd::Constant(1, 40000), SolveOptions{});
      return curve.status == RiskCurve::Status::diverged;
    };
    EXPECT_FALSE(grows(0.999 * 2 * (1 + b), false));
    EXPECT_TRUE(grows(1.01 * 2 * (1 + b), false));
    const double border = 2 * (1 + b) / (1 + 2 * b);
    EXPECT_FALSE(grows(0.999 * border, true));
    EXPECT_TRUE(grows(1.01 * border, true));
  }
}

/// E of SGD with PyTorch's buffer and decoupled decay, by plain 3 x 3 matrices of every mode.
ArrayXd by_hand(const VectorProblem& problem, double gamma, double mu, bool nesterov, double decay,
                int batch, int steps) {
  const ArrayXd& lambda = problem.covariance.spectrum.value;
  std::vector<Eigen::Matrix3d> s;
  Eigen::Vector3d x0(1, 0, -1);
  for (const double square : problem.initial) s.emplace_back(square * x0 * x0.transpose());
  ArrayXd risk(steps + 1);
  for (int k = 0; k <= steps; ++k) {
    double r = 0;
    for (std::size_t i = 0; i < s.size(); ++i)
      r += 0.5 * lambda[static_cast<Eigen::Index>(i)] * s[i](0, 0);
    risk[k] = r;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const double l = lambda[static_cast<Eigen::Index>(i)];
      Eigen::Matrix3d a = Eigen::Matrix3d::Identity();
      a.row(1) << l, mu, 0;  // m <- mu m + lambda Delta
      const Eigen::RowVector3d update =
          nesterov ? Eigen::RowVector3d(l * (1 + mu), mu * mu, 0) : Eigen::RowVector3d(a.row(1));
      a.row(0) = Eigen::RowVector3d(1 - gamma * decay, 0, -gamma * decay) - gamma * update;
      const Eigen::Vector3d noise(-gamma * (nesterov ? 1 + mu : 1), 1, 0);
      s[i] = (a * s[i] * a.transpose() +
              l * (2 * r + problem.noise.variance) / batch * noise * noise.transpose())
                 .eval();
    }
  }
  return risk;
}

TEST(Recursion, IsTheBruteForceOverAllModes) {
  for (const bool nesterov : {false, true}) {
    Experiment e = experiment_of(Sgd{4}, 0.05, 400);
    e.chain = heavy_ball(0.8, nesterov);
    e.chain.weight_decay = constant_schedule(0.02);
    const RiskCurve curve = predict(e).curve;
    const ArrayXd expected = by_hand(e.vector(), 0.05, 0.8, nesterov, 0.02, 4, 400);
    for (Eigen::Index i = 0; i < curve.steps.size(); ++i)
      EXPECT_NEAR(curve.risk[i] / expected[static_cast<Eigen::Index>(curve.steps[i])], 1, 1e-12);
  }
}

TEST(Recursion, MergedModesKeepTheCurve) {
  Experiment e = experiment_of(Sgd{4}, 0.02, 3000, 3000);
  e.chain = heavy_ball(0.9);
  e.chain.weight_decay = constant_schedule(0.01);
  const RiskCurve merged = predict(e).curve;
  SolveOptions whole;
  whole.keep_modes = true;
  const RiskCurve all = predict(e, whole).curve;
  for (Eigen::Index i = 0; i < all.risk.size(); ++i)
    EXPECT_NEAR(merged.risk[i] / all.risk[i], 1, 1e-9);
}

TEST(Recursion, ChainsThatDoNothingAreTheBareUpdate) {
  Experiment e = experiment_of(Sgd{2}, 0.1, 300);
  SolveOptions options;
  options.method = Method::recursion;
  const ArrayXd bare = predict(e, options).curve.risk;
  const auto gap = [&](const Chain& chain) {
    Experiment around = e;
    around.chain = chain;
    return (predict(around).curve.risk / bare - 1).abs().maxCoeff();
  };
  EXPECT_LT(gap(heavy_ball(1e-14)), 1e-12);
  Chain decay;
  decay.weight_decay = constant_schedule(1e-14);
  EXPECT_LT(gap(decay), 1e-12);
  Chain look;
  look.lookahead = Lookahead{5, 1};
  EXPECT_LT(gap(look), 1e-12);
  Chain one_worker;
  one_worker.local = LocalSteps{1, 7, 1, 0};
  EXPECT_LT(gap(one_worker), 1e-12);
}

TEST(Recursion, ZeroAndOneAreTheEndsOfAnAverage) {
  Experiment e = experiment_of(Sgd{2}, 0.1, 300);
  e.chain.average = EmaAverage{0};
  RiskCurve curve = predict(e).curve;
  EXPECT_LT((curve.averaged_risk / curve.risk - 1).abs().maxCoeff(), 1e-13);
  e.chain.average = EmaAverage{1};
  curve = predict(e).curve;
  EXPECT_LT((curve.averaged_risk / curve.risk[0] - 1).abs().maxCoeff(), 1e-13);
}

TEST(Recursion, ManyWorkersShareNoNoise) {
  // W copies that meet after every step are one run with W times the batch.
  Experiment e = experiment_of(Sgd{2}, 0.1, 200);
  e.chain.local = LocalSteps{4, 1, 1, 0};
  Experiment large = experiment_of(Sgd{8}, 0.1, 200);
  large.chain.average = EmaAverage{0};
  EXPECT_LT((predict(e).curve.risk / predict(large).curve.risk - 1).abs().maxCoeff(), 1e-11);
}

// The continuum is the limit of small steps: halving them halves the distance.
TEST(Recursion, TendsToTheContinuumInFirstOrder) {
  const auto gap = [](double step) {
    Experiment e = experiment_of(Sgd{2}, step, 20 / step);
    SolveOptions options;
    options.method = Method::recursion;
    return (predict(e, options).curve.risk / predict(e).curve.risk - 1).abs().maxCoeff();
  };
  EXPECT_NEAR(gap(0.02) / gap(0.01), 2, 0.1);
}

// The same of a chain whose memory grows as its steps shrink.
TEST(Recursion, OfAChainTendsToItsContinuumInFirstOrder) {
  const auto gap = [](double step) {
    Experiment e = experiment_of(Sgd{8}, 0.1 * step * step, 20 / step);
    e.chain = heavy_ball(1 - step);
    e.chain.weight_decay = constant_schedule(0.2);
    SolveOptions options;
    options.method = Method::dopri5;
    return (predict(e, options).curve.risk / predict(e).curve.risk - 1).abs().maxCoeff();
  };
  EXPECT_NEAR(gap(0.02) / gap(0.01), 2, 0.2);
}

// dR(T)/dx of steps, momentum and decay against differences.
void check_slopes(Experiment e, double tolerance) {
  const double horizon = e.run.steps;
  const ModeSystem system = mode_system(e);
  const Sensitivity s = sensitivity(system, e.schedule, horizon);
  ASSERT_EQ(s.curve.status, RiskCurve::Status::ok) << s.curve.message;
  const auto risk = [&](const Experiment& at) {
    return solve(mode_system(at), at.schedule, ArrayXd::Constant(1, horizon)).risk[0];
  };
  EXPECT_NEAR(s.risk / risk(e), 1, 1e-13);
  const auto difference = [&](const std::function<void(Experiment&, double)>& set, double x) {
    const auto at = [&](double shift) {
      Experiment moved = e;
      set(moved, x * (1 + shift));
      return risk(moved);
    };
    const double d = 1e-3;
    return (8 * (at(d) - at(-d)) - (at(2 * d) - at(-2 * d))) / (12 * d * x);
  };
  const double by_step = difference(
      [](Experiment& at, double x) { at.schedule = constant_schedule(x); }, e.schedule(0));
  EXPECT_NEAR(s.gradient.sum() / by_step, 1, tolerance);
  if (e.chain.momentum) {
    const double by_momentum =
        difference([](Experiment& at, double x) { at.chain.momentum = constant_schedule(x); },
                   (*e.chain.momentum)(0));
    EXPECT_NEAR(s.momentum.sum() / by_momentum, 1, tolerance);
  }
  if (e.chain.weight_decay) {
    const double by_decay =
        difference([](Experiment& at, double x) { at.chain.weight_decay = constant_schedule(x); },
                   (*e.chain.weight_decay)(0));
    EXPECT_NEAR(s.weight_decay.sum() / by_decay, 1, tolerance);
  }
}

TEST(RecursionAdjoint, IsTheDerivativeOfSgdByStepMomentumAndDecay) {
  Experiment e = experiment_of(Sgd{2}, 0.03, 300);
  e.chain = heavy_ball(0.8, true);
  e.chain.weight_decay = constant_schedule(0.05);
  check_slopes(e, 1e-7);
}

TEST(RecursionAdjoint, IsTheDerivativeOfSignSgdByStepMomentumAndDecay) {
  Experiment e = experiment_of(SignSgd{4}, 0.002, 400, 300);
  e.chain = heavy_ball(0.9);
  e.chain.weight_decay = constant_schedule(0.5);
  check_slopes(e, 1e-6);
}

TEST(RecursionAdjoint, IsTheDerivativeThroughMeanAndVarianceOfDirections) {
  Experiment e = experiment_of(SignSgd{16}, 0.003, 300, 100);
  std::get<VectorProblem>(e.problem).covariance.orientation = Orientation::diagonal;
  e.chain = heavy_ball(0.8, true);
  e.chain.weight_decay = constant_schedule(0.5);
  ASSERT_TRUE(mode_system(e).directions);
  check_slopes(e, 1e-6);
  e.chain.nesterov = false;
  e.chain.weight_decay.reset();
  e.chain.l2 = 0.05;
  e.chain.lookahead = Lookahead{6, 0.5};
  check_slopes(e, 1e-6);
}

TEST(RecursionAdjoint, GoesThroughTheRootOfSquares) {
  for (const bool diagonal : {false, true}) {
    Experiment e = experiment_of(Adam{16, {0.9, 0.99}}, 0.003, 300, 100);
    if (diagonal) std::get<VectorProblem>(e.problem).covariance.orientation = Orientation::diagonal;
    e.chain.weight_decay = constant_schedule(0.5);
    check_slopes(e, 1e-6);
    e.optimizer = RmsProp{16, 0.9};
    check_slopes(e, 1e-6);
    e.optimizer = AdaGrad{16};
    check_slopes(e, 1e-6);
  }
}

TEST(RecursionAdjoint, GoesThroughWorkersAndTheirMeetings) {
  Experiment e = experiment_of(Sgd{2}, 0.03, 300);
  e.chain.local = LocalSteps{4, 20, 0.7, 0.9};
  check_slopes(e, 1e-7);
  Experiment look = experiment_of(Sgd{2}, 0.03, 300);
  look.chain = heavy_ball(0.7);
  look.chain.lookahead = Lookahead{6, 0.5};
  check_slopes(look, 1e-7);
}

TEST(RecursionAdjoint, GoesThroughScheduleFreeWeights) {
  Experiment e = experiment_of(Sgd{2}, 0.05, 300);
  e.chain.schedule_free = ScheduleFree{0.9, 2};
  e.schedule = power_decay_schedule(0.1, 0.3, 50);
  const Sensitivity s = sensitivity(mode_system(e), e.schedule, 300);
  const auto risk = [&](double shift) {  // of one step among the others
    const Schedule whole = e.schedule;
    const Schedule moved = custom_schedule(
        [whole, shift](double k) { return whole(k) * (k == 40 ? 1 + shift : 1); }, {});
    return solve(mode_system(e), moved, ArrayXd::Constant(1, 300)).risk[0];
  };
  const double d = 1e-2;
  EXPECT_NEAR(s.gradient[40] * e.schedule(40) / ((risk(d) - risk(-d)) / (2 * d)), 1, 1e-4);
}

}  // namespace
}  // namespace riskcurve
