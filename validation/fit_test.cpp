// What docs/fit.md says of fits to public logs. Skipped without them (validation/data/README.md).
#include "riskcurve/analysis/fit.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "riskcurve/input/input.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

double rms_of_rows(const FitCurve& curve) {
  return 100 * std::sqrt((curve.loss / curve.observed - 1).square().mean());
}

const FitCurve& named_curve(const Fit& found, const std::string& name) {
  for (const auto* curves : {&found.curves, &found.predictions})
    for (const FitCurve& curve : *curves)
      if (curve.name.ends_with(name)) return curve;
  throw std::runtime_error(name);
}

/// How much lower a loss ends than under the constant step, by the fit over really.
double relative_gain(const Fit& found, const std::string& name) {
  const FitCurve &constant = named_curve(found, "/constant_24000.csv"),
                 &other = named_curve(found, name);
  const auto gain = [&](const ArrayXd FitCurve::*loss) {
    return (constant.*loss).tail(1)[0] - (other.*loss).tail(1)[0];
  };
  return gain(&FitCurve::loss) / gain(&FitCurve::observed);
}

// Three schedules fitted, six held back.
TEST(FitTrials, PredictLogsOfLanguageModels) {
  const std::string folder = RISKCURVE_SOURCE_DIR "/validation/";
  if (!std::filesystem::exists(folder + "data/multipowerlaw/csv_25"))
    GTEST_SKIP() << "no validation/data/multipowerlaw";
  for (const auto& [size, mean_bound] : {std::pair(25, 0.18), std::pair(100, 0.22)}) {
    const Fit found = fit(read_fit(fmt::format("{}fit/llama_{}.toml", folder, size)));
    ASSERT_EQ(found.predictions.size(), 6u);
    double mean = 0;
    for (const FitCurve& curve : found.predictions) {
      EXPECT_LT(rms_of_rows(curve), 0.8) << size << curve.name;
      mean += rms_of_rows(curve) / 6;
    }
    EXPECT_LT(mean, mean_bound) << size;
    for (const char* name : {"/wsd_20000_24000.csv", "/wsdld_20000_24000.csv", "/cosine_24000.csv"})
      EXPECT_NEAR(relative_gain(found, name), 1, 0.2) << size << name;
    EXPECT_GE(found.agreeing, 2) << size;
    EXPECT_TRUE(found.warnings.empty()) << size << found.warnings[0];
  }
}

}  // namespace
}  // namespace riskcurve
