// Runs the riskcurve command itself, as a user's script would.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string good = R"([problem]
covariance = { kind = "power_law", dimension = 50, alpha = 0.3, orientation = "diagonal" }
target = { kind = "power_law", beta = 0.2, risk = 1.0 }
noise = { kind = "gaussian", std = 0.2 }
[optimizer]
name = "sgd"
batch = 4
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 100
at = [0, 50, 100]
)";

/// `text` with the one occurrence of `from` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

class Command : public CommandFixture {
 protected:
  Command() { write("good.toml", good); }

  /// Runs `riskcurve arguments` in the folder; `before` stands before it in the shell.
  Outcome run(const std::string& arguments, const std::string& before = "") const {
    const Outcome result = outcome(before + " \"$R\" " + arguments);
    fs::remove(folder / "out.txt");
    fs::remove(folder / "err.txt");
    return result;
  }
  /// `riskcurve predict` on this text must be bad input, in one line that says `expected`.
  void refused(const std::string& text, const std::string& expected) const {
    write("bad.toml", text);
    const Outcome outcome = run("predict bad.toml --json --out result.csv");
    EXPECT_EQ(outcome.code, 2) << expected;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.substr(0, 11), "riskcurve: ");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(folder / "result.csv"));
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(Command, BandsAddTheSpreadOfSingleRunsAndCountThoseInside) {
  const Json bare = Json::parse(run("predict good.toml --json").out);
  EXPECT_FALSE(bare.contains("deviation"));
  const Json predicted = Json::parse(run("predict good.toml --bands --json").out);
  EXPECT_EQ(predicted["risk"], bare["risk"]);
  EXPECT_EQ(predicted["deviation"][0], 0);
  EXPECT_GT(predicted["deviation"][2], 0);
  EXPECT_LT(predicted["low"][2], predicted["risk"][2]);
  EXPECT_GT(predicted["high"][2], predicted["risk"][2]);

  const Json compared = Json::parse(run("compare good.toml --bands --runs 40 --json").out);
  EXPECT_EQ(compared["high"], predicted["high"]);
  EXPECT_TRUE(compared["inside_percent"][0].is_null());
  EXPECT_GT(compared["coverage_percent"], 80);
  EXPECT_NE(run("compare good.toml --bands").out.find("inside %"), std::string::npos);

  write("heavy.toml",
        with(good, "kind = \"gaussian\", std = 0.2", "kind = \"student_t\", nu = 3, scale = 0.2"));
  const Outcome heavy = run("predict heavy.toml --bands");
  EXPECT_EQ(heavy.code, 0);
  EXPECT_NE(heavy.err.find("no bands: the label noise has no fourth moment"), std::string::npos);
}

TEST_F(Command, PredictPrintsOneJsonObjectAndNothingElse) {
  const Outcome outcome = run("predict good.toml --json");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["steps"], Json({0.0, 50.0, 100.0}));
  EXPECT_EQ(json["status"], "ok");
  EXPECT_TRUE(json["warnings"].is_array());
  EXPECT_TRUE(json["observables"].is_object());
  const auto risk = json["risk"].get<std::vector<double>>();
  const auto population = json["population_risk"].get<std::vector<double>>();
  EXPECT_NEAR(risk[0], 1, 1e-12);
  EXPECT_LT(risk[2], risk[1]);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(population[i] - risk[i], 0.02, 1e-12);
}

TEST_F(Command, MethodsAgree) {
  const auto risk = [&](const std::string& method) {
    return Json::parse(run("predict good.toml --json --method " + method).out)["risk"]
        .get<std::vector<double>>();
  };
  const auto a = risk("exponential"), b = risk("dopri5"), c = risk("rosenbrock4");
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(a[i] / b[i], 1, 1e-8);
    EXPECT_NEAR(a[i] / c[i], 1, 1e-6);
  }
}

