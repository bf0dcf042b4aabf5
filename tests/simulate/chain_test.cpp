// What stands around the update, in runs: facts that hold exactly, of one step or of every run.
#include "riskcurve/problem/chain.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "problems.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

using testing_problems::experiment;
using testing_problems::problem;
using testing_problems::rows_problem;
using testing_problems::steps;

Experiment matrix(const std::string& optimizer, double step, const Eigen::ArrayXd& at) {
  Experiment e;
  e.problem = make_problem(power_law(9, 0.4, Orientation::generic), power_law(7, 0.4),
                           IsotropicTarget{0.7}, gaussian_noise(0.3));
  e.optimizer = optimizer_of(optimizer);
  e.schedule = constant_schedule(step);
  e.run = {at[at.size() - 1], at};
  return e;
}

/// One of every way to draw samples, and of every kind of update.
std::vector<Experiment> experiments(const Eigen::ArrayXd& at) {
  const NoiseLaw noise = laplace_noise(0.3);
  Eigen::MatrixXd rows(4, 3);
  rows << 1, 2, -1, 0.5, -1, 2, -2, 0.3, 0.7, 1.5, 1.5, 0.2;
  return {
      experiment(problem(power_law(20, 0.4), 0.7, noise), "name = 'sgd'\nbatch = 3", 0.05, at),
      experiment(problem(power_law(20, 0.4), 0.7, noise), "name = 'sign_sgd'\nbatch = 3", 0.01, at),
      experiment(problem(ar1(20, 0.6), 0.7, noise),
                 "name = 'clipped_sgd'\nbatch = 3\nthreshold = 0.5", 0.05, at),
      experiment(
          rows_problem(rows, Eigen::Vector3d(1, -0.5, 0.2), Eigen::Array4d(0.1, -0.3, 0.2, 0.05)),
          "name = 'sgd'", 0.05, at),
      matrix("name = 'sgd'\nbatch = 9", 0.05, at),
      matrix("name = 'sign_sgd'\nbatch = 9", 0.01, at)};
}

Ensemble run(const Experiment& e, int runs = 3) {
  return simulate(e, {.runs = runs, .seed = 4});
}
Ensemble run_with(Experiment e, const std::function<void(Chain&)>& change, int runs = 3) {
  change(e.chain);
  return run(e, runs);
}
bool same_risk(const Ensemble& a, const Ensemble& b) {
  return (a.risk == b.risk).all();
}
double gap(const Eigen::ArrayXXd& a, const Eigen::ArrayXXd& b) {
  return (a / b - 1).abs().maxCoeff();
}

/// K = 1 without noise, from Delta = 1: SGD's gradient is Delta itself, nothing is random.
Experiment line(double step, const Eigen::ArrayXd& at) {
  const VectorProblem p =
      rows_problem(Eigen::Vector2d(1, -1), Eigen::VectorXd::Ones(1), Eigen::Array2d::Zero());
  return experiment(p, "name = 'sgd'", step, at);
}
/// |Delta| of the only run.
Eigen::ArrayXd errors(const Experiment& e) {
  return (2 * run(e, 1).risk.col(0)).sqrt();
}

TEST(Chain, OfNothingIsTheBareUpdate) {
  const Schedule zero = piecewise_schedule({0}, {0});
  for (const Experiment& e : experiments(steps({0, 5, 300}))) {
    const Ensemble plain = run(e);
    EXPECT_EQ(plain.averaged_risk.size(), 0);
    EXPECT_EQ(plain.averaged_mean.size(), 0);
    EXPECT_TRUE(same_risk(plain, run_with(e, [&](Chain& c) { c.momentum = zero; })));
    EXPECT_TRUE(same_risk(plain, run_with(e, [&](Chain& c) { c.weight_decay = zero; })));
    EXPECT_TRUE(same_risk(plain, run_with(e, [&](Chain& c) { c.lookahead = Lookahead{7, 1}; })));
    EXPECT_TRUE(same_risk(plain, run_with(e, [&](Chain& c) { c.average = EmaAverage{}; })));
    const Ensemble local = run_with(e, [&](Chain& c) { c.local = LocalSteps{1, 3, 1, 0}; });
    EXPECT_LT(gap(local.risk, plain.risk), 1e-11);
  }
}

