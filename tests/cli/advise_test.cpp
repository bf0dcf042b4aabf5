// `riskcurve advise`, run as a user's script would.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string to_advise = R"([problem]
covariance = { kind = "isotropic", dimension = 40 }
target = { kind = "isotropic", risk = 1.0 }
noise = { kind = "gaussian", std = 0.3 }
[optimizer]
name = "sgd"
batch = 4
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 200
)";

class AdviseCommand : public CommandFixture {
 protected:
  AdviseCommand() { write("file.toml", to_advise); }
  int run(const std::string& options) const { return shell("\"$R\" advise " + options); }
  Json json_of(const std::string& line) const {
    EXPECT_EQ(shell("\"$R\" " + line + " --json"), 0) << contents("err.txt");
    return Json::parse(contents("out.txt"));
  }
};

TEST_F(AdviseCommand, GivesTheNumbersOfTheCommandsThatAreAskedOneByOne) {
  const Json advice = json_of("advise file.toml"), optimum = json_of("optimum file.toml"),
             optimal = json_of("optimum file.toml --schedule optimal"),
             transfer = json_of("transfer file.toml");
  const auto number = [](const Json& json) { return json.get<double>(); };
  EXPECT_NEAR(number(advice["step"]["best"]) / number(optimum["step"]), 1, 1e-5);
  EXPECT_NEAR(number(advice["step"]["risk"]) / number(optimum["risk"]), 1, 1e-7);
  EXPECT_NEAR(number(advice["step"]["above_percent"][2]),
              number(optimum["around"]["above_percent"][2]), 1e-3);
  EXPECT_NEAR(number(advice["schedule"]["optimal_gain_percent"]),
              number(optimal["optimal"]["gain_percent"]), 1e-3);
  EXPECT_EQ(advice["doubling"]["quantity"], transfer["exponents"]["quantity"]);
  EXPECT_EQ(advice["doubling"]["step_exponent"], transfer["exponents"]["step"]);
  EXPECT_EQ(advice["doubling"]["from"][0], 4.0);
  EXPECT_EQ(advice["doubling"]["to"][0], 8.0);
  EXPECT_EQ(advice["optimizers"]["optimizer"], transfer["optimizers"]["optimizer"]);
  EXPECT_EQ(advice["optimizers"]["step"], transfer["optimizers"]["step"]);
  EXPECT_EQ(advice["horizons"], Json({50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0}));
  EXPECT_EQ(advice["risk_at"][2], transfer["optimizers"]["risk"]);
  const Json momentum = json_of("optimum file.toml --over step,momentum");
  EXPECT_NEAR(number(advice["changes"]["momentum"]["risk"]) / number(momentum["risk"]), 1, 1e-6);
  EXPECT_GT(number(advice["changes"]["averaging"]["gain_percent"]), 1);
  EXPECT_TRUE(advice["changes"]["clipping"]["value"]["threshold"].is_null());
  EXPECT_FALSE(advice["small_signal"].get<bool>());
  EXPECT_TRUE(advice["trust"].contains("participation"));
  EXPECT_TRUE(advice["warnings"].is_array());
}

TEST_F(AdviseCommand, SaysItInWordsAndOnAPageThatLoadsNothing) {
  ASSERT_EQ(run("file.toml --html page.html --out table.csv"), 0) << contents("err.txt");
  const std::string text = contents("out.txt"), page = contents("page.html");
  for (const char* words : {"the best constant step is 0.0", "the file's own step 0.01 leaves",
                            "the best schedule of all leaves", "What not to trust",
                            "averaging pays", "clipping does not pay: the best is none"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  EXPECT_NE(page.find("the best constant step is 0.0"), std::string::npos);
  EXPECT_EQ(page.substr(0, 15), "<!DOCTYPE html>");
  EXPECT_EQ(page.substr(page.size() - 15), "</body></html>\n");
  for (const char* loading : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"})
    EXPECT_EQ(page.find(loading), std::string::npos) << loading;
  EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_NE(page.find("<svg"), std::string::npos);
  const std::string csv = contents("table.csv");
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "optimizer,threshold,step,ratio,risk,above_percent,untrusted,skipped");
}

TEST_F(AdviseCommand, RefusesBadInputInOneLine) {
  EXPECT_EQ(run("file.toml --html page.txt"), 2);
  EXPECT_NE(contents("err.txt").find("--html"), std::string::npos);
  EXPECT_EQ(run("nowhere.toml --html page.html"), 2);
  std::ofstream(folder / "file.toml", std::ios::app) << "stepz = 3\n";
  EXPECT_EQ(run("file.toml --html page.html"), 2);
  EXPECT_NE(contents("err.txt").find("run.stepz: unknown key"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "page.html"));
}

}  // namespace
