#include "riskcurve/report/plot.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

namespace fs = std::filesystem;

Eigen::ArrayXd list(std::initializer_list<double> values) {
  return Eigen::Map<const Eigen::ArrayXd>(values.begin(), static_cast<Eigen::Index>(values.size()));
}

Figure example() {
  Figure figure;
  figure.title = "it's a \"title\" with $s, `x` and \\";
  figure.x_label = "steps k";
  figure.y_label = "excess risk R";
  figure.log_x = figure.log_y = true;
  figure.series.push_back(
      {Series::Style::line, "prediction", list({0, 1, 10, 100}), list({1, 0.9, 0.2, 0.03}), {}});
  figure.series.push_back({Series::Style::error_bars, "mean", list({0, 1, 10, 100}),
                           list({1, 0.9, 0.2, 0.03}), list({0, 0.01, 0.02, 0.1})});
  return figure;
}

class Plot : public ::testing::Test {
 protected:
  Plot() { fs::create_directories(folder); }
  ~Plot() override { fs::remove_all(folder); }
  std::string drawn(const Figure& figure, const std::string& name) const {
    plot(figure, (folder / name).string());
    std::ifstream file(folder / name, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
  }
  fs::path folder = fs::temp_directory_path() / ("riskcurve plot's " + std::to_string(getpid()));
};

TEST_F(Plot, DrawsPngAndSvgAndLeavesNothingElse) {
  EXPECT_EQ(drawn(example(), "a.png").substr(0, 8), "\x89PNG\r\n\x1a\n");
  const std::string svg = drawn(example(), "a.svg");
  EXPECT_NE(svg.find("<svg"), std::string::npos);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_NE(svg.find("excess risk R"), std::string::npos);
  EXPECT_EQ(files(), 2u);
}

TEST(GnuplotScript, OfAMillionPointsHoldsWhatCanBeSeen) {
  const Eigen::Index n = 1000000;
  Figure figure;
  figure.x_label = figure.y_label = "x";
  Series series{Series::Style::line, "all", Eigen::ArrayXd::LinSpaced(n, 1, 1e6),
                Eigen::ArrayXd::Ones(n)};
  series.y[123456] = 7.25;
  series.y[765432] = -3.5;
  for (const bool log_x : {false, true}) {
    figure.log_x = log_x;
    figure.series = {series};
    const std::string script = gnuplot_script({figure}, "svg", "x.svg");
    EXPECT_LT(script.size(), 500000U);
    for (const char* point : {"\n1 1 1 1\n", "\n1000000 1 1 1\n", "\n123457 7.25 7.25 7.25\n",
                              "\n765433 -3.5 -3.5 -3.5\n"})
      EXPECT_NE(script.find(point), std::string::npos) << point;
  }
  // Few points are all drawn.
  figure.log_x = false;
  figure.series = {{Series::Style::points, "few", series.x.head(3000), series.y.head(3000)}};
  const std::string script = gnuplot_script({figure}, "svg", "x.svg");
  EXPECT_GT(std::count(script.begin(), script.end(), '\n'), 3000);
}

TEST_F(Plot, NothingToDrawIsAFailureThatLeavesNoFile) {
  Figure empty = example();
  for (Series& series : empty.series) series.y.setConstant(std::nan(""));
  EXPECT_THROW(plot(empty, (folder / "a.png").string()), Failure);
  EXPECT_THROW(plot(example(), (folder / "a.pdf").string()), InputError);
  EXPECT_EQ(files(), 0u);
}

TEST_F(Plot, DrawsExtremeAndDegenerateRanges) {
  Figure figure = example();
  figure.series[0].y = list({1e-300, 1e-200, 1, 1e300});
  EXPECT_FALSE(drawn(figure, "wide.svg").empty());
  figure.log_x = figure.log_y = false;
  figure.series = {{Series::Style::line, "one", list({5}), list({2}), {}}};
  EXPECT_FALSE(drawn(figure, "point.svg").empty());
  figure.series = {{Series::Style::line, "zero", list({0, 1}), list({0, 0}), {}}};
  EXPECT_FALSE(drawn(figure, "zero.svg").empty());
}

TEST(GnuplotScript, LeavesOutWhatALogarithmicAxisCannotShow) {
  const std::string script = gnuplot_script({example()}, "svg", "out");
  EXPECT_EQ(script.find("\n0 "), std::string::npos);
  EXPECT_NE(script.find("\n1 0.9 "), std::string::npos);
  // The bar 0.03 +- 0.1 keeps a positive lower end.
  EXPECT_NE(script.find("\n100 0.03 0.0015 0.13\n"), std::string::npos);
}

TEST(RequireGnuplot, SaysWhatToInstall) {
  const std::string before = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  try {
    require_gnuplot();
    ADD_FAILURE() << "no Failure";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("install gnuplot-nox"), std::string::npos);
  }
  setenv("PATH", before.c_str(), 1);
}

TEST(Axes, FollowTheSpacingOfTheValues) {
  EXPECT_TRUE(log_spaced(list({0, 1, 10, 100, 1000})));
  EXPECT_FALSE(log_spaced(list({0, 100, 200, 300, 400, 500, 1000, 1100})));
  EXPECT_FALSE(log_spaced(list({0, 10, 20})));
  EXPECT_TRUE(spans_a_decade(list({1, 0.09})));
  EXPECT_FALSE(spans_a_decade(list({1, 0.11})));
  EXPECT_FALSE(spans_a_decade(list({1, 0.01, 0})));
}

TEST(AddEnsemble, PutsRunsBehindAndShowsAtMostThirty) {
  RiskCurve curve;
  curve.steps = list({0, 1, 2});
  curve.risk = list({1, 0.5, 0.4});
  Figure figure = to_figure(curve, "title");
  const Eigen::ArrayXXd runs = Eigen::ArrayXXd::Ones(3, 100);
  add_ensemble(figure, curve.steps, runs, curve.risk, list({0, 0.1, 0.2}));
  ASSERT_EQ(figure.series.size(), 32u);
  EXPECT_EQ(figure.series.front().style, Series::Style::faint);
  EXPECT_EQ(figure.series[30].label, "prediction");
  EXPECT_EQ(figure.series.back().spread(2), 0.4);
}

}  // namespace
}  // namespace riskcurve