TEST(Chain, NumbersDoNotDependOnTheThreads) {
  for (Experiment e : experiments(steps({0, 5, 60}))) {
    e.chain.momentum = constant_schedule(0.8);
    e.chain.weight_decay = constant_schedule(0.1);
    e.chain.local = LocalSteps{3, 4, 0.7, 0.5};
    e.chain.batch = piecewise_schedule({0, 10}, {2, 5});
    const Ensemble one = simulate(e, {.runs = 5, .threads = 1});
    EXPECT_TRUE(same_risk(one, simulate(e, {.runs = 5, .threads = 3})));
    EXPECT_FALSE((one.risk.col(0) == one.risk.col(1)).tail(2).any());
  }
}

TEST(Momentum, AtTheCriticalStepDecaysAsItsSquareRoot) {
  // Delta' = (1 + m - gamma) Delta - m Delta_before has one double root, sqrt m.
  const double m = 0.64, root = 0.8, gamma = (1 - root) * (1 - root);
  Experiment e = line(gamma, steps({0, 1, 2, 5, 20}));
  e.chain.momentum = constant_schedule(m);
  const double slope = (1 - gamma) / root - 1;
  const Eigen::ArrayXd k = e.run.at;
  EXPECT_LT(gap(errors(e), (1 + slope * k) * Eigen::pow(root, k)), 1e-12);
}

TEST(Momentum, DampedTakesTheFirstGradientWhole) {
  // A damping of 1 leaves m^k of the first gradient for the update of step k.
  Experiment e = line(0.1, steps({0, 1, 2, 6}));
  e.chain.momentum = constant_schedule(0.5);
  e.chain.dampening = 1;
  const Eigen::ArrayXd k = e.run.at;
  EXPECT_LT(gap(errors(e), 1 - 0.1 * (1 - Eigen::pow(0.5, k)) / 0.5), 1e-12);
}

TEST(Momentum, OfNesterovEndsAtItsSecondNewtonStep) {
  // Delta'' = (1 + m)(1 - gamma) Delta' - m (1 - gamma) Delta, and Delta' = (1 - gamma (1 + m)).
  Experiment e = line(1, steps({0, 1, 2, 3}));
  e.chain.momentum = constant_schedule(0.9);
  e.chain.nesterov = true;
  EXPECT_LT((errors(e) - steps({1, 0.9, 0, 0})).abs().maxCoeff(), 1e-15);
}

TEST(Momentum, TakesItsValueOfEachStepFromItsSchedule) {
  // Without momentum at step 1 the first gradient is forgotten: (1 - gamma)^2.
  Experiment e = line(0.5, steps({0, 1, 2, 3}));
  e.chain.momentum = piecewise_schedule({0, 2}, {0, 1. / 4});
  EXPECT_LT((errors(e) - steps({1, 0.5, 0.25, 0.0625})).abs().maxCoeff(), 1e-15);
}

TEST(Momentum, BeforeASignKnowsNoUnitOfTheLabelsAndNoDampening) {
  for (const bool nesterov : {false, true}) {
    const auto sized = [&](double unit) {
      Experiment e =
          experiment(problem(power_law(20, 0.4), 0.7 * unit * unit, laplace_noise(0.3 * unit)),
                     "name = 'sign_sgd'\nbatch = 3", 0.01 * unit, steps({1, 200}));
      e.chain.momentum = constant_schedule(0.9);
      e.chain.nesterov = nesterov;
      return e;
    };
    const Ensemble one = run(sized(1)), four = run(sized(4));
    EXPECT_LT(gap(four.risk, 16 * one.risk), 1e-11);
    if (!nesterov) {
      EXPECT_TRUE(same_risk(one, run_with(sized(1), [](Chain& c) { c.dampening = 0.5; })));
    }
    EXPECT_FALSE(same_risk(one, run_with(sized(1), [](Chain& c) { c = {}; })));
  }
}

