// riskcurve phases as its users call it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;

class PhasesCommand : public CommandFixture {
 protected:
  std::string path(const std::string& name) const { return (folder / name).string(); }
  int run(const std::string& arguments) const { return shell("\"$R\" phases " + arguments); }
};

const std::string small = "--dimension 1e4 --points 3 --horizons 10 1e3 ";

TEST_F(PhasesCommand, PrintsTheMapAndWritesEveryRisk) {
  ASSERT_EQ(run(small + "--out " + path("map.csv")), 0) << contents("err.txt");
  const std::string text = contents("out.txt");
  EXPECT_NE(text.find(" 1.500  S"), std::string::npos) << text;
  EXPECT_NE(text.find("SignSVD ahead at every horizon"), std::string::npos) << text;
  const std::string csv = contents("map.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 10);
  EXPECT_EQ(csv.rfind("alpha,beta,phase,sign_sgd_exponent,sign_sgd_exponent_error,", 0), 0u);
  EXPECT_FALSE(fs::exists(path("map.csv.partial")));
}

// Steep power laws have few directions at any dimension.
TEST_F(PhasesCommand, SaysWhereItsPointsLeaveTheRangeOfTheLimit) {
  ASSERT_EQ(run(small + "--small --out " + path("map.csv")), 0);
  const std::string csv = contents("map.csv"), header = csv.substr(0, csv.find('\n'));
  for (const char* column : {",intrinsic_dimension,participation,signal,rank,",
                             ",sign_sgd_step_rate_1,", ",sign_svd_step_rate_3,untrusted"})
    EXPECT_NE(header.find(column), std::string::npos) << column;
  EXPECT_NE(csv.rfind(",intrinsic_dimension step_rate signal rank\n"), std::string::npos) << csv;
  EXPECT_NE(contents("out.txt").find("trust: intrinsic dimension 1.2 .. "), std::string::npos);
  EXPECT_NE(
      contents("err.txt").find("of 9 points leave the range where the limit can be trusted: "),
      std::string::npos);
  // Rates that see any signal hold there.
  ASSERT_EQ(run(small), 0);
  EXPECT_EQ(contents("err.txt").find("leave the range"), std::string::npos) << contents("err.txt");
}

TEST_F(PhasesCommand, ResumedAfterAKillGivesTheSameBytes) {
  const std::string grid = "--small --dimension 1e4 --points 6 --horizons 10 1e4 ";
  const std::string options = grid + "--threads 1 --out ";
  ASSERT_EQ(run(options + path("whole.csv")), 0) << contents("err.txt");

  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    execl(program().c_str(), "riskcurve", "phases", "--small", "--dimension", "1e4", "--points",
          "6", "--horizons", "10", "1e4", "--threads", "1", "--out", path("cut.csv").c_str(),
          nullptr);
    _exit(127);
  }
  // Killed once two of the six columns are saved (a header and 2 * 6 rows).
  const std::string partial = "cut.csv.partial";
  for (int i = 0; i < 3000; ++i) {
    const std::string text = contents(partial);
    if (std::count(text.begin(), text.end(), '\n') >= 13) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it had ended before it was killed";
  ASSERT_FALSE(fs::exists(path("cut.csv")));

  EXPECT_EQ(run(grid + "--out " + path("cut.csv")), 2);  // says --resume
  EXPECT_NE(contents("err.txt").find("--resume"), std::string::npos);
  EXPECT_EQ(run("--points 6 --resume --out " + path("cut.csv")), 2);  // another map
  EXPECT_EQ(run(grid + "--optimizers sign_svd,sign_sgd --resume --out " + path("cut.csv")), 2);
  ASSERT_EQ(run(grid + "--threads 2 --resume --out " + path("cut.csv")), 0);
  EXPECT_EQ(contents("cut.csv"), contents("whole.csv"));
  EXPECT_FALSE(fs::exists(path(partial)));
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
  return cells;
}

TEST_F(PhasesCommand, ComparesAnyTwoAtTheRisksThatOptimumHas) {
  ASSERT_EQ(run("--optimizers adam,sgd --dimension 40 --points 2 --alpha 0.3 0.6 --beta 0.2 0.9 "
                "--horizons 10 100 --out " +
                path("map.csv") + " --plot " + path("map.svg")),
            0)
      << contents("err.txt");
  const std::string text = contents("out.txt"), warned = contents("err.txt");
  EXPECT_EQ(text.rfind("Adam against SGD, one-sided power law, N = 40, batch 40", 0), 0u) << text;
  EXPECT_NE(text.find("solved step by step or in leaps (Adam), fastest mode "), std::string::npos)
      << text;
  EXPECT_NE(warned.find("the matrix is small"), std::string::npos) << warned;
  const std::string drawn = contents("map.svg");
  for (const char* label : {"Adam ahead at every horizon", "SGD ahead at every horizon",
                            "fitted exponent e of Adam", "fitted exponent e of SGD"})
    EXPECT_NE(drawn.find(label), std::string::npos) << label;
  EXPECT_EQ(drawn.find("Sign"), std::string::npos);

  std::istringstream csv(contents("map.csv"));
  std::string line;
  std::getline(csv, line);
  const std::vector<std::string> header = split(line);
  std::getline(csv, line);
  std::getline(csv, line);
  const std::vector<std::string> row = split(line);  // alpha = 0.3, beta = 0.9
  const auto value = [&](const std::string& column) {
    const auto at = std::find(header.begin(), header.end(), column) - header.begin();
    return std::stod(row.at(static_cast<std::size_t>(at)));
  };
  EXPECT_EQ(std::count(header.begin(), header.end(), "adam_exponent_derived"), 0);
  for (const std::string name : {"adam", "sgd"}) {
    write("one.toml",
          "[problem]\ngeometry = 'matrix'\n"
          "covariance_out = { kind = 'isotropic', dimension = 40 }\n"
          "covariance_in = { kind = 'power_law', dimension = 40, alpha = 0.3 }\n"
          "target = { kind = 'power_law', beta = 0.9, sides = 'in' }\n"
          "[optimizer]\nname = '" +
              name +
              "'\nbatch = 40\n"
              "[schedule]\nkind = 'constant'\nstep = 1\n[run]\nsteps = 100\n");
    ASSERT_EQ(shell("\"$R\" optimum one.toml --json"), 0) << contents("err.txt");
    const std::string json = contents("out.txt");
    const std::size_t at = json.find("\"risk\":");
    ASSERT_NE(at, std::string::npos) << json;
    EXPECT_NEAR(value(name + "_risk_2") / std::stod(json.substr(at + 7)), 1, 1e-3) << name;
  }
}

TEST_F(PhasesCommand, RefusesWhatItCannotMapInOneLine) {
  const std::pair<const char*, const char*> bad[] = {
      {"--alpha 1 0.5", "--alpha"},
      {"--alpha 0 1", "--alpha"},
      {"--horizons 100 10", "--horizons"},
      {"--dimension 1e10", "--batch"},
      {"--resume", "--resume"},
      {"--out map.txt", "--out"},
      {"--points 1", "--points"},
      {"--optimizers adam", "--optimizers = adam:"},
      {"--optimizers sgd,adm", "sign_sgd, adam,"},
      {"--optimizers sgd,sgd", "two different ones"},
      {"--optimizers sgd,clipped_sgd", "= clipped_sgd:"},
      {"--optimizers schatten,sgd", "= schatten:"},
      {"--optimizers sgd,adam,lion", "--optimizers"}};
  for (const auto& [options, field] : bad) {
    EXPECT_EQ(run(options), 2) << options;
    const std::string line = contents("err.txt");
    EXPECT_NE(line.find(field), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
}

}  // namespace
