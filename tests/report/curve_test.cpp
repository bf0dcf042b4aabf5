#include "riskcurve/report/curve.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "riskcurve/report/comparison.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Prediction example(double noise_variance) {
  Prediction prediction;
  prediction.noise_variance = noise_variance;
  prediction.trust.participation = 3;
  prediction.trust.rank = 7;
  prediction.trust.signal = 0.25;
  prediction.largest_stable_step = inf;
  RiskCurve& curve = prediction.curve;
  curve.status = RiskCurve::Status::diverged;
  curve.message = "the risk grew without bound";
  curve.warnings = {"one"};
  curve.steps = Eigen::ArrayXd::LinSpaced(3, 0, 2);
  curve.risk = Eigen::ArrayXd::LinSpaced(3, 1, 3);
  curve.observable["phi"] = Eigen::ArrayXd::Ones(3);
  curve.accepted = 12;
  return prediction;
}

TEST(CurveRecord, HasTheFieldsThatScriptsRead) {
  const auto json = nlohmann::json::parse(to_json(to_record(example(0.5))));
  EXPECT_EQ(json["steps"], nlohmann::json({0.0, 1.0, 2.0}));
  EXPECT_EQ(json["risk"], nlohmann::json({1.0, 2.0, 3.0}));
  EXPECT_EQ(json["population_risk"], nlohmann::json({1.25, 2.25, 3.25}));
  EXPECT_EQ(json["observables"]["phi"].size(), 3u);
  EXPECT_EQ(json["status"], "diverged");
  EXPECT_EQ(json["message"], "the risk grew without bound");
  EXPECT_EQ(json["warnings"], nlohmann::json({"one"}));
  EXPECT_EQ(json["counters"]["accepted"], 12);
  EXPECT_EQ(json["trust"]["participation"], 3);
  EXPECT_EQ(json["trust"]["rank"], 7);
  EXPECT_EQ(json["trust"]["signal"], 0.25);
  EXPECT_TRUE(json["largest_stable_step"].is_null());
  EXPECT_FALSE(json.contains("modes"));
}

TEST(CurveRecord, PopulationRiskIsNullUnderInfiniteVariance) {
  const auto json = nlohmann::json::parse(to_json(to_record(example(inf))));
  EXPECT_TRUE(json["population_risk"].is_null());
}

TEST(Compare, CountsInStandardErrorsAndPercentOfThePrediction) {
  Eigen::ArrayXd predicted(4), mean(4), error(4);
  predicted << 1, 2, 0, 4;
  mean << 1 + 1e-15, 2.2, 1, 3;
  error << 1e-16, 0.1, 0.5, 0.5;
  const Comparison c = compare(predicted, mean, error);
  EXPECT_TRUE(std::isnan(c.in_standard_errors(0)));  // the runs agree among themselves
  EXPECT_NEAR(c.in_standard_errors(1), 2, 1e-12);
  EXPECT_NEAR(c.in_percent(1), 10, 1e-12);
  EXPECT_TRUE(std::isnan(c.in_percent(2)));
  EXPECT_EQ(c.in_percent(3), -25);
  EXPECT_EQ(c.worst_in_percent, 25);
  EXPECT_NEAR(c.worst_in_standard_errors, 2, 1e-12);
}

TEST(Compare, OneRunHasNoStandardError) {
  const Eigen::ArrayXd ones = Eigen::ArrayXd::Ones(2);
  const Comparison c = compare(ones, 2 * ones, ones * std::nan(""));
  EXPECT_TRUE(std::isnan(c.in_standard_errors(0)));
  EXPECT_TRUE(std::isnan(c.worst_in_standard_errors));
  EXPECT_EQ(c.worst_in_percent, 100);
}

}  // namespace
}  // namespace riskcurve