TEST(Momentum, BeforeASignStillMovesByExactlyGamma) {
  const double gamma = 0.013, start = std::sqrt(2 * 0.7);
  Experiment e = experiment(problem(isotropic(1), 0.7, student_t_noise(1, 0.5)),
                            "name = 'sign_sgd'", gamma, steps({5}));
  for (const bool nesterov : {false, true}) {
    e.chain.momentum = constant_schedule(0.9);
    e.chain.nesterov = nesterov;
    const Ensemble runs = run(e, 20);
    for (const double risk : runs.risk.row(0)) {
      const double moves = (std::sqrt(2 * risk) - start) / gamma;  // odd, as 5 of them are
      EXPECT_NEAR((moves + 5) / 2, std::round((moves + 5) / 2), 1e-9);
    }
  }
}

TEST(WeightDecay, OfSgdEndsAtTheRidgeSolution) {
  // theta_0 = 0, theta* = -1: theta goes to theta*/(1 + w), by 1 - gamma (1 + w) a step.
  const double w = 0.25, gamma = 0.1, end = w / (1 + w);
  Experiment e = line(gamma, steps({0, 1, 7, 400}));
  e.chain.weight_decay = constant_schedule(w);
  const Eigen::ArrayXd want =
      end + (1 - end) * Eigen::pow(1 - gamma * (1 + w), Eigen::ArrayXd(e.run.at));
  EXPECT_LT(gap(errors(e), want), 1e-12);
  Experiment l2 = line(gamma, e.run.at);
  l2.chain.l2 = w;
  EXPECT_LT(gap(errors(l2), want), 1e-12);
  // In momentum l2 is added up, weight decay is not.
  e.chain.momentum = l2.chain.momentum = constant_schedule(0.5);
  EXPECT_GT(gap(errors(e).segment(2, 1), errors(l2).segment(2, 1)), 0.01);
}

TEST(WeightDecay, PullsFromThetaStartInEveryBasis) {
  // From theta_0 = theta* without noise no gradient moves: a step leaves -gamma w theta*.
  const double w = 0.5, gamma = 0.1;
  const Eigen::VectorXd theta = Eigen::Vector4d(1, -2, 0.5, 3);
  Eigen::MatrixXd rows(3, 4);
  rows << 1, 2, -1, 0, 0.5, -1, 2, 1, -2, 0.3, 0.7, -1;
  Covariance generic = ar1(4, 0.6);
  generic.orientation = Orientation::generic;
  const VectorProblem of_rows = rows_problem(rows, theta, Eigen::Array3d::Zero());
  for (VectorProblem p : {problem(ar1(4, 0.6), 1), problem(generic, 1),
                          problem(power_law(4, 0.3, Orientation::diagonal), 1), of_rows}) {
    p.initial_error = Eigen::VectorXd::Zero(4);
    p.theta_start = theta;
    const Eigen::MatrixXd k = p.covariance.matrix
                                  ? *p.covariance.matrix
                                  : p.covariance.spectrum.expand().matrix().asDiagonal();
    const double want = 0.5 * std::pow(gamma * w, 2) * theta.dot(k * theta);
    for (const std::string name :
         {"name = 'sgd'", "name = 'sign_sgd'", "name = 'clipped_sgd'\nthreshold = 0.1"}) {
      Experiment e = experiment(p, name, gamma, steps({1}));
      e.chain.weight_decay = constant_schedule(w);
      EXPECT_NEAR(run(e, 1).risk(0, 0), want, 1e-13 * want) << p.covariance.kind << " " << name;
    }
  }
}

TEST(WeightDecay, DoesNothingToAParameterOfZero) {
  for (const Experiment& e : experiments(steps({0, 1, 2}))) {
    const Ensemble plain = run(e);
    const Ensemble decayed = run_with(e, [](Chain& c) { c.weight_decay = constant_schedule(0.5); });
    EXPECT_TRUE((plain.risk.topRows(2) == decayed.risk.topRows(2)).all());
    EXPECT_FALSE((plain.risk.row(2) == decayed.risk.row(2)).any());
  }
}

TEST(L2, BeforeASignMovesWhereTheGradientEnds) {
  // sign(Delta + w theta) changes sign where Delta = w/(1 + w): SignSGD stays within a step of it.
  Experiment e = line(0.01, steps({200, 201}));
  e.optimizer = SignSgd{};
  e.chain.l2 = 0.25;
  EXPECT_LE((errors(e) - 0.2).abs().maxCoeff(), 0.0101);
  // Decoupled decay only biases the steps: it ends elsewhere.
  e.chain = {};
  e.chain.weight_decay = constant_schedule(0.25);
  EXPECT_LE(errors(e).maxCoeff(), 0.0151);
}

