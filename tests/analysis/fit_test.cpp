#include "riskcurve/analysis/fit.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "power_law_problem.hpp"
#include "problem/random.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kFloor = 0.125;  // half the square of a noise of 0.5

Experiment known_problem(const Optimizer& optimizer, const Schedule& schedule, double steps) {
  Experiment experiment;
  experiment.problem = power_law_problem(200, 0.5, 0.2, gaussian_noise(0.5));
  experiment.optimizer = optimizer;
  experiment.schedule = schedule;
  experiment.run = run_for(steps, 40, Spacing::log);
  experiment.signal = Signal::small;
  return experiment;
}

RiskCurve curve_step_by_step(const Experiment& experiment) {
  SolveOptions options;
  options.method = Method::recursion;
  return predict(experiment, options).curve;
}

LossCurve logged_curve(const Experiment& experiment, double floor = kFloor) {
  const RiskCurve curve = curve_step_by_step(experiment);
  return {"curve", curve.steps, floor + curve.risk, {}, experiment.schedule, experiment.optimizer};
}

FitPlan plan_of(const Optimizer& optimizer, const std::vector<double>& steps, double horizon) {
  FitPlan plan;
  plan.starts = 100;
  for (const double step : steps) {
    plan.curves.push_back(logged_curve(known_problem(optimizer, constant_schedule(step), horizon)));
    plan.curves.back().name = fmt::format("step {:g}", step);
  }
  return plan;
}

/// Without noise in the data what is left is the discrepancy of 1 %, and what the curves leave
/// open.
Fit expect_known_problem_found(const Optimizer& optimizer, const std::vector<double>& steps) {
  FitPlan plan = plan_of(optimizer, steps, 1000);
  plan.predict = {logged_curve(known_problem(optimizer, constant_schedule(2 * steps[0]), 1000)),
                  logged_curve(known_problem(optimizer, constant_schedule(steps[1]), 4000))};
  const Fit found = fit(plan);
  EXPECT_LT(found.chi_square, 0.1 * static_cast<double>(found.freedom));
  EXPECT_GE(found.agreeing, 2);
  EXPECT_LT(found.predictions[0].rms_percent, 0.5);
  EXPECT_LT(found.predictions[1].rms_percent, 1.5);
  const FitParameter &alpha = found.parameters[1], &beta = found.parameters[2];
  EXPECT_TRUE(alpha.low < 0.5 && 0.5 < alpha.high) << alpha.low << " " << alpha.high;
  EXPECT_TRUE(beta.low < 0.2 && 0.2 < beta.high) << beta.low << " " << beta.high;
  for (std::size_t i = 0; i < 2; ++i) {
    const Experiment truth = known_problem(optimizer, constant_schedule(1), 1000);
    const ModeSystem system = mode_system(truth);
    const Optimum best = best_step(system, found.steps[i].goal.steps);
    EXPECT_EQ(found.steps[i].skipped, "");
    const double cost = predict(known_problem(optimizer, constant_schedule(found.steps[i].step),
                                              found.steps[i].goal.steps))
                            .curve.risk.tail(1)[0];
    EXPECT_LT(cost / best.risk, i == 0 ? 1.005 : 1.02) << found.steps[i].step << " " << best.step;
    EXPECT_TRUE(found.steps[i].low < best.step && best.step < found.steps[i].high);
  }
  return found;
}

TEST(Fit, FindsTheProblemOfCurvesOfSgd) {
  const Fit found = expect_known_problem_found(Sgd{4}, {0.03, 0.12, 0.48});
  EXPECT_FALSE(found.spike);

  // Its file is the problem of these curves.
  Experiment again = parse_experiment(to_toml(found.experiment));
  again.run.at = found.curves[0].step;
  const ArrayXd loss = found.floor + curve_step_by_step(again).risk;
  EXPECT_LT((loss / found.curves[0].loss - 1).abs().maxCoeff(), 1e-4);

  // Naive answers beside it.
  EXPECT_EQ(found.steps[0].tried, 0.12);
  EXPECT_GT(found.steps[0].quadratic, 0.5 * found.steps[0].step);
  EXPECT_LT(found.steps[0].quadratic, 2 * found.steps[0].step);
}

