// The command under mpirun: its ranks are shards, of whom the first merges. Open MPI's mpirun, 2 to
// 4 ranks.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "cli/command_fixture.hpp"
#include "cli/swept_problem.hpp"

namespace {

namespace fs = std::filesystem;

class Ranks : public CommandFixture {
 protected:
  Ranks() {
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                             "OMPI_MCA_rmaps_base_oversubscribe"})
      setenv(name, "1", 1);
    write("file.toml", kSweptProblem);
    write("grid.toml", swept_grid(9));
  }
  int on_ranks(int n, const std::string& command) const {
    return shell("mpirun -n " + std::to_string(n) + " $R " + command);
  }
  long lines(const std::string& file) const {
    const std::string text = contents(file);
    return std::count(text.begin(), text.end(), '\n');
  }
  /// Starts three of one thread, and kills the second once its journal has some lines.
  void kill_second(const std::string& command, const std::string& journal) const {
    std::thread run([&] {
      shell("mpirun -n 3 sh -c 'echo $$ > pid.$OMPI_COMM_WORLD_RANK; exec \"$0\" " + command +
            " --threads 1' $R");
    });
    for (int i = 0; i < 20000 && lines(journal) < 4; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const int pid = std::atoi(contents("pid.1").c_str());
    if (pid > 1) kill(pid, SIGKILL);
    run.join();
    ASSERT_GT(pid, 1);
  }
  bool journals() const {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename().string().find(".partial") != std::string::npos) return true;
    return false;
  }
};

TEST_F(Ranks, OfASweepEndInTheBytesOfOneProcess) {
  ASSERT_EQ(shell("$R sweep grid.toml --out whole.csv --json"), 0) << contents("err.txt");
  const std::string printed = contents("out.txt");
  for (const int n : {2, 3, 4}) {
    ASSERT_EQ(on_ranks(n, "sweep grid.toml --out x.csv --json"), 0) << contents("err.txt");
    EXPECT_EQ(contents("x.csv"), contents("whole.csv")) << n;
    EXPECT_EQ(contents("out.txt"), printed) << n;
    EXPECT_FALSE(journals());
    fs::remove(folder / "x.csv");
  }
}

TEST_F(Ranks, AKilledOneLosesItsUnfinishedPointsOnly) {
  write("file.toml", kSlowProblem);
  write("grid.toml", swept_grid(30));
  ASSERT_EQ(shell("$R sweep grid.toml --out whole.csv"), 0) << contents("err.txt");
  const std::string own = "x.csv.partial-2-of-3";
  kill_second("sweep grid.toml --out x.csv", own);
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
  const long saved = lines(own) - 1;
  ASSERT_GE(saved, 3);
  ASSERT_LT(saved, 20) << "it had ended before it was killed";

  EXPECT_EQ(on_ranks(2, "sweep grid.toml --out x.csv"), 2);  // not without --resume
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
  ASSERT_EQ(on_ranks(2, "sweep grid.toml --out x.csv --resume"), 0) << contents("err.txt");
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
  EXPECT_FALSE(journals());
}

TEST_F(Ranks, OfAMapAndOfASuite) {
  const std::string map = "phases --small --dimension 1e4 --points 3 --horizons 10 1e3 --out ";
  ASSERT_EQ(shell("$R " + map + "whole.csv"), 0) << contents("err.txt");
  const std::string printed = contents("out.txt");
  ASSERT_EQ(on_ranks(3, map + "x.csv"), 0) << contents("err.txt");
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
  EXPECT_EQ(contents("out.txt"), printed);

  fs::create_directories(folder / "cases");
  write("cases/sgd.toml", kTwoCases);
  const std::string suite = "validate --cases cases --report ";
  ASSERT_EQ(shell("$R " + suite + "whole"), 0) << contents("err.txt") << contents("out.txt");
  ASSERT_EQ(on_ranks(2, suite + "ranks"), 0) << contents("err.txt");
  for (const char* file : {"results.json", "table.md"})
    EXPECT_EQ(contents(std::string("ranks/") + file), contents(std::string("whole/") + file));
  EXPECT_FALSE(journals());
}

TEST_F(Ranks, OfAnEnsembleEndInTheBytesOfOneProcess) {
  for (const std::string command :
       {"simulate file.toml", "simulate file.toml --sde", "compare file.toml --bands"}) {
    const std::string runs = command + " --runs 8 --json --out ";
    ASSERT_EQ(shell("$R " + runs + "whole.csv"), 0) << contents("err.txt");
    const std::string printed = contents("out.txt");
    for (const int n : {2, 3}) {
      ASSERT_EQ(on_ranks(n, runs + "x.csv"), 0) << contents("err.txt");
      EXPECT_EQ(contents("x.csv"), contents("whole.csv")) << command << n;
      EXPECT_EQ(contents("out.txt"), printed);
      EXPECT_FALSE(journals());
      fs::remove(folder / "x.csv");
    }
  }
  EXPECT_EQ(on_ranks(2, "simulate file.toml"), 2);
  EXPECT_NE(contents("err.txt").find("riskcurve: mpirun = without --out"), std::string::npos);
}

TEST_F(Ranks, AKilledOneLosesItsUnfinishedRunsOnly) {
  write("file.toml", kSlowRun);
  const std::string whole = "simulate file.toml --runs 60 --out ", runs = whole + "x.csv";
  ASSERT_EQ(shell("$R " + whole + "whole.csv"), 0) << contents("err.txt");
  const std::string own = "x.csv.partial-2-of-3";
  kill_second(runs, own);
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
  const long saved = lines(own) - 1;
  ASSERT_GE(saved, 3);
  ASSERT_LT(saved, 20) << "it had ended before it was killed";

  EXPECT_EQ(on_ranks(3, runs), 2);  // not without --resume
  ASSERT_EQ(on_ranks(3, runs + " --resume"), 0) << contents("err.txt");
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
  EXPECT_FALSE(journals());
}

TEST_F(Ranks, OnlyTheFirstSpeaksAndWorksOnWhatIsNotShared) {
  ASSERT_EQ(shell("$R predict file.toml"), 0);
  const std::string printed = contents("out.txt");
  ASSERT_EQ(on_ranks(3, "predict file.toml"), 0);
  EXPECT_EQ(contents("out.txt"), printed);
  EXPECT_EQ(on_ranks(3, "sweep nothing.toml --out x.csv"), 2);
  const std::string said = contents("err.txt");
  EXPECT_EQ(said.find("riskcurve: "), said.rfind("riskcurve: ")) << said;
}

}  // namespace
