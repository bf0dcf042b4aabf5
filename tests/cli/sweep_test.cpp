// `riskcurve sweep`, run, killed and resumed as a user's would be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"
#include "cli/swept_problem.hpp"

namespace {

namespace fs = std::filesystem;

class SweepCommand : public CommandFixture {
 protected:
  SweepCommand() {
    write("file.toml", kSweptProblem + "at = [10, 1000]\n");
    write("grid.toml", grid("step", "values = [1, 2, 4]"));
  }

  static std::string grid(const std::string& find, const std::string& values,
                          const std::string& field = "optimizer.batch") {
    return "problem = 'file.toml'\nfind = '" + find + "'\n[[vary]]\nfield = '" + field + "'\n" +
           values +
           "\n[[vary]]\nfield = 'problem.covariance.alpha'\nfrom = 0.1\nto = 0.9\ncount = 9\n";
  }
};

// An axis of texts among them.
TEST_F(SweepCommand, KilledAndResumedEndsInTheSameBytes) {
  write("file.toml", kSlowProblem);
  write("grid.toml", grid("risk", "values = ['sign_sgd', 'sgd']", "optimizer.name"));
  ASSERT_EQ(shell("$R sweep grid.toml --out whole.csv"), 0) << contents("err.txt");
  const std::string whole = contents("whole.csv");
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 19);
  EXPECT_FALSE(fs::exists(folder / "whole.csv.partial"));

  // Killed once three points are saved, and the last line cut short as a kill may do.
  shell(
      "$R sweep grid.toml --out killed.csv --threads 1 & pid=$!; "
      "until [ -e killed.csv ] || [ $(cat killed.csv.partial 2>/dev/null | wc -l) -ge 4 ]; do "
      "sleep 0.01; done; kill -KILL $pid; wait $pid; true");
  ASSERT_FALSE(fs::exists(folder / "killed.csv"));
  const std::string partial = contents("killed.csv.partial");
  ASSERT_GE(std::count(partial.begin(), partial.end(), '\n'), 4);
  std::ofstream(folder / "killed.csv.partial", std::ios::app) << "17,sign_sgd,0.";

  EXPECT_EQ(shell("$R sweep grid.toml --out killed.csv"), 2);  // not without --resume
  EXPECT_EQ(contents("killed.csv.partial"), partial + "17,sign_sgd,0.");
  ASSERT_EQ(shell("$R sweep grid.toml --out killed.csv --resume"), 0) << contents("err.txt");
  EXPECT_EQ(contents("killed.csv"), whole);
  EXPECT_NE(contents("out.txt").find("of them earlier"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "killed.csv.partial"));
}

TEST_F(SweepCommand, ThreadsChangeNoNumber) {
  write("grid.toml", grid("risk", "from = 1\nto = 100\ncount = 3\nspacing = 'log'"));
  ASSERT_EQ(shell("$R sweep grid.toml --out one.csv --threads 1"), 0) << contents("err.txt");
  ASSERT_EQ(shell("$R sweep grid.toml --out four.csv --threads 4"), 0) << contents("err.txt");
  EXPECT_EQ(contents("one.csv"), contents("four.csv"));
  EXPECT_EQ(contents("one.csv").substr(0, 63),
            "optimizer.batch,problem.covariance.alpha,risk,untrusted,status\n");
}

// The best step of noise-free isotropic SGD is b/d, its risk exp(-b T/d).
TEST_F(SweepCommand, FindsExponentsAndPrintsThemAsJson) {
  write("file.toml", R"([problem]
covariance = { kind = "isotropic", dimension = 400 }
target = { kind = "isotropic" }
[optimizer]
name = "sgd"
threshold = 0.5  # of clipped_sgd, dropped for the others
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 100
)");
  write("grid.toml",
        "problem = 'file.toml'\nfind = 'exponents'\n"
        "[[vary]]\nfield = 'optimizer.name'\nvalues = ['sgd', 'sign_sgd']\n"
        "[[vary]]\nfield = 'optimizer.batch'\nvalues = [1, 8]\n");
  ASSERT_EQ(shell("$R sweep grid.toml --out x.csv --json"), 0) << contents("err.txt");
  const auto json = nlohmann::json::parse(contents("out.txt"));
  EXPECT_EQ(json["optimizer.name"], nlohmann::json({"sgd", "sgd", "sign_sgd", "sign_sgd"}));
  EXPECT_EQ(json["status"], nlohmann::json({"ok", "ok", "ok", "ok"}));
  const auto near = [&](const char* column, int row, double value) {
    EXPECT_NEAR(json[column][row].get<double>(), value, 1e-5) << column;
  };
  near("step", 1, 8.0 / 400);
  near("risk", 1, std::exp(-8 * 100 / 400.0));
  near("horizon_step_exponent", 1, 0);
  near("dimension_step_exponent", 1, -1);
  near("dimension_step_error", 1, 0);
  // least squares of -b T/d, T = 25 2^i, against i log 2
  near("horizon_risk_exponent", 0, -0.25 * (2 * 4 + 1 * 2 - 0.5 - 2 * 0.25) / (10 * std::log(2)));
  EXPECT_EQ(contents("x.csv").substr(0, 30), "optimizer.name,optimizer.batch");
}

TEST_F(SweepCommand, RefusesAnotherGridsRemainsAndBadGrids) {
  write("x.csv.partial", "riskcurve sweep 1 0000000000000000\n0,1,0.1,1,1,0,3,ok\n");
  EXPECT_EQ(shell("$R sweep grid.toml --out x.csv --resume"), 2);
  EXPECT_NE(contents("err.txt").find("what was left of the same table"), std::string::npos);
  fs::remove(folder / "x.csv.partial");
  write("grid.toml", grid("step", "values = [1, 2.5]"));
  EXPECT_EQ(shell("$R sweep grid.toml --out x.csv"), 2);
  EXPECT_NE(contents("err.txt").find("optimizer.batch = 2.5"), std::string::npos)
      << contents("err.txt");
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
  write("grid.toml", grid("step", "values = [1, 'sgd']"));
  EXPECT_EQ(shell("$R sweep grid.toml --out x.csv"), 2);
  EXPECT_NE(contents("err.txt").find("an array of numbers, or of strings"), std::string::npos)
      << contents("err.txt");
  write("grid.toml", "problem = 'file.toml'\n");
  EXPECT_EQ(shell("$R sweep grid.toml --out y.csv"), 2);
  EXPECT_EQ(shell("$R sweep nowhere.toml --out y.csv"), 2);
  write("grid.toml", "problem = 'gone.toml'\n[[vary]]\nfield = 'optimizer.batch'\nvalues = [1]\n");
  EXPECT_EQ(shell("$R sweep grid.toml --out y.csv"), 2);
  EXPECT_FALSE(fs::exists(folder / "y.csv.partial"));
}

}  // namespace