TEST(Fit, FindsTheProblemOfCurvesOfSignSgd) {
  expect_known_problem_found(SignSgd{4}, {0.001, 0.004, 0.016});
}

// Its curves are solved step by step once a search of memoryless ones has found where.
TEST(Fit, FindsTheBestStepOfAdam) {
  const FitPlan plan = plan_of(Adam{4}, {0.001, 0.004, 0.016}, 1000);
  const Fit found = fit(plan);
  EXPECT_LT(found.chi_square, 0.1 * static_cast<double>(found.freedom));
  EXPECT_GE(found.agreeing, 2);
  const ModeSystem system = mode_system(known_problem(Adam{4}, constant_schedule(1), 1000));
  const Optimum best = best_step(system, 1000);
  EXPECT_NEAR(found.steps[0].step / best.step, 1, 0.05) << best.step;
  EXPECT_TRUE(found.steps[0].low < best.step && best.step < found.steps[0].high);
}

/// Curves of a power law with a noise of its own, under steps that change.
FitPlan plan_of_logs() {
  FitPlan plan;
  plan.model = FitModel::logs;
  plan.priors = priors_of(plan.model);
  plan.from = 100;
  plan.starts = 100;
  const Schedule schedules[] = {cosine_schedule(0.1, 0.01, 4000), constant_schedule(0.1),
                                piecewise_schedule({0, 2000}, {0.1, 0.03}),
                                wsd_schedule(0.1, 0.01, 4000)};
  for (const Schedule& schedule : schedules) {
    Experiment experiment;
    experiment.problem = power_law_problem(1000, 0.7, 0.1, gaussian_noise(100));
    auto& problem = std::get<VectorProblem>(experiment.problem);
    problem.covariance.spectrum.multiplicity *= 1e-4;  // noise of power 0.5
    experiment.optimizer = Sgd{1};
    experiment.schedule = schedule;
    experiment.run = run_for(4000, 80);
    (&schedule == &schedules[3] ? plan.predict : plan.curves)
        .push_back(logged_curve(experiment, 3));
  }
  return plan;
}

TEST(Fit, PredictsLogsUnderAnotherSchedule) {
  const Fit found = fit(plan_of_logs());
  EXPECT_GE(found.agreeing, 2);
  EXPECT_LT(found.rms_percent, 0.02);
  EXPECT_LT(found.predictions[0].rms_percent, 0.05);
  EXPECT_NEAR(found.floor, 3, 0.02);
  const FitParameter& noise = found.parameters[6];
  EXPECT_TRUE(noise.low < 0.5 && 0.5 < noise.high) << noise.low << " " << noise.high;
  EXPECT_TRUE(found.warnings.empty()) << found.warnings[0];
}

TEST(Fit, ProblemOfLogsPredictsItsCurves) {
  const Fit found = fit(plan_of_logs());
  Experiment again = parse_experiment(to_toml(found.experiment));
  again.run.at = found.curves[0].step;
  const ArrayXd loss = found.floor + predict(again).curve.risk;
  // Its noise follows R by one part in 10^4.
  EXPECT_LT((loss / found.curves[0].loss - 1).abs().maxCoeff(), 1e-3);
}

TEST(Fit, NumbersDoNotDependOnThreadsAndHardlyOnTheSeed) {
  FitPlan plan = plan_of_logs();
  plan.threads = 1;
  const Fit one = fit(plan);
  plan.threads = 3;
  const Fit three = fit(plan);
  for (std::size_t i = 0; i < one.parameters.size(); ++i)
    EXPECT_EQ(one.parameters[i].value, three.parameters[i].value);
  EXPECT_TRUE((one.predictions[0].loss == three.predictions[0].loss).all());
  for (const std::uint64_t seed : {2, 3}) {
    plan.seed = seed;
    const Fit other = fit(plan);
    EXPECT_LT((one.predictions[0].loss / other.predictions[0].loss - 1).abs().maxCoeff(), 1e-4);
  }
}

