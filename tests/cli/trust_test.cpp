// The numbers that say whether the limit can be trusted, in every output that predicts.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command_fixture.hpp"

namespace {

using Json = nlohmann::json;

// Isotropic: every number in closed form.
const std::string within = R"([problem]
covariance = { kind = "isotropic", dimension = 60 }
target = { kind = "isotropic", risk = 1.0 }
noise = { kind = "gaussian", std = 0.2 }
[optimizer]
name = "sgd"
batch = 4
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 400
at = [0, 400]
)";
const std::string small_matrix = R"([problem]
geometry = "matrix"
covariance_out = { kind = "isotropic", dimension = 40 }
covariance_in = { kind = "power_law", dimension = 50, alpha = 0.8 }
target = { kind = "isotropic", risk = 1.0 }
noise = { kind = "gaussian", std = 0.2 }
[optimizer]
name = "sign_svd"
batch = 40
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = 50
at = [0, 50]
)";

class TrustNumbers : public CommandFixture {
 protected:
  TrustNumbers() {
    write("within.toml", within);
    write("beyond.toml", with(with(within, "dimension = 60", "dimension = 6"), "0.01", "0.4"));
    write("matrix.toml", small_matrix);
  }
  static std::string with(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  }
  Outcome run(const std::string& arguments) const { return outcome("\"$R\" " + arguments); }
  Json json(const std::string& arguments) const {
    const Outcome result = run(arguments + " --json");
    EXPECT_EQ(result.code, 0) << arguments << ": " << result.err;
    EXPECT_EQ(result.err, "") << arguments;
    return Json::parse(result.out);
  }
  static bool names(const Json& warnings, const std::string& number) {
    return std::ranges::any_of(warnings, [&](const Json& line) {
      return line.get<std::string>().find(number) != std::string::npos;
    });
  }
};

TEST_F(TrustNumbers, StandInEveryPrediction) {
  for (const std::string command : {"predict", "compare --runs 2", "optimum", "transfer"}) {
    const Json result = json(command + " within.toml"), trust = result["trust"];
    EXPECT_NEAR(trust["intrinsic_dimension"].get<double>(), 60, 1e-9) << command;
    EXPECT_NEAR(trust["participation"].get<double>(), 60, 1e-9) << command;
    // sgd: gamma times the eigenvalue, 1
    const double step = command == "optimum" ? result["step"].get<double>() : 0.01;
    if (command != "transfer") {
      EXPECT_NEAR(trust["step_rate"].get<double>(), step, 1e-9) << command;
    }
    EXPECT_FALSE(trust.contains("rank")) << command;
    EXPECT_NE(run(command + " within.toml")
                  .out.find("trust: intrinsic dimension 60, 60 directions share the risk, fastest "
                            "mode 0.0"),
              std::string::npos)
        << command;
  }
  const Json coefficients = json("coefficients within.toml");
  EXPECT_NEAR(coefficients["trust"]["intrinsic_dimension"].get<double>(), 60, 1e-9);
  EXPECT_TRUE(coefficients["trust"]["step_rate"].is_null());  // it takes no step
}

TEST_F(TrustNumbers, OfAMatrixNameBothSidesTheRankAndTheSignal) {
  const Json predicted = json("predict matrix.toml")["trust"];
  EXPECT_NEAR(predicted["intrinsic_dimension_out"].get<double>(), 40, 1e-9);
  EXPECT_LT(predicted["intrinsic_dimension_in"].get<double>(), 3);
  EXPECT_EQ(predicted["intrinsic_dimension"], predicted["intrinsic_dimension_in"]);
  EXPECT_GT(predicted["signal"], 0);
  for (const std::string command : {"compare --runs 2", "optimum", "coefficients"}) {
    const Json trust = json(command + " matrix.toml")["trust"];
    for (const char* number :
         {"intrinsic_dimension_out", "intrinsic_dimension_in", "rank", "signal"})
      EXPECT_NEAR(trust[number].get<double>() / predicted[number].get<double>(), 1, 1e-9)
          << command << ' ' << number;
  }
  const Outcome table = run("coefficients matrix.toml");
  EXPECT_NE(table.out.find("trust: intrinsic dimension 40 x 2.1"), std::string::npos) << table.out;
  EXPECT_NE(table.err.find("of the input side"), std::string::npos) << table.err;
}

TEST_F(TrustNumbers, OutOfRangeAreWarnedOfByName) {
  for (const std::string command : {"predict", "compare --runs 2", "optimum", "transfer"}) {
    const Json warnings = json(command + " beyond.toml")["warnings"];
    EXPECT_TRUE(names(warnings, "intrinsic dimension tr K/||K|| = 6")) << command;
    EXPECT_TRUE(names(warnings, "only 6 directions share")) << command;
    const std::string lines = run(command + " beyond.toml").err;
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), long(warnings.size())) << lines;
    EXPECT_NE(lines.find("riskcurve: warning: intrinsic dimension"), std::string::npos) << lines;
  }
  EXPECT_TRUE(
      names(json("predict beyond.toml")["warnings"], "the fastest mode decays at rate 0.4"));
  EXPECT_EQ(json("predict within.toml")["warnings"], Json::array());
  EXPECT_EQ(json("optimum within.toml")["warnings"], Json::array());
}

// The scan of dimension starts at a quarter, 15.
TEST_F(TrustNumbers, OfTheScansOfTransferAreJudgedPointByPoint) {
  const Json result = json("transfer within.toml");
  for (std::size_t i = 0; i < result["value"].size(); ++i)
    EXPECT_EQ(result["untrusted"][i].get<std::string>().find("intrinsic_dimension") == 0,
              result["quantity"][i] == "dimension" && result["value"][i] == 15.0)
        << i;
  EXPECT_EQ(result["optimizers"]["untrusted"].size(), result["optimizers"]["step"].size());
  EXPECT_TRUE(names(result["warnings"], "points leave the range where the limit can be trusted"));
}

TEST_F(TrustNumbers, OfASweepAreNamedInEachRow) {
  const auto grid = [&](const std::string& find, const std::string& dimensions) {
    write("grid.toml",
          "problem = 'within.toml'\nfind = '" + find +
              "'\n[[vary]]\nfield = 'problem.covariance.dimension'\nvalues = " + dimensions + "\n");
    return outcome("\"$R\" sweep grid.toml --out " + find + ".csv --json");
  };
  for (const std::string find : {"risk", "step"}) {
    const Outcome result = grid(find, "[6, 15, 60]");
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(Json::parse(result.out)["untrusted"],
              Json({"intrinsic_dimension participation", "intrinsic_dimension", ""}));
  }
  const Outcome exponents = grid("exponents", "[240, 60]");  // from 60 and from 15 on
  ASSERT_EQ(exponents.code, 0) << exponents.err;
  EXPECT_EQ(Json::parse(exponents.out)["untrusted"], Json({"", "intrinsic_dimension"}));

  EXPECT_EQ(outcome("\"$R\" sweep grid.toml --out again.csv").err,
            "riskcurve: warning: 1 of 2 points leave the range where the limit can be trusted: "
            "intrinsic_dimension (1)\n");
  EXPECT_NE(contents("out.txt").find("untrusted"), std::string::npos);
  grid("risk", "[60, 120]");
  const Outcome swept = outcome("\"$R\" sweep grid.toml --out swept.csv");
  EXPECT_EQ(swept.err, "");
  EXPECT_EQ(swept.out.find("untrusted"), std::string::npos);
}

}  // namespace