TEST(Average, OfOneIterateIsThatIterate) {
  for (const Experiment& e : experiments(steps({0, 5, 60}))) {
    const Ensemble now = run_with(e, [](Chain& c) { c.average = EmaAverage{0}; });
    EXPECT_TRUE((now.averaged_risk == now.risk).all());
    EXPECT_TRUE((now.averaged_mean == now.mean).all() && (now.averaged_error == now.error).all());
    const Ensemble later = run_with(e, [](Chain& c) { c.average = UniformAverage{59}; });
    EXPECT_TRUE((later.averaged_risk == later.risk).all());
    const Ensemble start = run_with(e, [](Chain& c) { c.average = EmaAverage{1}; });
    EXPECT_TRUE((start.averaged_risk.row(2) == start.averaged_risk.row(0)).all());
  }
}

TEST(Average, IsTheMeanOfTheIterates) {
  // Delta_k = 2^-k.
  Experiment e = line(0.5, steps({1, 2, 3, 4}));
  e.chain.average = UniformAverage{};
  EXPECT_LT(gap(run(e, 1).averaged_risk.col(0),
                0.5 * steps({1. / 2, 3. / 8, 7. / 24, 15. / 64}).square()),
            1e-14);
  e.chain.average = UniformAverage{2};
  EXPECT_LT(
      gap(run(e, 1).averaged_risk.col(0), 0.5 * steps({1. / 2, 1. / 4, 1. / 8, 3. / 32}).square()),
      1e-14);
  e.chain.average = EmaAverage{0.5};  // from 1: 2^-k (1 + k/2)
  EXPECT_LT(
      gap(run(e, 1).averaged_risk.col(0), 0.5 * steps({3. / 4, 1. / 2, 5. / 16, 3. / 16}).square()),
      1e-14);
}

TEST(ScheduleFree, WithoutBetaIsSgdAndItsUniformMean) {
  for (Experiment e : experiments(steps({0, 5, 60}))) {
    const Ensemble free = run_with(e, [](Chain& c) { c.schedule_free = ScheduleFree{0, 0}; });
    const Ensemble mean = run_with(e, [](Chain& c) { c.average = UniformAverage{}; });
    EXPECT_TRUE(same_risk(free, mean));
    EXPECT_TRUE((free.averaged_risk == mean.averaged_risk).all());
    // Weights by the step: those of steps of zero do not count.
    e.schedule = piecewise_schedule({0, 5}, {0, e.schedule(0)});
    const Ensemble weighted = run_with(e, [](Chain& c) { c.schedule_free = ScheduleFree{0, 2}; });
    const Ensemble late = run_with(e, [](Chain& c) { c.average = UniformAverage{5}; });
    EXPECT_LT(gap(weighted.averaged_risk, late.averaged_risk), 1e-11);
  }
}

TEST(ScheduleFree, TakesItsGradientsBetweenTheMeanAndTheFast) {
  // gamma = 1/2 on Delta: z = 1/2 = x = y after the first step; then z = 1/4, x = 3/8,
  // y = (1 - beta)/4 + 3 beta/8.
  Experiment e = line(0.5, steps({0, 1, 2}));
  e.chain.schedule_free = ScheduleFree{0.8};
  const Ensemble free = run(e, 1);
  EXPECT_LT(gap(free.risk.col(0), 0.5 * steps({1, 0.5, 0.35}).square()), 1e-14);
  EXPECT_LT(gap(free.averaged_risk.col(0), 0.5 * steps({1, 0.5, 0.375}).square()), 1e-14);
}

TEST(Lookahead, GoesBackAShareOfTheWay) {
  // Two halvings, then half of the way back: 1/4 -> 5/8, and so on.
  Experiment e = line(0.5, steps({1, 2, 3, 4}));
  e.chain.lookahead = Lookahead{2, 0.5};
  EXPECT_LT(gap(errors(e), steps({1. / 2, 5. / 8, 5. / 16, 25. / 64})), 1e-14);
}

