#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "input/loss_file.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

namespace fs = std::filesystem;

class FitFile : public ::testing::Test {
 protected:
  FitFile() { fs::create_directories(folder); }
  ~FitFile() override { fs::remove_all(folder); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }
  fs::path folder = fs::temp_directory_path() / ("riskcurve-fit-" + std::to_string(getpid()));
};

TEST_F(FitFile, ReadsColumnsByTheirNamesInAnyOrder) {
  const LossFile file = read_loss_file(
      write("log.csv", "# a comment\nLoss, wall time ,STEP,se\n3,7,0,0.1\n2,8,5,0.2\n"),
      "curve.path");
  EXPECT_EQ(file.curve.step[1], 5);
  EXPECT_EQ(file.curve.loss[0], 3);
  EXPECT_EQ(file.curve.error[1], 0.2);
  EXPECT_FALSE(file.has_step_size);
  EXPECT_FALSE(file.curve.evaluated);
}

TEST_F(FitFile, AveragesRunsAtTheStepsThatAllHave) {
  const LossFile file = read_loss_file(
      write("log.csv",
            "run,step,loss,kind\na,0,3,eval\na,1,2,eval\nb,0,5,eval\nb,1,4,eval\nb,2,3,"
            "eval\nc,0,4,eval\nc,1,3,eval\n"),
      "curve.path");
  ASSERT_EQ(file.curve.step.size(), 2);
  EXPECT_DOUBLE_EQ(file.curve.loss[0], 4);
  EXPECT_DOUBLE_EQ(file.curve.loss[1], 3);
  EXPECT_NEAR(file.curve.error[0], 1 / std::sqrt(3), 1e-12);  // of three, deviation 1
  EXPECT_TRUE(file.curve.evaluated);
}

TEST_F(FitFile, ScheduleOfRowsKeepsToThem) {
  std::string rows = "step,loss,lr\n";
  const auto step_size = [](int k) { return 0.1 * (1 + std::cos(M_PI * k / 1000)) / 2; };
  for (int k = 0; k < 1000; ++k)
    rows += std::to_string(k) + ",1," + std::to_string(step_size(k)) + "\n";
  const LossFile file = read_loss_file(write("log.csv", rows), "curve.path");
  ASSERT_TRUE(file.has_step_size);
  EXPECT_LT(file.curve.schedule.breaks.size(), 60u);
  for (int k = 0; k < 1000; k += 7) EXPECT_NEAR(file.curve.schedule(k), step_size(k), 1.01e-4) << k;
}

TEST_F(FitFile, ReadsAPlan) {
  write("a.csv", "step,loss\n0,3\n1,2\n");
  write("b.csv", "step,loss,lr\n0,3,0.1\n9,2,0.1\n");
  const FitPlan plan = read_fit(write("fit.toml", R"([fit]
model = "least_squares"
optimizer = { name = "sgd", batch = 4, momentum = 0.9 }
from = 5
seed = 7
priors = { alpha = [0.5, 0.1], dimension = [100, 2] }
[[curve]]
path = "a.csv"
step = 0.2
warmup = 10
kind = "eval"
[[curve]]
path = "b.csv"
optimizer = { name = "sign_sgd" }
[[predict]]
steps = 50
schedule = { kind = "linear", step = 0.1 }
[[best]]
steps = 100
batch = 8
)"));
  EXPECT_EQ(plan.model, FitModel::least_squares);
  EXPECT_EQ(plan.from, 5);
  EXPECT_EQ(plan.seed, 7u);
  EXPECT_EQ(plan.priors.alpha.mean, 0.5);
  EXPECT_DOUBLE_EQ(plan.priors.log_dimension.mean, std::log(100));
  EXPECT_EQ(plan.priors.beta.mean, priors_of(plan.model).beta.mean);
  ASSERT_EQ(plan.curves.size(), 2u);
  EXPECT_EQ(plan.curves[0].optimizer, Optimizer(Sgd{4}));
  ASSERT_TRUE(plan.curves[0].chain.momentum);
  EXPECT_EQ((*plan.curves[0].chain.momentum)(0), 0.9);
  EXPECT_DOUBLE_EQ(plan.curves[0].schedule(4), 0.1);
  EXPECT_TRUE(plan.curves[0].evaluated);
  EXPECT_EQ(name_of(plan.curves[1].optimizer), "sign_sgd");
  EXPECT_EQ(plan.curves[1].schedule, constant_schedule(0.1));
  ASSERT_EQ(plan.predict.size(), 1u);
  EXPECT_DOUBLE_EQ(plan.predict[0].schedule(25), 0.05);
  EXPECT_EQ(plan.predict[0].loss.size(), 0);
  ASSERT_EQ(plan.goals.size(), 1u);
  EXPECT_EQ(plan.goals[0].batch, 8);
}

TEST(FitPriors, OfLogsAreWiderInAlpha) {
  EXPECT_EQ(priors_of(FitModel::logs).alpha.mean, 0.8);
  EXPECT_EQ(priors_of(FitModel::least_squares).alpha.mean, 0.6);
}

}  // namespace
}  // namespace riskcurve
