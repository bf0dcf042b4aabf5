// Shards of sweep, phases, validate, simulate and compare, each a process, and riskcurve merge.
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_fixture.hpp"
#include "cli/swept_problem.hpp"

namespace {

namespace fs = std::filesystem;

class ShardCommand : public CommandFixture {
 protected:
  ShardCommand() {
    write("file.toml", kSweptProblem);
    write("grid.toml", swept_grid(9));
  }
  static std::string shard(int i, int n) {
    return " --shard " + std::to_string(i) + "/" + std::to_string(n) + " ";
  }
  void run_shards(const std::string& command, int n) const {
    for (int i = 1; i <= n; ++i)
      ASSERT_EQ(shell("$R " + command + shard(i, n)), 0) << contents("err.txt");
  }
  std::vector<std::string> journals() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename().string().find(".partial") != std::string::npos)
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  long lines(const std::string& file) const {
    const std::string text = contents(file);
    return std::count(text.begin(), text.end(), '\n');
  }
  std::string complaint(const std::string& command) const {
    EXPECT_EQ(shell("$R " + command), 2) << command;
    EXPECT_EQ(lines("err.txt"), 1) << contents("err.txt");
    return contents("err.txt");
  }
  /// Starts it with one thread, and ends it once the journal has some lines.
  void kill_early(std::vector<std::string> words, const std::string& journal,
                  int signal = SIGKILL) const {
    words.insert(words.begin(), "riskcurve");
    words.insert(words.end(), {"--threads", "1"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      fs::current_path(folder);
      if (std::freopen("out.txt", "w", stdout) && std::freopen("err.txt", "w", stderr))
        execv(program().c_str(), arguments.data());
      _exit(127);
    }
    for (int i = 0; i < 6000 && lines(journal) < 4; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 1)
        << "it had ended before it was killed";
    ASSERT_GE(lines(journal), 4);
  }
  /// Of 60 points, of which shard 2 of 3 is killed with a line cut short, told of and resumed.
  void expect_same_bytes_though_killed(std::vector<std::string> words, const std::string& suffix,
                                       const std::string& cut) const {
    const std::string x = "x" + suffix, whole = "whole" + suffix, own = x + ".partial-2-of-3";
    const std::string command = fmt::format("{} --out ", fmt::join(words, " "));
    ASSERT_EQ(shell("$R " + command + whole), 0) << contents("err.txt");
    words.insert(words.end(), {"--out", x, "--shard", "2/3"});
    kill_early(words, own);
    const long saved = lines(own) - 1;
    ASSERT_LT(saved, 20);
    std::ofstream(folder / own, std::ios::app) << cut;  // as a kill may do

    EXPECT_NE(complaint(command + x + shard(2, 3)).find("--resume goes on"), std::string::npos);
    ASSERT_EQ(shell("$R " + command + x + shard(1, 3)), 0) << contents("err.txt");
    ASSERT_EQ(shell("$R " + command + x + shard(3, 3)), 0) << contents("err.txt");
    const std::string missing = complaint("merge " + command + x);
    EXPECT_NE(missing.find(std::to_string(20 - saved) + " of 60 points are missing"),
              std::string::npos)
        << missing;
    EXPECT_NE(missing.find("--shard 2 of 3"), std::string::npos) << missing;
    EXPECT_FALSE(fs::exists(folder / x));
    EXPECT_EQ(journals().size(), 3u);

    const std::string before = contents(own);
    ASSERT_EQ(shell("$R " + command + x + shard(2, 3) + "--resume"), 0) << contents("err.txt");
    EXPECT_EQ(contents(own).rfind(before.substr(0, before.rfind('\n') + 1), 0), 0u);
    EXPECT_EQ(lines(own), 21);  // nothing twice
    ASSERT_EQ(shell("$R merge " + command + x), 0) << contents("err.txt");
    EXPECT_EQ(contents(x), contents(whole));
    EXPECT_EQ(journals(), std::vector<std::string>());
  }
};

const std::string sweep_x = "sweep grid.toml --out x.csv";

TEST_F(ShardCommand, MergedTheyAreTheBytesOfASerialRun) {
  ASSERT_EQ(shell("$R sweep grid.toml --out whole.csv --json"), 0) << contents("err.txt");
  const std::string whole = contents("whole.csv"), printed = contents("out.txt");
  EXPECT_EQ(lines("whole.csv"), 19);
  for (const int n : {1, 3, 25}) {  // 18 points
    run_shards(sweep_x, n);
    EXPECT_FALSE(fs::exists(folder / "x.csv"));
    EXPECT_EQ(journals().size(), static_cast<std::size_t>(n));
    ASSERT_EQ(shell("$R merge " + sweep_x + " --json"), 0) << contents("err.txt");
    EXPECT_EQ(contents("x.csv"), whole) << n;
    EXPECT_EQ(contents("out.txt"), printed);
    EXPECT_EQ(journals(), std::vector<std::string>());
    fs::remove(folder / "x.csv");
  }
}

TEST_F(ShardCommand, KilledAndResumedEndsInTheSameBytes) {
  write("file.toml", kSlowProblem);
  write("grid.toml", swept_grid(30));
  expect_same_bytes_though_killed({"sweep", "grid.toml"}, ".csv", "58,sign_sgd,0.");
}

TEST_F(ShardCommand, MissingPointsAreNamedAndNothingIsWritten) {
  EXPECT_NE(
      complaint("merge " + sweep_x).find("18 of 18 points are missing, counted from 0: 0, 1,"),
      std::string::npos);
  ASSERT_EQ(shell("$R " + sweep_x + shard(1, 3)), 0);
  ASSERT_EQ(shell("$R " + sweep_x + shard(3, 3)), 0);
  EXPECT_EQ(complaint("merge " + sweep_x),
            "riskcurve: merge: 6 of 18 points are missing, counted from 0: 1, 3, 8, 10, 12, ...; "
            "--shard 2 of 3\n");
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
  EXPECT_EQ(journals().size(), 2u);
}

TEST_F(ShardCommand, OfAnotherGridAreRefusedByName) {
  ASSERT_EQ(shell("$R " + sweep_x + shard(1, 2)), 0);
  write("grid.toml", swept_grid(10));
  ASSERT_EQ(shell("$R " + sweep_x + shard(2, 2)), 0);
  for (const std::string& command :
       {"merge " + sweep_x, sweep_x + " --resume", sweep_x + shard(1, 2) + "--resume",
        sweep_x + shard(1, 5) + "--resume"}) {
    const std::string line = complaint(command);
    EXPECT_NE(line.find("x.csv.partial-1-of-2: expected what was left of the same table"),
              std::string::npos)
        << line;
  }
  EXPECT_EQ(journals().size(), 2u);
  EXPECT_FALSE(fs::exists(folder / "x.csv"));
}

TEST_F(ShardCommand, ResumingGoesOnFromShardsOfAnyNumber) {
  ASSERT_EQ(shell("$R sweep grid.toml --out whole.csv"), 0);
  ASSERT_EQ(shell("$R " + sweep_x + shard(1, 3)), 0);
  EXPECT_NE(complaint(sweep_x).find("x.csv.partial-1-of-3"), std::string::npos);
  EXPECT_NE(complaint(sweep_x + shard(1, 2)).find("x.csv.partial-1-of-3"), std::string::npos);
  // Of its points 0, 3, 4, 7, 8, 11, 12, 15, 16 those of the other, 0, 7 and 16, are there.
  ASSERT_EQ(shell("$R " + sweep_x + shard(1, 2) + "--resume"), 0) << contents("err.txt");
  EXPECT_EQ(lines("x.csv.partial-1-of-2"), 1 + 6);
  ASSERT_EQ(shell("$R " + sweep_x + " --resume"), 0) << contents("err.txt");
  EXPECT_NE(contents("out.txt").find("18 points, 12 of them earlier,"), std::string::npos);
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
  EXPECT_EQ(journals(), std::vector<std::string>());
}

TEST_F(ShardCommand, OfAMapAndOfASuite) {
  const std::string map = "phases --small --dimension 1e4 --points 3 --horizons 10 1e3 --out ";
  ASSERT_EQ(shell("$R " + map + "whole.csv"), 0) << contents("err.txt");
  const std::string printed = contents("out.txt");
  run_shards(map + "x.csv", 2);
  ASSERT_EQ(shell("$R merge " + map + "x.csv"), 0) << contents("err.txt");
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
  EXPECT_EQ(contents("out.txt"), printed);

  fs::create_directories(folder / "cases");
  write("cases/sgd.toml", kTwoCases);
  const std::string suite = "validate --cases cases --report ";
  ASSERT_EQ(shell("$R " + suite + "whole"), 0) << contents("err.txt") << contents("out.txt");
  run_shards(suite + "shards", 3);
  EXPECT_FALSE(fs::exists(folder / "shards/index.html"));
  ASSERT_EQ(shell("$R merge " + suite + "shards"), 0) << contents("err.txt");
  for (const char* file : {"results.json", "table.md"})
    EXPECT_EQ(contents(std::string("shards/") + file), contents(std::string("whole/") + file));
  EXPECT_EQ(journals(), std::vector<std::string>());
}

TEST_F(ShardCommand, OfAnEnsembleAreTheBytesOfASerialRun) {
  write("averaged.toml",
        small_problem("name = 'sgd'\nbatch = 2\naverage = { kind = 'ema', decay = 0.9 }"));
  write("large.toml", small_problem("name = 'sgd'\nbatch = 1", "5"));
  for (const std::string command :
       {"simulate file.toml", "simulate file.toml --sde", "compare file.toml --bands",
        "simulate averaged.toml", "compare averaged.toml", "simulate large.toml"}) {
    const std::string seeded = command + " --runs 7 --seed 3 --json --out ";
    const int code = shell("$R " + seeded + "whole.csv");
    EXPECT_EQ(code, command == "simulate large.toml" ? 1 : 0) << contents("err.txt");
    const std::string printed = contents("out.txt"), said = contents("err.txt");
    for (const int n : {2, 3, 9}) {
      run_shards(seeded + "x.csv", n);
      EXPECT_FALSE(fs::exists(folder / "x.csv"));
      EXPECT_EQ(journals().size(), static_cast<std::size_t>(n));
      EXPECT_EQ(shell("$R merge " + seeded + "x.csv"), code) << contents("err.txt");
      EXPECT_EQ(contents("x.csv"), contents("whole.csv")) << command << n;
      EXPECT_EQ(contents("out.txt"), printed);
      EXPECT_EQ(contents("err.txt"), said);
      EXPECT_EQ(journals(), std::vector<std::string>());
      fs::remove(folder / "x.csv");
    }
  }
}

TEST_F(ShardCommand, OfAnEnsembleKilledAndResumedEndsInTheSameBytes) {
  write("file.toml", kSlowRun);
  expect_same_bytes_though_killed({"simulate", "file.toml", "--runs", "60"}, ".npz", "58,0.5,0.");
  const std::string runs = "simulate file.toml --runs 60 --out x.npz";
  fs::remove(folder / "x.npz");

  for (const int signal : {SIGKILL, SIGINT}) {  // of a whole run alike
    kill_early({"simulate", "file.toml", "--runs", "60", "--out", "x.npz"}, "x.npz.partial",
               signal);
    if (signal == SIGINT) {
      EXPECT_NE(contents("err.txt").find(" of 60 runs are saved; --resume goes on"),
                std::string::npos)
          << contents("err.txt");
    }
    EXPECT_FALSE(fs::exists(folder / "x.npz"));
    EXPECT_NE(complaint(runs).find("--resume goes on"), std::string::npos);
    ASSERT_EQ(shell("$R " + runs + " --resume"), 0) << contents("err.txt");
    EXPECT_EQ(contents("x.npz"), contents("whole.npz"));
    EXPECT_EQ(journals(), std::vector<std::string>());
    fs::remove(folder / "x.npz");
  }
}

TEST_F(ShardCommand, OfAnotherEnsembleAreRefusedByName) {
  const std::string runs = "simulate file.toml --runs 6 --out x.csv";
  ASSERT_EQ(shell("$R " + runs + shard(1, 2)), 0);
  EXPECT_EQ(complaint("merge " + runs),
            "riskcurve: merge: 3 of 6 points are missing, counted from 0: 1, 2, 5; --shard 2 of "
            "2\n");
  ASSERT_EQ(shell("$R " + runs + shard(2, 2)), 0);
  for (const std::string& other : {runs + " --seed 2", runs + " --sde",
                                   std::string("simulate file.toml --runs 7 --out x.csv")}) {
    EXPECT_NE(complaint("merge " + other)
                  .find("x.csv.partial-1-of-2: expected what was left of the same table"),
              std::string::npos);
  }
  const std::string text = contents("file.toml");
  write("file.toml", kSlowRun);
  EXPECT_NE(complaint(runs + " --resume").find("x.csv.partial-1-of-2"), std::string::npos);
  EXPECT_EQ(journals().size(), 2u);
  EXPECT_FALSE(fs::exists(folder / "x.csv"));

  // What `simulate` has run is there for `compare`.
  write("file.toml", text);
  const std::string compare = "compare file.toml --runs 6 --out ";
  ASSERT_EQ(shell("$R merge " + compare + "x.csv"), 0) << contents("err.txt");
  ASSERT_EQ(shell("$R " + compare + "whole.csv"), 0) << contents("err.txt");
  EXPECT_EQ(contents("x.csv"), contents("whole.csv"));
}

TEST_F(ShardCommand, MistakesAreOneLine) {
  for (const char* bad : {"0/3", "4/3", "x", "3", "1/", "/3", "1/0", "-1/3", "1/3x", "1.5/3",
                          "1/99999999999999999999"}) {
    const std::string line = complaint(sweep_x + " --shard " + bad);
    EXPECT_EQ(line, std::string("riskcurve: --shard = ") + bad +
                        ": expected i/n, whole numbers with 1 <= i <= n\n");
  }
  EXPECT_NE(complaint("phases --points 3 --shard 1/2").find("--out"), std::string::npos);
  EXPECT_NE(complaint("merge phases --points 3").find("--out"), std::string::npos);
  for (const std::string command : {"simulate file.toml", "compare file.toml"})
    for (const std::string& line :
         {command + " --shard 1/2", command + " --resume", "merge " + command})
      EXPECT_NE(complaint(line).find("without --out"), std::string::npos);
  EXPECT_NE(complaint("merge validate").find("--report"), std::string::npos);
  EXPECT_NE(complaint("merge").find("subcommand"), std::string::npos);
  EXPECT_NE(complaint("merge " + sweep_x + shard(1, 2)).find("--shard"), std::string::npos);
  EXPECT_EQ(journals(), std::vector<std::string>());

  // Bad input leaves nothing behind, of a shard neither.
  write("grid.toml",
        "problem = 'file.toml'\n[[vary]]\nfield = 'optimizer.batch'\nvalues = [1, 2.5]\n");
  EXPECT_EQ(shell("$R " + sweep_x + shard(2, 2)), 2);
  EXPECT_EQ(journals(), std::vector<std::string>());
}

}  // namespace