TEST(LocalSteps, WorkerZeroDrawsWhatAPlainRunDraws) {
  for (const Experiment& e : experiments(steps({0, 5, 9}))) {
    const Ensemble plain = run(e);
    const Ensemble local = run_with(e, [](Chain& c) { c.local = LocalSteps{3, 10, 0.7, 0.9}; });
    EXPECT_LT(gap(local.risk, plain.risk), 1e-12);
  }
}

TEST(LocalSteps, OfOneStepAreABatchOfAllWorkers) {
  // In law: the workers' batches are independent.
  const VectorProblem p = problem(power_law(20, 0.4), 0.7, gaussian_noise(1));
  Experiment e = experiment(p, "name = 'sgd'", 0.05, steps({100}));
  const Ensemble one = run(e, 2000);
  e.chain.local = LocalSteps{4, 1, 1, 0};
  const Ensemble local = run(e, 2000);
  e.chain = {};
  e.optimizer = Sgd{4};
  const Ensemble batch = run(e, 2000);
  const auto sigmas = [&](const Ensemble& other) {
    return std::abs(local.mean[0] - other.mean[0]) / std::hypot(local.error[0], other.error[0]);
  };
  EXPECT_LT(sigmas(batch), 4);
  EXPECT_GT(sigmas(one), 20);
}

TEST(LocalSteps, MeetByNesterovsStep) {
  // Two halvings leave 1/4: G = 3/4 Delta. With an outer step of 4/3 the second meeting is at 0.
  Experiment e = line(0.5, steps({1, 2, 3, 4}));
  e.chain.local = LocalSteps{2, 2, 4. / 3, 0.9};
  EXPECT_LT((errors(e) - steps({0.5, 0.9, 0.45, 0})).abs().maxCoeff(), 1e-14);
}

TEST(BatchSchedule, OfOneValueIsThatBatch) {
  for (const Experiment& e : experiments(steps({0, 5, 300}))) {
    const double batch = batch_of(e.optimizer);
    EXPECT_TRUE(same_risk(
        run(e), run_with(e, [&](Chain& c) { c.batch = constant_schedule(batch + 0.4); })));
  }
}

TEST(BatchSchedule, ChangesTheRunFromItsChangeOn) {
  for (const Experiment& e : experiments(steps({10, 11}))) {
    const double batch = batch_of(e.optimizer);
    const Ensemble plain = run(e), grown = run_with(e, [&](Chain&c) {
                                     c.batch = piecewise_schedule({0, 10}, {batch, 4 * batch});
                                   });
    EXPECT_LT(gap(plain.risk.row(0), grown.risk.row(0)), 1e-12);
    EXPECT_GT((plain.risk.row(1) / grown.risk.row(1) - 1).abs().minCoeff(), 1e-8);
  }
}

TEST(Chain, IsRefusedWhereItCannotBeRun) {
  const auto says = [](const std::function<void(Experiment&)>& change) -> std::string {
    Experiment e = experiment(problem(isotropic(1000), 1), "name = 'sgd'", 0.1, steps({1, 20}));
    change(e);
    try {
      run(e, 1);
    } catch (const InputError& error) {
      return error.what();
    }
    return "ran";
  };
  EXPECT_EQ(says([](Experiment& e) { e.chain.nesterov = true; }),
            "optimizer.nesterov = true: expected a momentum beside it");
  EXPECT_EQ(
      says([](Experiment& e) { e.chain.momentum = custom_schedule([](double) { return 2; }, {}); }),
      "optimizer.momentum = 2: expected a number >= 0 and < 1");
  EXPECT_EQ(says([](Experiment& e) { e.chain.batch = linear_schedule(1, 2e6, 10); }),
            "optimizer.batch.final_value = 2e6: expected batch times dimension at most 1e8 for "
            "Monte Carlo");
  EXPECT_EQ(says([](Experiment& e) {
              e.chain.batch = custom_schedule([](double k) { return k < 5 ? 1 : 1e6; }, {5});
            }),
            "optimizer.batch = 1e6: expected batch times dimension at most 1e8 for Monte Carlo");
  EXPECT_EQ(says([](Experiment& e) {
              e.chain.local = LocalSteps{200000, 1};
            }),
            "optimizer.local.workers = 200000: expected workers times dimension at most 1e8 for "
            "Monte Carlo");
}

}  // namespace
}  // namespace riskcurve
