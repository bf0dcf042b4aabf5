#include "riskcurve/problem/problem.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "optimizer_text.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

const std::string kDigits = RISKCURVE_SOURCE_DIR "/validation/data/digits.csv";

std::string write_rows(const std::string& name, const Eigen::MatrixXd& matrix) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("riskcurve-problem-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / name).string();
  const Eigen::IOFormat csv(Eigen::FullPrecision, Eigen::DontAlignCols, ",", "\n");
  std::ofstream(path) << matrix.format(csv) << "\n";
  return path;
}

struct Text {
  std::string geometry = "'vector'";
  std::string covariance = "{ kind = 'power_law', dimension = 50, alpha = 0.6 }";
  std::string target = "{ kind = 'power_law', beta = 0.2, risk = 2.0 }";
  std::string problem = "noise = { kind = 'gaussian', std = 0.5 }";
  std::string optimizer = "name = 'sgd'\nbatch = 4";
  std::string schedule = "kind = 'constant'\nstep = 1e-3";
  std::string run = "steps = 100";
  std::string rest;
};

Experiment read(const Text& text) {
  return parse_experiment("[problem]\ngeometry = " + text.geometry +
                          "\ncovariance = " + text.covariance + "\ntarget = " + text.target + "\n" +
                          text.problem + "\n[optimizer]\n" + text.optimizer + "\n[schedule]\n" +
                          text.schedule + "\n[run]\n" + text.run + "\n" + text.rest);
}

