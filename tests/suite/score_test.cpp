#include "validation/suite/score.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"
#include "validation/suite/results.hpp"

namespace riskcurve::validation {
namespace {

/// A folder of one family file, gone at the end.
class Family : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Suite read(const std::string& text, const std::string& only = "") {
    std::ofstream(folder_ / "family.toml") << text;
    return read_suite(folder_.string(), true, only);
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      ("riskcurve-suite-" +
       std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

const std::string sgd_family = R"(
[family]
title = "SGD"
sizes = [0.5, 1]
runs = [20, 20]
step = 1
allowance = 3
[problem]
covariance = { kind = "isotropic", dimension = 80 }
target = { kind = "isotropic" }
noise = { kind = "gaussian", std = 0.5 }
[optimizer]
name = "sgd"
[run]
steps = 120
points = 4
[[case]]
name = "plain"
[[case]]
name = "clipped"
optimizer.name = "clipped_sgd"
optimizer.threshold = 0.5
problem.noise = { kind = "laplace", scale = 0.3 }
)";

using CaseFile = Family;

TEST_F(CaseFile, CasesTakeWhatTheyDoNotSayFromTheirFamily) {
  const Suite suite = read(sgd_family);
  ASSERT_EQ(suite.cases.size(), 2u);
  const Experiment plain = at_size(suite.cases[0], 1).experiment;
  const Experiment clipped = at_size(suite.cases[1], 1).experiment;
  EXPECT_EQ(plain.vector().noise.kind, "gaussian");
  EXPECT_EQ(clipped.vector().noise.kind, "laplace");
  EXPECT_EQ(name_of(clipped.optimizer), "clipped_sgd");
  EXPECT_EQ(clipped.vector().dimension(), 80);
}

TEST_F(CaseFile, SmallCopiesHaveAFractionOfDimensionAndStepsAndTheSameProgress) {
  const Suite suite = read(sgd_family);
  const Experiment half = at_size(suite.cases[0], 0.5).experiment;
  const Experiment whole = at_size(suite.cases[0], 1).experiment;
  EXPECT_EQ(half.vector().dimension(), 40);
  EXPECT_EQ(half.run.steps, 60);
  // SGD on isotropic data: dlog R/dk = -2 gamma.
  EXPECT_NEAR(2 * half.schedule(0) * 60, 1, 1e-5);
  EXPECT_NEAR(2 * whole.schedule(0) * 120, 1, 1e-5);
}

TEST_F(CaseFile, OnlyKeepsWhatIsNamed) {
  EXPECT_EQ(read(sgd_family, "clip").cases.size(), 1u);
  EXPECT_EQ(read(sgd_family, "SGD").cases.size(), 2u);
  EXPECT_THROW(read(sgd_family, "no such case"), InputError);
}

TEST_F(CaseFile, MistakesAreNamedWithTheFile) {
  const auto complaint = [&](const std::string& from, const std::string& to) {
    std::string text = sgd_family;
    text.replace(text.find(from), from.size(), to);
    try {
      at_size(read(text).cases.front(), 1);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(complaint("allowance = 3", "allowance = 8").find("family.allowance = 8"),
            std::string::npos);
  EXPECT_NE(complaint("runs = [20, 20]", "runs = [20]").find("family.runs"), std::string::npos);
  EXPECT_NE(complaint("title", "tilte").find("family.title"), std::string::npos);
  EXPECT_NE(complaint("std = 0.5", "sd = 0.5").find("std"), std::string::npos);
}

TEST_F(CaseFile, ClaimsNameCasesOfTheirFile) {
  const std::string claim = R"(
[[claim]]
text = "Clipping changes the risk"
source = "a test"
quantity = "risk"
of = "clipped"
over = "plain"
between = [0.1, 10]
)";
  const Suite suite = read(sgd_family + claim);
  ASSERT_EQ(suite.claims.size(), 1u);
  EXPECT_EQ(suite.claims[0].of, 1u);
  std::string wrong = claim;
  wrong.replace(wrong.find("\"plain\""), 7, "\"plane\"");
  EXPECT_THROW(read(sgd_family + wrong), InputError);
}

TEST_F(CaseFile, RowsAreTheSameForAnyNumberOfThreads) {
  const Suite suite = read(sgd_family);
  RunOptions options;
  options.table.threads = 1;
  const Results one = run("full", suite, options);
  options.table.threads = 3;
  const Results three = run("full", suite, options);
  EXPECT_EQ(to_json(one), to_json(three));
  EXPECT_EQ(summary(one).rows, 2);
}

TEST_F(CaseFile, AStepThatIsNotPredictedFails) {
  // The prediction is of SGD under one noise, the allowance a millionth: only sampling errors hide
  // the bias of d = 10.
  std::string text = sgd_family;
  const auto replace = [&](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace("sizes = [0.5, 1]\nruns = [20, 20]", "runs = [20000]");
  replace("allowance = 3", "allowance = 1e-6");
  replace("dimension = 80", "dimension = 5");
  replace("steps = 120", "steps = 8");
  const Results results = run("full", read(text, "plain"), {});
  EXPECT_EQ(verdict(results, 0), "FAILED");
  EXPECT_FALSE(summary(results).passed());
  EXPECT_NE(to_terminal(results).find("FAILED"), std::string::npos);
}

Score synthetic(double size, double bias, double error) {
  Score score;
  score.size = size;
  score.bias = bias;
  score.bias_error = error;
  return score;
}

TEST(FitOrder, FindsTheExponentOfABiasThatHasOne) {
  Random random(3, 0, 0);
  std::vector<std::vector<Score>> scores;
  for (const double prefactor : {1.0, -0.4, 2.0}) {
    scores.emplace_back();
    for (const double size : {0.125, 0.25, 0.5, 1.0}) {
      const double error = 0.05;
      scores.back().push_back(
          synthetic(size, prefactor * std::pow(size, -0.7) + error * random.normal(), error));
    }
  }
  const Order order = fit_order("test", scores);
  EXPECT_EQ(order.cases, 3);
  // Three prefactors and one order from twelve numbers: an interval of one standard error.
  const double half = 0.5 * (order.high - order.low);
  EXPECT_GT(half, 0.005);
  EXPECT_LT(half, 0.05);
  EXPECT_NEAR(order.value, 0.7, 3 * half);
}

TEST(FitOrder, SaysNothingOfBiasesBelowTheirErrors) {
  EXPECT_TRUE(
      std::isnan(fit_order("test", {{synthetic(0.5, 0.1, 0.1), synthetic(1, -0.05, 0.1)}}).value));
  EXPECT_TRUE(std::isnan(fit_order("test", {}).value));
}

Score ending(double predicted, double mean, double error) {
  Score score;
  score.steps = Eigen::ArrayXd::LinSpaced(2, 0, 10);
  score.predicted = score.mean = score.error = Eigen::ArrayXd::Ones(2);
  score.predicted[1] = predicted;
  score.mean[1] = mean;
  score.error << 0, error;
  return score;
}

TEST(Claims, HoldWherePredictionAndRunsLieInTheIntervalByTwoErrors) {
  Claim claim;
  claim.low = 0.4;
  claim.high = 0.6;
  EXPECT_TRUE(judge(claim, ending(0.25, 0.26, 0.005), ending(0.5, 0.5, 0.005)).holds);
  EXPECT_FALSE(
      judge(claim, ending(0.25, 0.29, 0.01), ending(0.5, 0.5, 0.01)).holds);  // 0.58 ± 0.02
  EXPECT_FALSE(
      judge(claim, ending(0.35, 0.25, 0.001), ending(0.5, 0.5, 0.001)).holds);  // predicted
  claim.quantity = Claim::Quantity::rate;
  const Verdict rates = judge(claim, ending(std::exp(-1.0), std::exp(-1.0), 1e-3),
                              ending(std::exp(-2.0), std::exp(-2.0), 1e-3));
  EXPECT_NEAR(rates.predicted, 0.5, 1e-12);
  EXPECT_TRUE(rates.holds);
}

TEST(Scores, AreReadBackAsTheyWereWritten) {
  Score score = ending(0.25, 0.26, 0.005);
  score.inside = std::nan("");
  score.warnings = {"a, \"b\"", "c"};
  score.problem = "[problem]\nx = 'y'\n";
  score.shown = Eigen::ArrayXXd::Random(2, 3);
  const Score again = from_text(to_text(score));
  EXPECT_EQ(to_text(again), to_text(score));
  EXPECT_TRUE((again.shown == score.shown).all());
  EXPECT_TRUE(std::isnan(again.inside));
}

}  // namespace
}  // namespace riskcurve::validation