// Of each batch loss chi^2_b/b times L: its mean over a bin is low in logarithm, and scatters.
TEST(Fit, TakesLossesOfSingleBatches) {
  FitPlan plan = plan_of(Sgd{4}, {0.03, 0.12, 0.48}, 1000);
  std::uint64_t run = 0;
  for (LossCurve& curve : plan.curves) {
    Experiment experiment = known_problem(Sgd{4}, curve.schedule, 1000);
    experiment.run = run_for(1000, 1000);
    curve = logged_curve(experiment);
    Random random(7, ++run, 0);
    for (double& loss : curve.loss) {
      double square = 0;
      for (int i = 0; i < 4; ++i) square += std::pow(random.normal(), 2);
      loss *= square / 4;
    }
  }
  const Fit found = fit(plan);
  const double freedom = static_cast<double>(found.freedom);
  // Five standard errors of chi^2 on either side; errors themselves are estimates.
  EXPECT_NEAR(found.chi_square / freedom, 1, 5 * std::sqrt(2 / freedom));
  const ModeSystem system = mode_system(known_problem(Sgd{4}, constant_schedule(1), 1000));
  const Optimum best = best_step(system, 1000);
  EXPECT_TRUE(found.steps[0].low < best.step && best.step < found.steps[0].high)
      << found.steps[0].low << " " << best.step << " " << found.steps[0].high;
}

// What is refused.

