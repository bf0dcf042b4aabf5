// `riskcurve coefficients`, run as a user's script would.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command_fixture.hpp"

namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;

const std::string matrix = R"([problem]
geometry = "matrix"
covariance_out = { kind = "power_law", dimension = 30, alpha = 0.25 }
covariance_in = { kind = "power_law", dimension = 40, alpha = 0.5 }
target = { kind = "isotropic", risk = 0.5 }
noise = { kind = "gaussian", std = 0.3 }
[optimizer]
name = "sign_svd"
batch = 20
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = 100
at = [0, 100]
)";

class Coefficients : public CommandFixture {
 protected:
  Outcome run(const std::string& text, const std::string& options = "") const {
    write("file.toml", text);
    return outcome("\"$R\" coefficients file.toml " + options);
  }
  static std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return text.replace(place, from.size(), to);
  }
};

TEST_F(Coefficients, JsonHoldsRatesExponentsAndBatches) {
  const Outcome outcome = run(matrix, "--json --modes");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["side"], "in");
  EXPECT_NEAR(json["risk"].get<double>(), 0.5, 1e-12);
  for (const char* column :
       {"index", "sigma", "lambda", "h", "drift", "diffusion", "exponent", "alpha", "beta"}) {
    EXPECT_EQ(json[column].size(), 40u) << column;
    EXPECT_EQ(json["diagonal"][column].size(), 40u) << column;
  }
  EXPECT_NEAR(json["squared_update"].get<double>(), 20, 1e-8);
  EXPECT_NEAR(json["rank"].get<double>(), 20, 1e-12);
  EXPECT_LT(json["diffusion_error"].get<double>(), 1e-9);
  const auto batch = json["batches"]["batch"].get<Row>();
  EXPECT_EQ(batch, (Row{8, 20, 30, 120, 480}));
  // The curve of the file's own batch is the column of exponents.
  for (std::size_t j = 0; j < 40; ++j)
    EXPECT_NEAR(json["batches"]["exponent"][j][1].get<double>(), json["exponent"][j].get<double>(),
                1e-5);
  // The rates of all modes hold the line through the matrix: the median of 30 is row 15.
  EXPECT_EQ(json["modes"]["drift"].size(), 30u);
  EXPECT_EQ(json["modes"]["drift"][14], json["drift"]);
}

TEST_F(Coefficients, TableStatesTheExactSum) {
  const Outcome outcome = run(matrix);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("sum of c 20 = min(N_out, N_in, B)"), std::string::npos);
  EXPECT_NE(outcome.out.find("as the batch grows"), std::string::npos);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_NE(outcome.err.find("intrinsic dimension"), std::string::npos) << outcome.err;
}

TEST_F(Coefficients, OfAnySignalStandByH) {
  const Outcome outcome =
      run(with(matrix, "batch = 20", "batch = 160"), "--signal full --json --plot a.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  const auto h = json["h"].get<Row>();
  EXPECT_TRUE(std::is_sorted(h.rbegin(), h.rend()));
  EXPECT_NEAR(json["squared_update"].get<double>(), 30, 0.3);
  EXPECT_TRUE(json["trust"]["any_signal"].get<bool>());
  EXPECT_GT(json["trust"]["signal"].get<double>(), 0.4);
  EXPECT_EQ(outcome.err.find("signal"), std::string::npos) << outcome.err;
  EXPECT_NE(contents("a.svg").find("drift a"), std::string::npos);  // no function of h
}

TEST_F(Coefficients, RiskCanBeChosen) {
  // Gaussian noise: SignSVD's drift goes as (2P)^(-1/2), its noise does not depend on R.
  const Json one = Json::parse(run(matrix, "--json").out);
  const Json two = Json::parse(run(matrix, "--json --risk 0.02").out);
  const double ratio = std::sqrt((2 * 0.5 + 0.09) / (2 * 0.02 + 0.09));
  EXPECT_NEAR(two["drift"][3].get<double>() / one["drift"][3].get<double>(), ratio, 1e-9);
  EXPECT_NEAR(two["diffusion"][3].get<double>() / one["diffusion"][3].get<double>(), 1, 1e-9);
  EXPECT_EQ(run(matrix, "--risk 0").code, 2);
  EXPECT_EQ(run(matrix, "--risk -1").code, 2);
}

TEST_F(Coefficients, OtherOptimizersAndVectorProblemsHaveTheirs) {
  const Json sgd = Json::parse(run(with(matrix, "sign_svd", "sgd"), "--json").out);
  for (const double e : sgd["exponent"].get<Row>()) EXPECT_NEAR(e, 1, 1e-9);
  EXPECT_FALSE(sgd.contains("batches"));
  EXPECT_TRUE(sgd["rank"].is_null());
  const std::string vector = with(
      with(matrix.substr(0, matrix.find("geometry")) + matrix.substr(matrix.find("covariance_in")),
           "covariance_in", "covariance"),
      "sign_svd", "sign_sgd");
  const Outcome outcome = run(vector, "--json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["drift"].size(), 40u);
  EXPECT_NEAR(json["squared_update"].get<double>(), 40, 1e-9);  // signs
}

TEST_F(Coefficients, WritesFiles) {
  EXPECT_EQ(run(matrix, "--out r.csv --plot r.png").code, 0);
  EXPECT_EQ(contents("r.csv").substr(0, 59),
            "index,sigma,lambda,h,drift,diffusion,exponent,alpha,beta\n1,");
  EXPECT_GT(contents("r.png").size(), 1000u);
}

TEST_F(Coefficients, InfiniteNoiseIsBadInputInOneLine) {
  // A batch below both sides: residuals near zero are singular values near zero.
  const Outcome outcome = run(with(matrix, "\"sign_svd\"", "\"schatten\"\nexponent = -0.8"));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_NE(outcome.err.find("infinite"), std::string::npos) << outcome.err;
}

}  // namespace
