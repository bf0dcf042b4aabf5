// `riskcurve fit`, run as a user's script would.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A loss that falls as a power of the clock, above a floor and a noise that follows the step size.
std::string log_of(double early, double late, int drop) {
  std::ostringstream rows;
  rows << "step,lr,loss,epoch\n";
  double clock = 0, noise = early;
  for (int k = 0; k <= 4000; ++k) {
    const double step = k < drop ? early : late;
    noise += 0.02 * (step - noise);
    if (k % 50 == 0)
      rows << k << "," << step << "," << 3 + std::pow(1 + clock, -0.4) + 2 * noise << ",0\n";
    clock += step;
  }
  return rows.str();
}

const std::string fit_file = R"([fit]
model = "logs"
optimizer = { name = "sgd", batch = 1 }
from = 200
starts = 100
[[curve]]
path = "constant.csv"
[[curve]]
path = "dropped.csv"
)";

class FitCommand : public CommandFixture {
 protected:
  FitCommand() {
    write("constant.csv", log_of(0.1, 0.1, 5000));
    write("dropped.csv", log_of(0.1, 0.02, 2000));
    write("later.csv", log_of(0.1, 0.02, 3000));
    write("fit.toml", fit_file +
                          "[[predict]]\npath = \"later.csv\"\n[[predict]]\nsteps = 8000\n"
                          "schedule = { kind = \"cosine\", step = 0.1 }\n");
  }
  int run(const std::string& options) const { return shell("\"$R\" fit " + options); }
  /// The one line that refuses this file.
  std::string refusal(const std::string& file) {
    write("bad.toml", file);
    EXPECT_EQ(run("bad.toml --out bad.json --problem bad_problem.toml"), 2) << contents("out.txt");
    EXPECT_FALSE(fs::exists(folder / "bad.json") || fs::exists(folder / "bad_problem.toml"));
    EXPECT_EQ(contents("out.txt"), "");
    return contents("err.txt");
  }
  void expect_refusal(const std::string& file, const std::string& line) {
    EXPECT_EQ(refusal(file), "riskcurve: " + line + "\n");
  }
};

TEST_F(FitCommand, GivesParametersPredictionsAndAProblem) {
  ASSERT_EQ(run("fit.toml --json --out points.csv --problem problem.toml"), 0)
      << contents("err.txt");
  const Json json = Json::parse(contents("out.txt"));
  for (const char* name : {"unit", "alpha", "beta", "dimension", "risk", "floor", "noise"}) {
    const double value = json["parameters"][name];
    EXPECT_LE(json["intervals"][name][0].get<double>(), value) << name;
    EXPECT_GE(json["intervals"][name][1].get<double>(), value) << name;
  }
  EXPECT_EQ(json["correlation"]["names"].size(), 7u);
  EXPECT_EQ(json["correlation"]["matrix"].size(), 7u);
  ASSERT_EQ(json["curves"].size(), 2u);
  ASSERT_EQ(json["predict"].size(), 2u);
  EXPECT_EQ(json["curves"][1]["path"], "dropped.csv");
  EXPECT_EQ(json["curves"][1]["steps"].size(), 77u);  // from step 200 on
  const Json later = json["predict"][0], cosine = json["predict"][1];
  EXPECT_EQ(later["loss"].size(), later["steps"].size());
  EXPECT_LT(later["rms_percent"].get<double>(), 0.3);
  EXPECT_LT(std::abs(later["end_percent"].get<double>()), 0.3);
  EXPECT_TRUE(cosine["rms_percent"].is_null());
  EXPECT_FALSE(cosine.contains("observed"));
  EXPECT_EQ(cosine["steps"].back(), 8000.0);
  EXPECT_EQ(json["best"].size(), 2u);
  EXPECT_GE(json["diagnostics"]["agreeing"].get<int>(), 1);
  const std::string csv = contents("points.csv");
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "path,role,steps,observed,loss,low,high");

  // Every other command takes the problem.
  ASSERT_EQ(shell("\"$R\" predict problem.toml --json"), 0) << contents("err.txt");
  const Json curve = Json::parse(contents("out.txt"));
  const double loss =
      json["parameters"]["floor"].get<double>() + curve["risk"].back().get<double>();
  EXPECT_NEAR(loss / json["curves"][0]["loss"].back().get<double>(), 1, 1e-3);
  for (const char* command : {"optimum", "transfer", "coefficients", "spectrum"})
    EXPECT_EQ(shell("\"$R\" " + std::string(command) + " problem.toml"), 0) << contents("err.txt");
}