TEST_F(Command, ModesSumToTheRisk) {
  const Json json = Json::parse(run("predict good.toml --json --modes").out);
  const auto weight = json["mode_weight"].get<std::vector<double>>();
  for (int i = 0; i < 3; ++i) {
    const auto modes = json["modes"][i].get<std::vector<double>>();
    ASSERT_EQ(modes.size(), weight.size());
    double risk = 0;
    for (std::size_t k = 0; k < modes.size(); ++k) risk += weight[k] * modes[k] / 2;
    EXPECT_NEAR(risk, json["risk"][i].get<double>(), 1e-9);
  }
}

TEST_F(Command, InfiniteVarianceHasNoPopulationRisk) {
  write("cauchy.toml", with(with(good, "\"sgd\"", "\"sign_sgd\""), "\"gaussian\", std",
                            "\"student_t\", nu = 1, scale"));
  const Json json = Json::parse(run("predict cauchy.toml --json").out);
  EXPECT_TRUE(json["population_risk"].is_null());
  EXPECT_EQ(json["observables"]["effective_learning_rate"].size(), 3u);
}

TEST_F(Command, TablesHoldTheRequestedSteps) {
  for (const std::string name : {"predict", "simulate", "compare"}) {
    const Outcome outcome = run(name + " good.toml");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("sgd, batch 4"), std::string::npos);
    for (const char* step : {"\n   0 ", "\n  50 ", "\n 100 "}) {
      EXPECT_NE(outcome.out.find(step), std::string::npos) << outcome.out;
    }
  }
}

TEST_F(Command, SimulationDependsOnTheSeedAndNotOnThreads) {
  const std::string a = run("simulate good.toml --json --runs 3 --seed 7 --threads 1").out;
  const std::string b = run("simulate good.toml --json --runs 3 --seed 7 --threads 2").out;
  const std::string c = run("simulate good.toml --json --runs 3 --seed 8 --threads 2").out;
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  const Json json = Json::parse(a);
  EXPECT_EQ(json["runs"], 3);
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["risk_of_run"][1].size(), 3u);
}

TEST_F(Command, CompareStatesTheDifferenceOfItsOwnColumns) {
  const Json json = Json::parse(run("compare good.toml --json --runs 4").out);
  EXPECT_TRUE(json["difference_in_standard_errors"][0].is_null());
  for (int i = 1; i < 3; ++i) {
    const double predicted = json["predicted"][i], mean = json["mean"][i],
                 error = json["standard_error"][i];
    EXPECT_NEAR(json["difference_in_standard_errors"][i].get<double>(), (mean - predicted) / error,
                1e-9);
    EXPECT_NEAR(json["difference_percent"][i].get<double>(), 100 * (mean - predicted) / predicted,
                1e-9);
  }
}

TEST_F(Command, SpectrumNeedsOnlyACovariance) {
  write("spectrum.toml",
        "[problem.covariance]\nkind = \"power_law\"\ndimension = 1000\n"
        "alpha = 0.7\n");
  const Json json = Json::parse(run("spectrum spectrum.toml --json").out);
  EXPECT_EQ(json["dimension"], 1000);
  EXPECT_NEAR(json["power_law"]["alpha"].get<double>(), 0.7, 1e-9);
  EXPECT_EQ(json["norm"], 1);
  EXPECT_NE(run("spectrum spectrum.toml").out.find("alpha = 0.7000"), std::string::npos);
}

TEST_F(Command, WritesFilesWhole) {
  const Outcome outcome = run("predict good.toml --out r.csv --plot r.svg");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(run("compare good.toml --runs 2 --out r.npz --plot r.png").code, 0);
  EXPECT_EQ(run("predict good.toml --out r.json").code, 0);
  EXPECT_EQ(files(),
            (std::vector<std::string>{"good.toml", "r.csv", "r.json", "r.npz", "r.png", "r.svg"}));
  EXPECT_EQ(contents("r.csv").substr(0, 27), "steps,risk,population_risk\n");
  EXPECT_EQ(Json::parse(contents("r.json")), Json::parse(run("predict good.toml --json").out));
}

