// `riskcurve optimum`, run as a user's script would.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string problem = R"([problem]
covariance = { kind = "power_law", dimension = 200, alpha = 0.3, orientation = "diagonal" }
target = { kind = "power_law", beta = 0.2, risk = 1.0 }
noise = { kind = "gaussian", std = 0.2 }
[optimizer]
name = "sgd"
batch = 4
)";
const std::string run_table = "[run]\nsteps = 1000\nat = [1000]\n";

class OptimumCommand : public CommandFixture {
 protected:
  Outcome run(const std::string& command, const std::string& schedule,
              const std::string& options) const {
    write("file.toml", text + "[schedule]\n" + schedule + run_table);
    return outcome("\"$R\" " + command + " file.toml " + options);
  }
  double predicted(const std::string& schedule) const {
    const Outcome outcome = run("predict", schedule, "--json");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Json::parse(outcome.out)["risk"][0];
  }

  std::string text = problem;
  const std::string constant = "kind = 'constant'\nstep = 0.01\n";
};

TEST_F(OptimumCommand, GivesTheStepWhoseRiskPredictFinds) {
  const Outcome outcome = run("optimum", constant, "--json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  const double step = json["step"], risk = json["risk"];
  EXPECT_LE(json["evaluations"].get<int>(), 15);
  EXPECT_EQ(json["steps"], 1000.0);
  const auto at = [](double x) {
    return "kind = 'constant'\nstep = " + std::to_string(x) + "\n";  // six decimals of about 0.1
  };
  EXPECT_NEAR(predicted(at(step)) / risk, 1, 1e-7);
  EXPECT_GT(predicted(at(1.1 * step)), risk);
  EXPECT_GT(predicted(at(0.9 * step)), risk);
}

TEST_F(OptimumCommand, PredictTakesTheTablesBack) {
  for (const std::string kind : {"greedy", "optimal"}) {
    const Outcome outcome =
        run("optimum", constant, "--points 25 --out best.csv --json --schedule " + kind);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const double risk = Json::parse(outcome.out)[kind]["risk"];
    EXPECT_NEAR(predicted("kind = 'tabulated'\nfile = 'best.csv'\n") / risk, 1, 1e-8) << kind;
  }
}

TEST_F(OptimumCommand, FindsTheBatchOfABudgetAndTheCriticalOne) {
  text = problem;
  const Outcome budget = run("optimum", constant, "--json --samples 400");
  ASSERT_EQ(budget.code, 0) << budget.err;
  const Json best = Json::parse(budget.out);
  EXPECT_EQ(best["batch"], 1);  // SGD
  EXPECT_EQ(best["steps"], 400.0);
  EXPECT_LE(best["risk"], best["batches"]["risk"][2]);
  const Outcome critical = run("optimum", constant, "--json --critical-batch --reach 0.05");
  ASSERT_EQ(critical.code, 0) << critical.err;
  const Json found = Json::parse(critical.out);
  EXPECT_GT(found["critical_batch"], 16.0);
  EXPECT_EQ(found["batches"]["batch"][1], 2.0);
  for (const std::string wrong :
       {"--samples 400 --horizon 3", "--samples 4", "--samples 400 --reach 0.1",
        "--critical-batch --over step", "--samples 400 --over nothing"}) {
    const Outcome refused = run("optimum", constant, wrong);
    EXPECT_EQ(refused.code, 2) << wrong;
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
  }
}

TEST_F(OptimumCommand, ReachesATargetRiskAndRefusesOneAboveTheStart) {
  const Outcome outcome = run("optimum", constant, "--json --reach 0.2");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NEAR(Json::parse(outcome.out)["risk"].get<double>(), 0.2, 1e-8);
  const Outcome refused = run("optimum", constant, "--reach 2 --out best.csv");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("target risk = 2: expected between 0 and the initial risk 1"),
            std::string::npos)
      << refused.err;
  EXPECT_FALSE(fs::exists(folder / "best.csv"));
  EXPECT_EQ(run("optimum", constant, "--reach 0.2 --horizon 10").code, 2);
  EXPECT_EQ(run("optimum", constant, "--horizon -3").code, 2);
  EXPECT_EQ(run("predict", "kind = 'tabulated'\nfile = 'file.toml'\n", "").code, 2);
}

TEST_F(OptimumCommand, PredictTakesTheThresholdsBack) {
  EXPECT_EQ(run("optimum", constant, "--threshold best.csv").code, 2);  // sgd has none
  const std::string clipped = R"([problem]
covariance = { kind = "power_law", dimension = 200, alpha = 0.3 }
target = { kind = "power_law", beta = 0.2, risk = 1.0 }
noise = { kind = "student_t", nu = 1.0, scale = 0.2 }
[optimizer]
name = "clipped_sgd"
)";
  text = clipped + "threshold = 0.5\n";
  const Outcome outcome =
      run("optimum", constant, "--json --schedule optimal --out step.csv --threshold best.csv");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  const double risk = json["optimal"]["risk"];
  const auto& risks = json["clipping"]["risk"];
  EXPECT_EQ(risks.size(), json["clipping"]["threshold"].size());
  EXPECT_NEAR(risks.back().get<double>() / risk, 1, 1e-8);
  text = clipped + "threshold = { kind = 'tabulated', file = 'best.csv' }\n";
  EXPECT_NEAR(predicted("kind = 'tabulated'\nfile = 'step.csv'\n") / risk, 1, 1e-3);
}

}  // namespace
