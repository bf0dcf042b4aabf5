#include "riskcurve/analysis/transfer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"

namespace riskcurve {
namespace {

const std::string rest = R"(
[schedule]
kind = "constant"
step = 0.01
[run]
steps = {}
at = [1]
)";

Experiment vector_file(const std::string& covariance, const std::string& noise,
                       const std::string& optimizer, double steps) {
  return parse_experiment(fmt::format("[problem]\ncovariance = {{ {} }}\n"
                                      "target = {{ kind = \"power_law\", beta = 0.2 }}\n"
                                      "noise = {{ {} }}\n[optimizer]\n{}\n",
                                      covariance, noise, optimizer) +
                          fmt::format(fmt::runtime(rest), steps));
}

const std::string isotropic_text = "kind = 'isotropic', dimension = 40";
const std::string power_law_text =
    "kind = 'power_law', dimension = 60, alpha = 0.6, orientation = 'diagonal'";

void expect_step_exponent(const Scaling& scaling, double exponent) {
  ASSERT_EQ(scaling.skipped, "") << scaling.quantity;
  EXPECT_NEAR(scaling.step_exponent.value, exponent, 1e-5) << scaling.quantity;
  EXPECT_NEAR(scaling.step_exponent.error, 0, 1e-5) << scaling.quantity;
}

// R' = -2 gamma R + gamma^2 d R/b: the best step is b/d at every horizon.
TEST(StepScaling, OfNoiseFreeIsotropicSgdIsBatchOverDimension) {
  const Experiment file =
      vector_file(isotropic_text, "kind = 'none'", "name = 'sgd'\nbatch = 4", 20);
  expect_step_exponent(step_scaling(file, "batch"), 1);
  expect_step_exponent(step_scaling(file, "dimension"), -1);
  expect_step_exponent(step_scaling(file, "horizon"), 0);
  const Scaling scaling = step_scaling(file, "batch");
  EXPECT_EQ(scaling.own, 2);
  for (Eigen::Index i = 0; i < 5; ++i) {
    EXPECT_EQ(scaling.value[i], std::exp2(i));
    EXPECT_NEAR(std::log(scaling.risk[i]) / (-20 * scaling.value[i] / 40), 1, 1e-7);
  }
}

// The same with d = N_out N_in, whatever their ratio: no kink at 1.
TEST(StepScaling, OfNoiseFreeIsotropicMatrixSgdFollowsTheNumberOfEntries) {
  const Experiment file = parse_experiment(
      "[problem]\ngeometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 8 }\n"
      "covariance_in = { kind = 'isotropic', dimension = 16 }\ntarget = { kind = 'isotropic' }\n"
      "[optimizer]\nname = 'sgd'\nbatch = 8\n" +
      fmt::format(fmt::runtime(rest), 20));
  expect_step_exponent(step_scaling(file, "batch"), 1);
  expect_step_exponent(step_scaling(file, "dimension"), -2);
  expect_step_exponent(step_scaling(file, "aspect_wide"), -1);
  expect_step_exponent(step_scaling(file, "aspect_tall"), -1);
  EXPECT_EQ(step_scaling(file, "dimension").value[0], 4);  // 2 x 4
  EXPECT_EQ(step_scaling(file, "aspect_wide").value[0], 1.0 / 16);
  EXPECT_EQ(step_scaling(file, "aspect_wide").own, 4);
  EXPECT_EQ(step_scaling(file, "noise").skipped, "no noise whose size could vary");
}

/// argmin over gamma of the closed form of R(T): dR/dt = -(2 gamma - gamma^2 d/b) R + gamma^2 d
/// v^2/(2b).
double best_isotropic(double d, double v, double b, double T) {
  const auto log_risk = [&](double x) {
    const double gamma = std::exp(x), rate = 2 * gamma - gamma * gamma * d / b;
    const double floor = gamma * gamma * d * v * v / (2 * b) / rate;
    return std::log(floor + (1 - floor) * std::exp(-rate * T));
  };
  return std::exp(
      boost::math::tools::brent_find_minima(log_risk, std::log(1e-4), std::log(1.99 * b / d), 50)
          .first);
}

TEST(StepScaling, OfIsotropicSgdUnderNoiseMinimisesTheClosedForm) {
  const double d = 40, v = 0.3, b = 4, T = 50;
  const Experiment file =
      vector_file(isotropic_text, "kind = 'gaussian', std = 0.3", "name = 'sgd'\nbatch = 4", T);
  const auto expect_points = [&](const std::string& quantity, const auto& exact) {
    const Scaling scaling = step_scaling(file, quantity);
    ASSERT_EQ(scaling.step.size(), 5) << scaling.skipped;
    for (Eigen::Index i = 0; i < 5; ++i)
      EXPECT_NEAR(scaling.step[i] / exact(scaling.value[i]), 1, 1e-5) << quantity << " " << i;
  };
  expect_points("batch", [&](double x) { return best_isotropic(d, v, x, T); });
  expect_points("dimension", [&](double x) { return best_isotropic(x, v, b, T); });
  expect_points("horizon", [&](double x) { return best_isotropic(d, v, b, x); });
  expect_points("noise", [&](double x) { return best_isotropic(d, x, b, T); });
}

// Of SGD's rates only c = lambda 2P/b holds the batch: R(T) depends on gamma T and b T alone.
TEST(StepScaling, OfSgdTurnsBatchIntoHorizonUnderNoiseToo) {
  const Experiment file =
      vector_file(power_law_text, "kind = 'laplace', scale = 0.2", "name = 'sgd'\nbatch = 4", 200);
  const Scaling batch = step_scaling(file, "batch"), horizon = step_scaling(file, "horizon");
  ASSERT_EQ(batch.step.size(), 5) << batch.skipped;
  for (Eigen::Index i = 0; i < 5; ++i) {
    EXPECT_NEAR(batch.step[i] / (horizon.step[i] * horizon.value[i] / 200), 1, 1e-5) << i;
    EXPECT_NEAR(batch.risk[i] / horizon.risk[i], 1, 1e-6) << i;
  }
  EXPECT_NEAR(batch.step_exponent.value, 1 + horizon.step_exponent.value, 1e-5);
}

// Without noise, of small signals, phi_b = r_b phi_1, r_b = sqrt(pi) Gamma((b+1)/2)/Gamma(b/2), so
// that b samples a step for T steps of size gamma are one sample for r^2 T steps of size gamma/r.
TEST(StepScaling, OfNoiseFreeSignSgdTurnsBatchIntoHorizon) {
  const double T = 50;
  Experiment file = vector_file(power_law_text, "kind = 'none'", "name = 'sign_sgd'", T);
  file.signal = Signal::small;
  const Scaling scaling = step_scaling(file, "batch");
  ASSERT_EQ(scaling.value[0], 1) << scaling.skipped;
  const ModeSystem single = mode_system(file);
  for (Eigen::Index i = 0; i < 5; ++i) {
    const double b = scaling.value[i];
    const double r = std::sqrt(M_PI) * std::exp(std::lgamma((b + 1) / 2) - std::lgamma(b / 2));
    const Optimum best = best_step(single, r * r * T);
    EXPECT_NEAR(scaling.step[i] / (r * best.step), 1, 1e-5) << b;
    EXPECT_NEAR(scaling.risk[i] / best.risk, 1, 1e-6) << b;
  }
}

TEST(StepScaling, SkipsWhatTheFileFixesAndRefusesWhatIsWrong) {
  const std::string sgd = "name = 'sgd'\nbatch = 6";
  const Experiment listed = vector_file("kind = 'eigenvalues', values = [1, 0.5, 0.25]",
                                        "kind = 'student_t', nu = 3, scale = 0.1", sgd, 20);
  EXPECT_EQ(step_scaling(listed, "dimension").skipped,
            "covariance of kind eigenvalues has no dimension to vary");
  EXPECT_EQ(step_scaling(listed, "dimension").value.size(), 0);
  EXPECT_TRUE(std::isnan(step_scaling(listed, "dimension").step_exponent.value));
  EXPECT_EQ(step_scaling(listed, "batch").value[0], 3);  // 1.5 is not whole
  EXPECT_EQ(step_scaling(listed, "noise").value[0], 0.025);
  EXPECT_THROW(
      step_scaling(vector_file(isotropic_text, "kind = 'student_t', nu = 1, scale = 1", sgd, 9),
                   "batch"),
      InputError);
  TransferOptions stop;
  stop.progress = [](double) { return false; };
  EXPECT_THROW(step_scaling(listed, "batch", stop), Failure);
}

TEST(Counterparts, OfClippingThatNeverClipsIsSgd) {
  const auto found = counterparts(vector_file(power_law_text, "kind = 'laplace', scale = 0.2",
                                              "name = 'clipped_sgd'\nthreshold = 1e6", 300));
  ASSERT_EQ(found.size(), 6u);
  EXPECT_EQ(found[0].optimizer, "clipped_sgd");
  EXPECT_EQ(found[0].ratio, 1);
  EXPECT_EQ(found[0].threshold, 1e6);
  EXPECT_EQ(found[1].optimizer, "sgd");
  EXPECT_NEAR(found[1].ratio, 1, 1e-5);
  EXPECT_NEAR(found[1].risk / found[0].risk, 1, 1e-7);
  EXPECT_EQ(found[2].optimizer, "sign_sgd");
}

// A large batch resolves the signal: best steps are those that optimum finds, whose rates know it.
TEST(StepScaling, TakesASignalOfAnySizeByItself) {
  Experiment file =
      vector_file("kind = 'power_law', dimension = 60, alpha = 0.6, orientation = 'diagonal'",
                  "kind = 'gaussian', std = 0.1", "name = 'sign_sgd'\nbatch = 64", 60);
  const auto own_step = [](const Experiment& of) {
    const Scaling scaling = step_scaling(of, "noise");
    return scaling.step[scaling.own];
  };
  const double step = own_step(file);
  EXPECT_NEAR(step / best_step(mode_system(file), 60).step, 1, 1e-4);
  file.signal = Signal::small;
  EXPECT_GT(std::abs(own_step(file) / step - 1), 0.05);
}

// Rates of signals of any size are taken where those of small ones are not derived.
TEST(Counterparts, KnowAMapThatHasNoRatesOfSmallSignals) {
  const Experiment file = parse_experiment(
      "[problem]\ngeometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 30 }\n"
      "covariance_in = { kind = 'power_law', dimension = 30, alpha = 0.2 }\ntarget = { kind = "
      "'isotropic' }\nnoise = { kind = 'gaussian', std = 0.3 }\n[optimizer]\nname = 'truncated'\n"
      "batch = 30\nshare = 0.5\n" +
      fmt::format(fmt::runtime(rest), 100));
  const Counterpart own = counterparts(file).front();
  EXPECT_EQ(own.skipped, "");
  EXPECT_NEAR(own.risk / best_step(mode_system(file), 100).risk, 1, 1e-4);
}

TEST(Counterparts, SaysWhyAnOptimizerIsLeftOut) {
  const auto gaussian = counterparts(
      vector_file(power_law_text, "kind = 'gaussian', std = 0.2", "name = 'sign_sgd'", 300));
  EXPECT_EQ(gaussian[2].optimizer, "clipped_sgd");
  EXPECT_EQ(gaussian[2].skipped, "no threshold improves on sgd at R(0)");
  const auto cauchy = counterparts(vector_file(
      power_law_text, "kind = 'student_t', nu = 1, scale = 0.2", "name = 'sign_sgd'", 300));
  EXPECT_NE(cauchy[1].skipped.find("variance"), std::string::npos) << cauchy[1].skipped;
  EXPECT_TRUE(std::isnan(cauchy[1].ratio));
  EXPECT_GT(cauchy[2].threshold, 0);
  EXPECT_GT(cauchy[2].step, 0);
}

// Each ratio is of two searches that know nothing of each other.
TEST(Counterparts, OfAdamWithDecayAreTheBestStepsOfEachAlone) {
  constexpr double horizon = 300;
  const Experiment own = vector_file(power_law_text, "kind = 'gaussian', std = 0.2",
                                     "name = 'adam'\nweight_decay = 0.1", horizon);
  const auto best = [&](const Optimizer& optimizer, double momentum) {
    Experiment e = own;
    e.optimizer = optimizer;
    if (momentum > 0) e.chain.momentum = constant_schedule(momentum);
    return best_step(mode_system(e), horizon).step;
  };
  const auto found = counterparts(own);
  ASSERT_EQ(found.size(), 6u);
  const int batch = batch_of(own.optimizer);
  const double adam = best(own.optimizer, 0);
  EXPECT_EQ(found[4].optimizer, "sgd, momentum 0.9");
  EXPECT_NEAR(found[4].ratio / (best(Sgd{batch}, 0.9) / adam), 1, 1e-3);
  EXPECT_EQ(found[5].optimizer, "lion");
  EXPECT_NEAR(found[5].ratio / (best(Lion{batch}, 0) / adam), 1, 1e-3);
}

}  // namespace
}  // namespace riskcurve
