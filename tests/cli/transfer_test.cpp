// `riskcurve transfer`, run as a user's script would.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string transferred = R"([problem]
covariance = { kind = "isotropic", dimension = 40 }
target = { kind = "isotropic", risk = 1.0 }
[optimizer]
name = "sgd"
batch = 4
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 20
)";

class TransferCommand : public CommandFixture {
 protected:
  TransferCommand() { write("file.toml", transferred); }
  int run(const std::string& options) const { return shell("\"$R\" transfer " + options); }
};

// The best step of noise-free isotropic SGD is b/d.
TEST_F(TransferCommand, GivesExponentsPointsAndWhereToStartTheOthers) {
  ASSERT_EQ(run("file.toml --tuned 0.05 --json --out points.csv"), 0) << contents("err.txt");
  const Json json = Json::parse(contents("out.txt")), exponents = json["exponents"];
  EXPECT_EQ(exponents["quantity"], Json({"batch", "dimension", "horizon", "noise"}));
  EXPECT_NEAR(exponents["step"][0].get<double>(), 1, 1e-5);
  EXPECT_NEAR(exponents["step"][1].get<double>(), -1, 1e-5);
  EXPECT_NEAR(exponents["step"][2].get<double>(), 0, 1e-5);
  EXPECT_TRUE(exponents["step"][3].is_null());
  EXPECT_EQ(exponents["skipped"][3], "no noise whose size could vary");
  EXPECT_EQ(exponents["from"][1], 10.0);
  EXPECT_EQ(exponents["to"][1], 160.0);
  const Json others = json["optimizers"];
  EXPECT_EQ(others["optimizer"],
            Json({"sgd", "sign_sgd", "clipped_sgd", "sgd, momentum 0.9", "adam", "lion"}));
  EXPECT_NEAR(others["start"][1].get<double>(), 0.05 * others["ratio"][1].get<double>(), 1e-15);
  EXPECT_EQ(json["quantity"].size(), 15u);
  const std::string csv = contents("points.csv");
  EXPECT_EQ(csv.substr(0, 35), "quantity,value,step,risk,untrusted\n");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 16);
}

TEST_F(TransferCommand, RefusesBadInputInOneLine) {
  EXPECT_EQ(run("file.toml --tuned -1 --out points.csv"), 2);
  EXPECT_EQ(contents("err.txt"), "riskcurve: --tuned = -1: expected a finite step size > 0\n");
  EXPECT_EQ(run("nowhere.toml --out points.csv"), 2);
  std::ofstream(folder / "file.toml", std::ios::app) << "stepz = 3\n";
  EXPECT_EQ(run("file.toml --out points.csv"), 2);
  EXPECT_NE(contents("err.txt").find("run.stepz: unknown key"), std::string::npos);
  EXPECT_EQ(contents("out.txt"), "");
  EXPECT_FALSE(fs::exists(folder / "points.csv"));
}

}  // namespace