TEST_F(Command, BadOutputsAreRefusedBeforeAnyWork) {
  // A problem whose simulation would take hours.
  write("long.toml",
        with(with(good, "steps = 100", "steps = 1000000000000"), "50, 100]", "1000000000000]"));
  for (const char* option : {"--out r.txt", "--out r", "--plot r.pdf", "--out none/r.csv"}) {
    const Outcome outcome = run(std::string("simulate long.toml ") + option, "timeout 10");
    EXPECT_EQ(outcome.code, 2) << option;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Command, MissingGnuplotIsNamedAndNothingWritten) {
  const Outcome outcome = run("predict good.toml --out r.csv --plot r.png", "PATH=/nonexistent");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("install gnuplot-nox"), std::string::npos);
  EXPECT_EQ(files(), std::vector<std::string>{"good.toml"});
}

TEST_F(Command, UsageErrorsAreOneLineAndExitWith2) {
  for (const char* arguments :
       {"", "forecast good.toml", "predict", "predict none.toml", "predict .",
        "predict good.toml --method euler", "predict good.toml --rtol 0",
        "simulate good.toml --runs 0", "simulate good.toml --runs many",
        "simulate good.toml --seed -1", "predict good.toml --what"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("predict --help").code, 0);
  EXPECT_EQ(run("--version").out.substr(0, 10), "riskcurve ");
}

TEST_F(Command, RtolHasOneRangeInTheSameWords) {
  for (const char* rtol : {"0", "1e-14", "1"})
    for (const char* command : {"predict", "compare", "optimum"}) {
      const Outcome outcome = run(std::string(command) + " good.toml --rtol " + rtol);
      EXPECT_EQ(outcome.code, 2);
      EXPECT_EQ(outcome.err, std::string("riskcurve: --rtol = ") + rtol +
                                 ": expected a number >= 1e-13 and < 1\n");
    }
}

TEST_F(Command, RisksAtTheEndsOfTheDoublesAreSpokenOfConsistently) {
  write("least.toml", with(good, "risk = 1.0", "risk = 1e-300"));
  const Outcome least = run("predict least.toml");
  EXPECT_EQ(least.code, 0);
  EXPECT_EQ(least.err.find("riskcurve: warning: the initial risk 1e-300 is below 1e-280 and is "
                           "taken as 0\n"),
            0U)
      << least.err;
  EXPECT_EQ(least.out.find("share the risk"), std::string::npos) << least.out;
  EXPECT_EQ(Json::parse(run("predict least.toml --json").out)["risk"][0], 0);

  const Json one = Json::parse(run("predict good.toml --json").out)["trust"]["participation"];
  for (const char* risk : {"1e-270", "1e300"}) {
    write("end.toml", with(good, "risk = 1.0", std::string("risk = ") + risk));
    const Json end = Json::parse(run("predict end.toml --bands --json").out);
    EXPECT_NEAR(end["trust"]["participation"].get<double>(), one.get<double>(), 1e-9);
    EXPECT_EQ(end["risk"][0], std::stod(risk));
    EXPECT_EQ(end["status"], "ok");
    EXPECT_TRUE(end["deviation"][2].is_number()) << risk;
    EXPECT_GT(end["deviation"][2].get<double>(), 0) << risk;
  }
}

TEST_F(Command, AFailedPredictionSaysItsCauseThoughThereIsNothingToPlot) {
  // Explicit steps would have to follow modes that forget within steps 10^12 times.
  write("hopeless.toml", with(with(with(good, "kind = \"constant\"", "kind = \"piecewise\""),
                                   "step = 0.01", "from = [0, 10000000000]\nstep = [1e-11, 0.05]"),
                              "steps = 100\nat = [0, 50, 100]",
                              "steps = 2000000000000\nat = [1000000000000, 2000000000000]"));
  const Outcome outcome = run("predict hopeless.toml --method dopri5 --plot hopeless.svg");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("riskcurve: prediction failed: "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("max_steps = 1000000"), std::string::npos) << outcome.err;
  EXPECT_NE(shell("test -e hopeless.svg"), 0);
}

TEST_F(Command, ATargetBeyondTheDoublesIsNamed) {
  const std::string listed =
      with(good, "kind = \"power_law\", dimension = 50, alpha = 0.3, orientation = \"diagonal\"",
           "kind = \"eigenvalues\", values = [1e308, 1e308, 1e308]");
  refused(with(listed, "risk = 1.0", "risk = 1e308"),
          "problem.target, initial risk = inf: expected");
  write("big.csv", "1e200\n1e200\n1e200\n");
  refused(
      with(with(good, "kind = \"power_law\", dimension = 50, alpha = 0.3",
                "kind = \"isotropic\", dimension = 3"),
           "kind = \"power_law\", beta = 0.2, risk = 1.0", "kind = \"file\", path = \"big.csv\""),
      "problem.target, squared errors = inf: expected");
}

TEST_F(Command, SpectrumOfManyDimensionsEnds) {
  write("many.toml", with(good, "dimension = 50", "dimension = 1e18"));
  const Outcome outcome = run("spectrum many.toml", "timeout 60");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("1 j^(-2 alpha), alpha = 0.3000, for j = 1 to "), std::string::npos)
      << outcome.out;
}