TEST_F(FitCommand, PrintsTablesAndDrawsAPlot) {
  const bool draws = shell("gnuplot --version") == 0;
  ASSERT_EQ(run(std::string("fit.toml") + (draws ? " --plot fit.svg" : "")), 0)
      << contents("err.txt");
  const std::string text = contents("out.txt");
  for (const char* part : {"logs of 2 curves: sgd, batch 1", "95 % from", "best starts agree",
                           "strongest correlation", "predicted", "best constant step"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(fs::exists(folder / "fit.svg"), draws);
}

TEST_F(FitCommand, RefusesBadInputInOneLine) {
  const std::string head = "[fit]\nmodel = \"logs\"\noptimizer = { name = \"sgd\" }\n";
  expect_refusal("[fit]\noptimizer = { name = \"sgd\" }\n[[curve]]\npath = \"constant.csv\"\n",
                 "fit.model = missing: expected \"logs\" or \"least_squares\"");
  expect_refusal("[fit]\nmodel = \"logs\"\n[[curve]]\npath = \"constant.csv\"\n",
                 "fit.optimizer = missing: expected what the curves were trained with: { name = "
                 "\"sgd\", batch = 1 }");
  expect_refusal(head + "[[curve]]\npath = \"constant.csv\"\n",
                 "curve = a factor 1 in the step across all curves: expected steps a factor 3 "
                 "apart, across curves or before and after a drop: else the floor of the loss and "
                 "its noise cannot be told apart");
  EXPECT_NE(refusal(head + "form = 3\n[[curve]]\npath = \"constant.csv\"\n").find("unknown key"),
            std::string::npos);
  EXPECT_NE(refusal(head + "[[curve]]\npath = \"nowhere.csv\"\n").find("a file that exists"),
            std::string::npos);
  EXPECT_NE(refusal(head + "[[curve]]\npath = \"constant.csv\"\nstep = 0.1\n")
                .find("one of step, schedule and a column lr"),
            std::string::npos);
  EXPECT_NE(refusal(head + "[fit.priors]\nalpha = [1]\n[[curve]]\npath = \"constant.csv\"\n")
                .find("a mean, and a deviation > 0"),
            std::string::npos);
  EXPECT_EQ(run("fit.toml --problem problem.txt"), 2);
}

TEST_F(FitCommand, RefusesDamagedLogsByTheirLines) {
  const auto refused = [&](const std::string& rows) {
    write("log.csv", rows);
    return refusal(fit_file + "[[curve]]\npath = \"log.csv\"\nstep = 0.1\n");
  };
  EXPECT_NE(refused("1,2\n3,4\n").find("line 1: expected a header that names a column \"step\""),
            std::string::npos);
  EXPECT_NE(refused("step,loss\n0,3\n10,nan\n").find("line 3, loss = \"nan\": expected a finite"),
            std::string::npos);
  EXPECT_NE(refused("step,loss\n0,3\n10\n").find("line 3, loss = \"\": expected a finite number"),
            std::string::npos);
  EXPECT_NE(refused("step,loss\n0,3\n10,2\n5,2\n").find("line 4, step 5 after 10: expected steps"),
            std::string::npos);
  EXPECT_NE(refused("step,loss\n300,3\n310,2\n").find("2 rows from step 200 on"),
            std::string::npos);
  EXPECT_NE(refused("step\n300\n310\n").find("a file with a column loss"), std::string::npos);
  EXPECT_NE(refused("step,loss,kind\n300,3,test\n").find("batch or eval"), std::string::npos);
}

}  // namespace
