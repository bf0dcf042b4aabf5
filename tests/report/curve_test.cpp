#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "riskcurve/report/results.hpp"
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

TEST(CurveRecord, HasBandsWhereTheyWereAskedForAndNullsWhereThereAreNone) {
  Prediction prediction = example(0.5);
  EXPECT_FALSE(nlohmann::json::parse(to_json(to_record(prediction))).contains("low"));
  prediction.bands = Bands{"", Eigen::ArrayXd::Constant(3, 0.5), Eigen::ArrayXd::Constant(3, 0.25),
                           Eigen::ArrayXd::LinSpaced(3, 0, 2), Eigen::ArrayXd::LinSpaced(3, 2, 4)};
  auto json = nlohmann::json::parse(to_json(to_record(prediction)));
  EXPECT_EQ(json["deviation"], nlohmann::json({0.5, 0.5, 0.5}));
  EXPECT_EQ(json["shift"], nlohmann::json({0.25, 0.25, 0.25}));
  EXPECT_EQ(json["low"], nlohmann::json({0.0, 1.0, 2.0}));
  EXPECT_EQ(json["high"], nlohmann::json({2.0, 3.0, 4.0}));
  Figure figure = to_figure(prediction.curve, "");
  add_bands(figure, prediction);
  ASSERT_EQ(figure.series.size(), 3u);
  EXPECT_EQ(figure.series[1].y[2], 2);
  EXPECT_EQ(figure.series[2].y[2], 4);

  prediction.bands = Bands{"no reason", {}, {}, {}, {}};
  json = nlohmann::json::parse(to_json(to_record(prediction)));
  EXPECT_TRUE(json["deviation"].is_null() && json["low"].is_null() && json["high"].is_null());
}

TEST(Cover, CountsRunsInsideBandsThatHaveAWidth) {
  Eigen::ArrayXd low(3), high(3);
  low << 1, 1, 2;
  high << 1, 3, 4;
  Eigen::ArrayXXd risk(3, 4);
  risk << 1, 1, 1, 1, 0, 1, 2, 3.5, 2.5, 3, 3.5, inf;
  const Coverage coverage = cover(low, high, risk);
  EXPECT_TRUE(std::isnan(coverage.percent[0]));
  EXPECT_EQ(coverage.percent[1], 50);
  EXPECT_EQ(coverage.percent[2], 75);
  EXPECT_EQ(coverage.mean, 62.5);
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