TEST_F(Command, AGzipFileIsReadAndACorruptOneIsOneLine) {
  write("values.csv", "3,2,1,1,1\n");
  ASSERT_EQ(shell("gzip -kn values.csv && (head -c 20 values.csv.gz > cut.csv.gz)"), 0);
  const std::string from_file =
      with(good, "kind = \"power_law\", dimension = 50, alpha = 0.3, orientation = \"diagonal\"",
           "kind = \"eigenvalues\", path = \"values.csv.gz\"");
  write("gzip.toml", from_file);
  EXPECT_EQ(run("predict gzip.toml").code, 0);
  refused(with(from_file, "values.csv.gz", "cut.csv.gz"), "cut.csv.gz, gzip data, 20 bytes");
}

TEST_F(Command, BadProblemsAreNamedInOneLine) {
  refused(with(good, "alpha = 0.3", "alpha = -1"), "problem.covariance.alpha = -1: expected");
  refused(with(good, "alpha", "alhpa"), "problem.covariance.alpha");
  refused(with(good, "alpha = 0.3", "alpha = 0.3, extra = 1"), "problem.covariance.extra");
  refused(with(good, "alpha = 0.3", "alpha = nan"), "problem.covariance.alpha = nan");
  refused(with(good, "std = 0.2", "std = inf"), "problem.noise.std = inf");
  refused(with(good, "risk = 1.0", "risk = \"one\""), "problem.target.risk");
  refused(with(good, "\"gaussian\"", "\"gauss\""), "problem.noise.kind");
  refused(with(good, "name = \"sgd\"", "name = \"adamax\""), "optimizer.name");
  refused(with(good, "batch", "bacth"), "did you mean \"batch\"");
  refused(with(good, "step = 0.01", "step = 0"), "schedule.step = 0");
  refused(with(good, "at = [0, 50, 100]", "at = [0, 50, 20]"), "run.at");
  refused(with(good, "[run]", "[ruin]"), "run = (missing");
  refused(with(good, "[optimizer]", "[optimizer"), "bad.toml:5:");
  refused(with(good, "\"gaussian\", std", "\"student_t\", nu = 1, scale"), "sign_sgd");
  const std::string power_law =
      R"("power_law", dimension = 50, alpha = 0.3, orientation = "diagonal")";
  refused(with(good, power_law, "\"eigenvalues\", values = [1, -2]"),
          "problem.covariance.values = -2");
  refused(with(good, power_law, "\"eigenvalues\", values = []"), "problem.covariance.values");
  refused(with(good, power_law, "\"data\", path = \"none.csv\""), "none.csv");
  write("short.csv", "1,2,3\n4,5\n");
  refused(with(good, power_law, "\"data\", path = \"short.csv\""), "short.csv, line 2");
  write("nan.csv", "1,2,3\n4,nan,5\n");
  refused(with(good, power_law, "\"data\", path = \"nan.csv\""), "nan.csv, line 2");
}

