// riskcurve validate as its users call it, on a folder of small cases.
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

class ValidateCommand : public CommandFixture {
 protected:
  ValidateCommand() {
    fs::create_directories(folder / "cases");
    write("cases/sgd.toml", family("5"));
  }
  static std::string family(const std::string& allowance) {
    return "[family]\ntitle = 'SGD'\nquick = true\nsizes = [0.5, 1]\nruns = [60, 60]\nstep = 1\n"
           "allowance = " +
           allowance +
           "\n[problem]\ncovariance = { kind = 'isotropic', dimension = 60 }\n"
           "target = { kind = 'isotropic' }\nnoise = { kind = 'gaussian', std = 0.5 }\n"
           "[optimizer]\nname = 'sgd'\n[run]\nsteps = 90\npoints = 3\n"
           "[[case]]\nname = 'batch 1'\n[[case]]\nname = 'batch <4>'\noptimizer.batch = 4\n"
           "[[case]]\nname = 'other'\nwhy = 'it is only shown'\noptimizer.batch = 2\n"
           "[[claim]]\ntext = 'A batch helps'\nsource = 'a test'\nquantity = 'risk'\n"
           "of = 'batch <4>'\nover = 'batch 1'\nbetween = [0.3, 1]\n"
           "[[figure]]\ntitle = 'batches'\nfile = 'batches'\ncases = ['batch 1', 'batch <4>']\n";
  }
  int run(const std::string& arguments) const {
    return shell("\"$R\" validate --cases cases " + arguments);
  }
};

TEST_F(ValidateCommand, WritesOnePageWithEverythingInIt) {
  ASSERT_EQ(run("--report report"), 0) << contents("err.txt") << contents("out.txt");
  EXPECT_NE(contents("out.txt").find("2 of 2 cases within their allowance; 1 more"),
            std::string::npos)
      << contents("out.txt");
  const std::string page = contents("report/index.html");
  for (const char* part : {"<h2>What failed</h2>\n<p>Nothing.</p>", "batch &lt;4&gt;",
                           "A batch helps", "it is only shown", "1 of 1", "--seed 20261122"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  // Nothing comes from outside: every source and address is in the file or a place in it.
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_EQ(page.find("<link"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(contents("report/results.json").find("\"holds\": true"), std::string::npos);
  EXPECT_NE(contents("report/table.md").find("| batch 1 | 60 | 1 | 60 |"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "report/batches.svg"));
  EXPECT_FALSE(fs::exists(folder / "report/validate.partial"));
}

TEST_F(ValidateCommand, FailsWhereACaseIsOutsideItsAllowance) {
  // d = 5, and its thousandth of a percent: the finite-size bias stands far out of its error.
  std::string text = family("0.001");
  text.replace(text.find("dimension = 60"), 14, "dimension = 5");
  text.replace(text.find("sizes = [0.5, 1]\nruns = [60, 60]"), 32, "runs = [40000]");
  text.replace(text.find("steps = 90"), 10, "steps = 8");
  write("cases/sgd.toml", text);
  EXPECT_EQ(run("--report report"), 1);
  EXPECT_NE(contents("out.txt").find("FAILED"), std::string::npos) << contents("out.txt");
  EXPECT_EQ(contents("report/index.html").find("<p>Nothing.</p>"), std::string::npos);
}

TEST_F(ValidateCommand, ResumedAfterAKillGivesTheSameBytes) {
  ASSERT_EQ(run("--report whole --threads 1"), 0) << contents("err.txt");
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    const std::string cases = (folder / "cases").string(), cut = (folder / "cut").string();
    execl(program().c_str(), "riskcurve", "validate", "--cases", cases.c_str(), "--threads", "1",
          "--report", cut.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 3000; ++i) {  // killed once two of six rows are saved
    const std::string text = contents("cut/validate.partial");
    if (std::count(text.begin(), text.end(), '\n') >= 3) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(run("--report cut"), 2);  // says that there is something to resume
  EXPECT_NE(contents("err.txt").find("--resume"), std::string::npos) << contents("err.txt");
  ASSERT_EQ(run("--report cut --resume --threads 2"), 0) << contents("err.txt");
  for (const char* file : {"results.json", "table.md", "batches.svg"})
    EXPECT_EQ(contents(std::string("cut/") + file), contents(std::string("whole/") + file)) << file;
}

TEST_F(ValidateCommand, MistakesAreOneLine) {
  const auto complaint = [&](const std::string& arguments) {
    EXPECT_EQ(run(arguments), 2);
    const std::string line = contents("err.txt");
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    return line;
  };
  EXPECT_NE(complaint("--only nothing").find("--only = nothing"), std::string::npos);
  EXPECT_NE(complaint("--resume").find("--report"), std::string::npos);
  write("cases/sgd.toml", family("7"));
  EXPECT_NE(complaint("").find("family.allowance = 7"), std::string::npos) << contents("err.txt");
  write("cases/sgd.toml", "[family\n");
  EXPECT_NE(complaint("").find("sgd.toml:1:8"), std::string::npos) << contents("err.txt");
}

}  // namespace