void expect_refused(const FitPlan& plan, const std::string& part) {
  try {
    fit(plan);
    ADD_FAILURE() << "not refused: " << part;
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Fit, RefusesStepsThatDoNotTellFloorFromNoise) {
  FitPlan logs = plan_of_logs();
  const std::vector<LossCurve> all = logs.curves;
  logs.curves = {all[1]};
  expect_refused(logs, "a factor 1 in the step across all curves");
  logs.curves = {all[0]};
  expect_refused(logs, "one curve whose step only falls smoothly");
  expect_refused(plan_of(Sgd{4}, {0.1, 0.2}, 1000), "a factor 2 in the step");
  logs.curves = {all[2]};  // a drop of 3.3 after a stretch of one step
  EXPECT_NO_THROW(fit(logs));
}

TEST(Fit, RefusesDamagedCurves) {
  const FitPlan good = plan_of(Sgd{4}, {0.03, 0.12, 0.48}, 1000);
  const auto with = [&](const std::function<void(LossCurve&)>& damage) {
    FitPlan plan = good;
    damage(plan.curves[1]);
    return plan;
  };
  expect_refused(FitPlan{}, "at least one [[curve]]");
  expect_refused(with([](LossCurve& curve) {
                   curve.step = ArrayXd(curve.step.head(2));
                   curve.loss = ArrayXd(curve.loss.head(2));
                 }),
                 "2 rows from step 0 on: expected at least 8 rows");
  expect_refused(with([](LossCurve& curve) { curve.loss[5] = NAN; }), "loss = nan at step");
  expect_refused(with([](LossCurve& curve) { curve.loss[5] = -1; }), "a finite loss > 0");
  expect_refused(with([](LossCurve& curve) { curve.step[9] = curve.step[4]; }),
                 "steps that increase");
  expect_refused(with([](LossCurve& curve) { curve.loss = curve.loss.reverse().eval(); }),
                 "a loss that falls");
  expect_refused(with([](LossCurve& curve) {
                   const Index n = curve.step.size();
                   for (Index i = 0; i < n; ++i)
                     curve.step[i] = static_cast<double>(i < 20 ? i : i + 960);
                 }),
                 "none between 19 and 980");
  expect_refused(with([](LossCurve& curve) { curve.loss.conservativeResize(30); }),
                 "as many as steps");
}

// What is said.

bool says(const std::vector<std::string>& lines, const std::string& part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

TEST(Fit, RecommendsNoStepFromASingleCurve) {
  FitPlan plan = plan_of_logs();
  plan.curves = {plan.curves[2]};
  const Fit found = fit(plan);
  for (const FitStep& step : found.steps) {
    EXPECT_TRUE(std::isnan(step.step));
    EXPECT_NE(step.skipped.find("one curve does not tell"), std::string::npos) << step.skipped;
  }
}

TEST(Fit, RecommendsNoStepBeyondTwiceTheLargestTried) {
  FitPlan plan = plan_of(Sgd{4}, {0.003, 0.006, 0.012}, 1000);
  const Fit found = fit(plan);
  EXPECT_TRUE(std::isnan(found.steps[0].step));
  EXPECT_NE(found.steps[0].skipped.find("beyond twice the largest step tried, 0.012"),
            std::string::npos)
      << found.steps[0].skipped;
  EXPECT_EQ(found.steps[0].tried, 0.012);
}

TEST(Fit, SaysThatASpikeIsNeeded) {
  FitPlan plan;
  plan.starts = 100;
  for (const double step : {0.005, 0.02, 0.08}) {
    Experiment experiment = known_problem(Sgd{4}, constant_schedule(step), 1000);
    VectorProblem& problem = std::get<VectorProblem>(experiment.problem);
    // A quarter of the risk along a direction of thirty times the largest eigenvalue.
    Spectrum spectrum = problem.covariance.spectrum;
    for (ArrayXd* x : {&spectrum.value, &spectrum.multiplicity, &spectrum.first, &spectrum.last}) {
      const ArrayXd rest = *x;
      x->resize(rest.size() + 1);
      *x << 1.0, rest;
    }
    spectrum.value[0] = 10;
    const ArrayXd rest = problem.initial;
    problem.initial.resize(rest.size() + 1);
    problem.initial << 0.2, rest;
    problem.covariance = from_spectrum(spectrum);
    problem.target = GivenTarget{};
    plan.curves.push_back(logged_curve(experiment));
  }
  const Fit found = fit(plan);
  EXPECT_TRUE(says(found.warnings, "% off chi^2")) << found.spike_gain;
  EXPECT_NEAR(found.parameters[8].value, 10, 5);
}

TEST(Fit, SaysThatAlphaLiesAtItsBound) {
  FitPlan plan = plan_of_logs();
  plan.priors.alpha = {3, 0.05};
  EXPECT_TRUE(says(fit(plan).warnings, "lies at its bound"));
}

TEST(Fit, SaysThatTooFewStartsAgree) {
  FitPlan plan = plan_of_logs();
  plan.starts = 1;
  EXPECT_TRUE(says(fit(plan).warnings, "1 of the 1 best starts"));
}

// A loss that goes on falling at the same pace on another floor is none of this model.
TEST(Fit, SaysThatWhatIsLeftOutIsPredictedBadly) {
  FitPlan plan = plan_of_logs();
  for (LossCurve& curve : plan.curves)
    for (Index i = 0; i < curve.step.size(); ++i)
      if (curve.step[i] > 2800) curve.loss[i] *= 1 - 0.05 * (curve.step[i] - 2800) / 1200;
  const Fit found = fit(plan);
  EXPECT_TRUE(says(found.warnings, "the last third of the steps"))
      << found.left_out_percent << " " << found.rms_percent;
}

TEST(Fit, AsksForBatchLossesBesideNoisyEvaluations) {
  FitPlan plan = plan_of_logs();
  Random random(3, 0, 0);
  for (double& loss : plan.curves[1].loss) loss *= std::exp(0.1 * random.normal());
  EXPECT_FALSE(says(fit(plan).warnings, "log the loss of every batch"));
  plan.curves[1].evaluated = true;
  EXPECT_TRUE(says(fit(plan).warnings, "log the loss of every batch"));
}

TEST(Fit, StopsWhenAsked) {
  FitPlan plan = plan_of_logs();
  plan.progress = [](double) { return false; };
  EXPECT_THROW(fit(plan), Failure);
}

}  // namespace
}  // namespace riskcurve