TEST_F(Command, UnstableStepIsReportedWithWhatWasComputed) {
  write("unstable.toml", with(good, "step = 0.01", "step = 50"));
  const Outcome outcome = run("predict unstable.toml --json");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("prediction diverged"), std::string::npos);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["status"], "diverged");
  EXPECT_GE(json["warnings"].size(), 1u);
  EXPECT_EQ(json["steps"].size(), json["risk"].size());

  write("exploding.toml", with(good, "step = 0.01", "step = 1e9"));
  const Outcome runs = run("simulate exploding.toml --json");
  EXPECT_EQ(runs.code, 1);
  EXPECT_EQ(Json::parse(runs.out)["status"], "diverged");
}

TEST_F(Command, ZeroRiskStaysFinite) {
  write("zero.toml",
        with(with(good, "risk = 1.0", "risk = 0"), "\"gaussian\", std = 0.2", "\"none\""));
  const Outcome outcome = run("compare zero.toml --json --runs 2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["predicted"], Json({0.0, 0.0, 0.0}));
  EXPECT_EQ(json["mean"], Json({0.0, 0.0, 0.0}));
}

TEST_F(Command, RunsOfTheSdeFollowTheCurve) {
  const Outcome outcome = run("compare good.toml --json --sde --runs 400 --seed 3");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json sde = Json::parse(outcome.out);
  const Json real = Json::parse(run("compare good.toml --json --runs 4 --seed 3").out);
  EXPECT_EQ(sde["predicted"], real["predicted"]);
  EXPECT_NE(sde["mean"], real["mean"]);
  // Four standard errors, and a bias of the order of the inverse dimension.
  for (std::size_t i = 0; i < sde["steps"].size(); ++i) {
    const double predicted = sde["predicted"][i], error = sde["standard_error"][i];
    EXPECT_NEAR(sde["mean"][i], predicted, 4 * error + 0.02 * predicted);
  }
}

TEST_F(Command, InterruptEndsCleanlyWithoutFiles) {
  write("long.toml",
        with(with(good, "steps = 100", "steps = 1000000000000"), "50, 100]", "1000000000000]"));
  const Outcome outcome = run("simulate long.toml --runs 1 --json --out r.csv",
                              "timeout --signal=INT --kill-after=20 1");
  // timeout itself answers 124 once it had to send the signal.
  EXPECT_EQ(outcome.code, 124);
  EXPECT_NE(outcome.err.find("riskcurve: simulation interrupted"), std::string::npos);
  EXPECT_EQ(Json::parse(outcome.out)["status"], "interrupted");
  EXPECT_FALSE(fs::exists(folder / "r.csv"));
}

TEST_F(Command, ClosedOutputIsAFailure) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string line = "cd '" + folder.string() + "' && '" + program() +
                           "' predict good.toml >/dev/full 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(line.c_str())), 1);
}

TEST_F(Command, ShowsTheRiskOfAnAverageBesideThatOfTheIterate) {
  write("averaged.toml",
        with(good, "batch = 4", "batch = 4\naverage = { kind = \"ema\", decay = 0 }"));
  const Json json = Json::parse(run("simulate averaged.toml --runs 2 --json --out r.csv").out);
  EXPECT_EQ(json["averaged_mean"], json["mean"]);
  EXPECT_EQ(json["averaged_standard_error"], json["standard_error"]);
  EXPECT_EQ(json["averaged_risk_of_run"], json["risk_of_run"]);
  EXPECT_NE(contents("r.csv").find("averaged_mean,averaged_standard_error"), std::string::npos);
  EXPECT_NE(run("simulate averaged.toml --runs 2").out.find("averaged R"), std::string::npos);
  EXPECT_EQ(run("simulate good.toml --runs 2").out.find("averaged R"), std::string::npos);
}

}  // namespace