std::string error_of(const Text& text) {
  try {
    read(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

/// Delta^T K Delta / 2 from the rows themselves.
double risk_on_rows(const VectorProblem& problem) {
  const Eigen::MatrixXd& x = problem.covariance.rows->x;
  return 0.5 * (x * *problem.initial_error).squaredNorm() / static_cast<double>(x.rows());
}

TEST(Targets, AreScaledToTheRisk) {
  for (const double d : {1.0, 50.0, 1e18}) {
    const Covariance k = power_law(d, 0.6);
    for (const double risk : {0.0, 1e-300, 1.0, 1e100}) {
      for (const Eigen::ArrayXd& s :
           {power_law_target(k.spectrum, 0.2, risk), power_law_target(k.spectrum, 40, risk),
            isotropic_target(k.spectrum, risk)})
        EXPECT_NEAR(0.5 * (k.spectrum.value * s).sum(), risk, 1e-14 * risk);
    }
  }
  EXPECT_THROW(power_law_target(power_law(5, 1).spectrum, 0.2, -1), InputError);
  EXPECT_THROW(power_law_target(power_law(5, 1).spectrum, NAN, 1), InputError);
}

TEST(Targets, PowerLawFollowsItsExponentAlongDecreasingEigenvalues) {
  const Spectrum spectrum = from_eigenvalues(Eigen::Array3d(1, 9, 4)).spectrum;
  const Eigen::ArrayXd s = power_law_target(spectrum, 1.5, 1);
  EXPECT_NEAR(s[1] / s[0], std::pow(2, -3.0), 1e-14);
  EXPECT_NEAR(s[2] / s[0], std::pow(3, -3.0), 1e-14);
}

TEST(Targets, WithAnEigenbasisTheCoordinatesCarryTheSameRisk) {
  for (const char* target :
       {"{ kind = 'power_law', beta = 0.7, risk = 2.0 }", "{ kind = 'isotropic', risk = 2.0 }"}) {
    Text text;
    text.target = target;
    text.covariance = "{ kind = 'ar1', dimension = 30, correlation = 0.5 }";
    const VectorProblem ar = read(text).vector();
    EXPECT_NEAR(ar.initial_risk(), 2, 1e-13);
    EXPECT_NEAR(0.5 * ar.initial_error->dot(*ar.covariance.matrix * *ar.initial_error), 2, 1e-12);
    text.covariance = "{ kind = 'data', path = '" + kDigits + "', columns = [1, 64] }";
    EXPECT_NEAR(risk_on_rows(read(text).vector()), 2, 1e-10);
  }
}

TEST(TargetFile, ProjectsCoordinatesOnTheEigenbasis) {
  const Eigen::VectorXd theta = Eigen::VectorXd::LinSpaced(6, -1, 2);
  const std::string path = write_rows("theta.csv", theta);
  Text text;
  text.target = "{ kind = 'file', path = '" + path + "' }";
  text.covariance = "{ kind = 'ar1', dimension = 6, correlation = 0.5 }";
  const VectorProblem given = read(text).vector();
  EXPECT_NEAR(given.initial_risk(), 0.5 * theta.dot(*given.covariance.matrix * theta), 1e-13);
  EXPECT_NEAR(given.initial.sum(), theta.squaredNorm(), 1e-13);
  EXPECT_TRUE(given.initial_error->isApprox(-theta));

  text.covariance = "{ kind = 'power_law', dimension = 6, alpha = 1, orientation = 'diagonal' }";
  const VectorProblem diagonal = read(text).vector();
  EXPECT_TRUE(diagonal.initial.isApprox(theta.array().square()));
  EXPECT_TRUE(diagonal.initial_error->isApprox(-theta));

  text.covariance = "{ kind = 'isotropic', dimension = 6, value = 2 }";
  const VectorProblem isotropic = read(text).vector();
  EXPECT_NEAR(isotropic.initial_risk(), theta.squaredNorm(), 1e-13);
  EXPECT_FALSE(isotropic.initial_error);

  text.target = "{ kind = 'file', path = '" + path + "', risk = 3 }";
  text.covariance = "{ kind = 'ar1', dimension = 6, correlation = 0.5 }";
  const VectorProblem scaled = read(text).vector();
  EXPECT_NEAR(scaled.initial_risk(), 3, 1e-13);
  EXPECT_NEAR(0.5 * scaled.initial_error->dot(*scaled.covariance.matrix * *scaled.initial_error), 3,
              1e-12);
}

TEST(Start, AtTheTargetHasNoRisk) {
  const std::string path = write_rows("theta.csv", Eigen::VectorXd::LinSpaced(6, -1, 2));
  Text text;
  text.covariance = "{ kind = 'ar1', dimension = 6, correlation = 0.5 }";
  text.target = "{ kind = 'file', path = '" + path + "' }";
  text.problem = "start = { kind = 'file', path = '" + path + "' }";
  EXPECT_EQ(read(text).vector().initial_risk(), 0);
  text.target = "{ kind = 'file', path = '" + path + "', risk = 1 }";
  EXPECT_NE(error_of(text).find("problem.target.risk = 1: expected 0"), std::string::npos);
  text.target = "{ kind = 'isotropic' }";
  EXPECT_NE(error_of(text).find("problem.start.kind"), std::string::npos);
}

Text digits_fit() {
  Text text;
  text.covariance = "{ kind = 'data', path = '" + kDigits + "', columns = [1, 64], scale = 0.1 }";
  text.target = "{ kind = 'fit', labels = '" + kDigits + "', column = 65, positive = 3 }";
  text.problem = "";
  return text;
}

TEST(Fit, ResidualsAreOrthogonalToTheRowsAndBecomeTheNoise) {
  const VectorProblem problem = read(digits_fit()).vector();
  const Eigen::MatrixXd& x = problem.covariance.rows->x;
  ASSERT_TRUE(problem.row_residuals);
  const Eigen::ArrayXd& residuals = *problem.row_residuals;
  EXPECT_LT((x.transpose() * residuals.matrix()).norm(), 1e-9 * x.norm());
  EXPECT_NEAR(problem.noise.variance, residuals.square().mean(), 1e-12);
  EXPECT_NEAR(problem.initial_risk(), risk_on_rows(problem), 1e-12);
  // Labels = <x, theta*> + residual, theta* = -Delta_0: centred +-1 labels take two values.
  const Eigen::ArrayXd labels = residuals - (x * *problem.initial_error).array();
  EXPECT_NEAR(labels.maxCoeff() - labels.minCoeff(), 2, 1e-10);
  EXPECT_NEAR(labels.mean(), 0, 1e-12);
  // Pythagoras: the variance of the labels splits.
  EXPECT_NEAR(labels.square().mean(), 2 * problem.initial_risk() + problem.noise.variance, 1e-10);
}

TEST(Fit, AnotherNoiseReplacesTheResiduals) {
  Text text = digits_fit();
  text.problem = "noise = { kind = 'gaussian', std = 0.5 }";
  EXPECT_FALSE(read(text).vector().row_residuals);
  EXPECT_NEAR(read(text).vector().noise.variance, 0.25, 1e-15);
  text.problem = "noise = { kind = 'residuals' }";
  EXPECT_TRUE(read(text).vector().row_residuals);
  text.target = "{ kind = 'isotropic' }";
  EXPECT_NE(error_of(text).find("problem.noise.kind = 'residuals'"), std::string::npos)
      << error_of(text);
}

TEST(Fit, GenericAndGaussianDataKeepTheRisk) {
  Text text = digits_fit();
  const double risk = read(text).vector().initial_risk();
  text.covariance = "{ kind = 'data', path = '" + kDigits +
                    "', columns = [1, 64], scale = 0.1, orientation = 'generic', "
                    "sample = 'gaussian' }";
  EXPECT_NEAR(read(text).vector().initial_risk(), risk, 1e-12);
}

TEST(Fit, RejectsWhatDoesNotMatch) {
  Text text = digits_fit();
  text.target = "{ kind = 'fit', labels = '" + kDigits + "', column = 66 }";
  EXPECT_NE(error_of(text).find("problem.target.column = 66"), std::string::npos);
  text.target = "{ kind = 'fit', labels = '" + kDigits + "', column = 65, positive = 11 }";
  EXPECT_NE(error_of(text).find("problem.target.positive"), std::string::npos);
  text.target =
      "{ kind = 'fit', labels = '" + write_rows("short.csv", Eigen::VectorXd::Ones(5)) + "' }";
  EXPECT_NE(error_of(text).find("1797 rows"), std::string::npos);
  text = digits_fit();
  text.covariance = "{ kind = 'isotropic', dimension = 64 }";
  EXPECT_NE(error_of(text).find("problem.target.kind"), std::string::npos);
}

TEST(Experiment, RecordsWhenAsked) {
  Text text;
  EXPECT_EQ(read(text).run.at.size(), 51);
  EXPECT_EQ(read(text).run.at[50], 100);
  EXPECT_EQ(read(text).run.at[1], 2);
  text.run = "steps = 100\nat = [0, 7, 100]";
  EXPECT_TRUE((read(text).run.at == Eigen::Array3d(0, 7, 100)).all());
  text.run = "steps = 10000\npoints = 5\nspacing = 'log'";
  Eigen::ArrayXd expected(6);
  expected << 0, 1, 10, 100, 1000, 10000;
  EXPECT_TRUE((read(text).run.at == expected).all());
  text.run = "steps = 3\npoints = 50\nspacing = 'log'";
  EXPECT_TRUE((read(text).run.at == Eigen::Array4d(0, 1, 2, 3)).all());
}

TEST(Experiment, ErrorsNameTheField) {
  const auto expect = [](const std::string& part, const auto& change) {
    Text text;
    change(text);
    EXPECT_NE(error_of(text).find(part), std::string::npos) << part << " | " << error_of(text);
  };
  expect("run.steps = 0", [](Text& t) { t.run = "steps = 0"; });
  expect("run.at", [](Text& t) { t.run = "steps = 9\nat = [0, 5, 5]"; });
  expect("run.at[1] = 10", [](Text& t) { t.run = "steps = 9\nat = [0, 10]"; });
  expect("run.at", [](Text& t) { t.run = "steps = 9\nat = [0.5]"; });
  expect("run.at", [](Text& t) { t.run = "steps = 9\nat = []"; });
  expect("run.points", [](Text& t) { t.run = "steps = 9\nat = [1]\npoints = 3"; });
  expect("run.stesp: unknown key, did you mean \"steps\"?",
         [](Text& t) { t.run = "steps = 9\nstesp = 3"; });
  expect("problem.target.gamma: unknown key",
         [](Text& t) { t.target = "{ kind = 'isotropic', gamma = 1 }"; });
  expect("schedule.stepp: unknown key", [](Text& t) { t.schedule += "\nstepp = 1"; });
  expect("extra: unknown key", [](Text& t) { t.rest = "[extra]\na = 1"; });
  expect("problem.covariance_out = (missing", [](Text& t) { t.geometry = "'matrix'"; });
  expect("problem.geometry = 'tensor'", [](Text& t) { t.geometry = "'tensor'"; });
  expect("optimizer.name = (missing)", [](Text& t) { t.optimizer = "batch = 2"; });
  expect("problem.target.beta = (missing)", [](Text& t) { t.target = "{ kind = 'power_law' }"; });
  expect("problem.target.risk = -1", [](Text& t) { t.target = "{ kind='isotropic', risk = -1 }"; });
  expect("problem.covariance.alpha",
         [](Text& t) { t.covariance = "{ kind = 'power_law', dimension = 5, alpha = 'x' }"; });
  EXPECT_EQ(error_of(Text()), "no error");
}

TEST(Experiment, RefusesOptimizersAndKeysThatThereAreNot) {
  Text text;
  text.optimizer = "name = 'future'";
  EXPECT_NE(error_of(text).find("optimizer.name = 'future': expected one of \"sgd\""),
            std::string::npos)
      << error_of(text);
  text.optimizer = "name = 'sgd'\ninertia = 0.9";
  EXPECT_NE(error_of(text).find("optimizer.inertia: unknown key"), std::string::npos);
}

TEST(Experiment, ScaledStepsAreDividedByTheDimension) {
  Text text;
  text.schedule = "kind = 'constant'\nscaled_step = 0.5";
  EXPECT_NEAR(read(text).schedule(0), 0.01, 1e-16);
}

TEST(Optimizers, ReadTheirKeysAndRejectOthers) {
  EXPECT_EQ(optimizer_of("name = 'sgd'\nbatch = 3"), Optimizer(Sgd{3}));
  EXPECT_EQ(optimizer_of("name = 'sign_sgd'"), Optimizer(SignSgd{1}));
  EXPECT_EQ(optimizer_of("name = 'clipped_sgd'\nthreshold = 0.8\nclip = 'batch'"),
            Optimizer(ClippedSgd{1, constant_schedule(0.8), ClippedSgd::Clip::batch}));
  for (const char* bad :
       {"name = 'sgd'\nbatch = 0", "name = 'sgd'\nbatch = 1.5", "name = 'sgd'\nthreshold = 1",
        "name = 'clipped_sgd'\nclip = 'sample'",
        "name = 'clipped_sgd'\nthreshold = 1\nclip = 'both'", "name = 'schatten'",
        "name = 'schatten'\nexponent = -1", "name = 'regularized_svd'\nepsilon = 0"})
    EXPECT_THROW(optimizer_of(bad), InputError) << bad;
  EXPECT_THROW(validate(Optimizer(Sgd{0})), InputError);
  EXPECT_THROW(validate(Optimizer(Schatten{1, 1.5})), InputError);
  EXPECT_THROW(validate(Optimizer(ClippedSgd{})), InputError);
}

TEST(VectorProblem, IsValidated) {
  VectorProblem problem;
  problem.covariance = isotropic(4);
  problem.noise = no_noise();
  problem.initial = Eigen::ArrayXd::Ones(1);
  validate(problem);
  const auto expect_bad = [&](const auto& change) {
    VectorProblem bad = problem;
    change(bad);
    EXPECT_THROW(validate(bad), InputError);
  };
  expect_bad([](VectorProblem& p) { p.initial[0] = -1; });
  expect_bad([](VectorProblem& p) { p.initial[0] = NAN; });
  expect_bad([](VectorProblem& p) { p.initial = Eigen::ArrayXd::Ones(2); });
  expect_bad([](VectorProblem& p) { p.covariance.spectrum.value[0] = -1; });
  expect_bad([](VectorProblem& p) { p.covariance.spectrum.value[0] = INFINITY; });
  expect_bad([](VectorProblem& p) { p.covariance.spectrum = {}; });
  expect_bad([](VectorProblem& p) { p.initial_error = Eigen::VectorXd::Ones(3); });
  expect_bad([](VectorProblem& p) { p.row_residuals = Eigen::ArrayXd::Ones(3); });
  expect_bad([](VectorProblem& p) { p.noise.variance = NAN; });
}

}  // namespace
}  // namespace riskcurve
