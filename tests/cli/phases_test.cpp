// riskcurve phases as its users call it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

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
  ASSERT_EQ(run(small + "--out " + path("map.csv")), 0);
  const std::string csv = contents("map.csv"), header = csv.substr(0, csv.find('\n'));
  for (const char* column : {",intrinsic_dimension,participation,signal,rank,",
                             ",sign_sgd_step_rate_1,", ",sign_svd_step_rate_3,untrusted"})
    EXPECT_NE(header.find(column), std::string::npos) << column;
  EXPECT_NE(csv.rfind(",intrinsic_dimension step_rate signal rank\n"), std::string::npos) << csv;
  EXPECT_NE(contents("out.txt").find("trust: intrinsic dimension 1.2 .. "), std::string::npos);
  EXPECT_NE(
      contents("err.txt").find("of 9 points leave the range where the limit can be trusted: "),
      std::string::npos);
}

TEST_F(PhasesCommand, ResumedAfterAKillGivesTheSameBytes) {
  const std::string grid = "--dimension 1e4 --points 6 --horizons 10 1e4 ";
  const std::string options = grid + "--threads 1 --out ";
  ASSERT_EQ(run(options + path("whole.csv")), 0) << contents("err.txt");

  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    execl(program().c_str(), "riskcurve", "phases", "--dimension", "1e4", "--points", "6",
          "--horizons", "10", "1e4", "--threads", "1", "--out", path("cut.csv").c_str(), nullptr);
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
  ASSERT_EQ(run(grid + "--threads 2 --resume --out " + path("cut.csv")), 0);
  EXPECT_EQ(contents("cut.csv"), contents("whole.csv"));
  EXPECT_FALSE(fs::exists(path(partial)));
}

TEST_F(PhasesCommand, RefusesWhatItCannotMapInOneLine) {
  const std::pair<const char*, const char*> bad[] = {{"--alpha 1 0.5", "--alpha"},
                                                     {"--alpha 0 1", "--alpha"},
                                                     {"--horizons 100 10", "--horizons"},
                                                     {"--dimension 1e10", "--batch"},
                                                     {"--resume", "--resume"},
                                                     {"--out map.txt", "--out"},
                                                     {"--points 1", "--points"}};
  for (const auto& [options, field] : bad) {
    EXPECT_EQ(run(options), 2) << options;
    const std::string line = contents("err.txt");
    EXPECT_NE(line.find(field), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
}

}  // namespace
