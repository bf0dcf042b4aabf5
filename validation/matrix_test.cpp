// Predicted risk curves of the matrix problem against ensembles of the real algorithms.
//
// The band, fixed beforehand: at every recorded step
//     |mean of runs - prediction| <= 4 standard errors + allowance * prediction,
//     allowance = 5 / N,
// N = N_out = N_in, with the same constant 5 for every case: 5 % at N = 100, half of it at 200.
// Runs are scaled so that the risk falls to about e^-1 of itself in the same number of steps per
// N. Every test runs once, from a fixed seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

struct Case {
  std::string name, optimizer, noise, out, in;
  double samples;  // B/N
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::string toml(const Case& c, int n, int steps, double step) {
  return fmt::format(
      "[problem]\ngeometry = 'matrix'\ncovariance_out = {{ dimension = {0}, {1} }}\n"
      "covariance_in = {{ dimension = {0}, {2} }}\n"
      "target = {{ kind = 'isotropic', risk = 1.0 }}\nnoise = {{ {3} }}\n"
      "[optimizer]\n{4}\nbatch = {5}\n[schedule]\nkind = 'constant'\nstep = {6}\n"
      "[run]\nsteps = {7}\npoints = 8\n",
      n, c.out, c.in, c.noise, c.optimizer, std::lround(c.samples * n), step, steps);
}

/// The case at N = n, with the step that multiplies the risk by e^-1 in so many steps at its
/// initial rate, noise aside.
Experiment experiment(const Case& c, int n) {
  const int steps = static_cast<int>(std::lround(1.5 * n * std::max(1.0, 1 / c.samples)));
  Experiment result = read_experiment(Fields::from_text(toml(c, n, steps, 1)));
  const ModeSystem system = mode_system(result);
  const Response response = system.response(0, 1, system.extra_initial);
  const Eigen::ArrayXd rate =
      (system.drift.matrix() * response.drift.matrix()).array() * system.weight * system.initial;
  result.schedule = constant_schedule(1 / (rate.sum() * steps));  // R(0) = 1: 2 rate/(2 R)
  return result;
}

struct Comparison {
  double gap = 0;    ///< largest |mean - prediction| / prediction
  double error = 0;  ///< the standard error there, relative too
};

Comparison hold(const Case& c, int n, int runs) {
  const Experiment e = experiment(c, n);
  const Prediction prediction = predict(e);
  EXPECT_EQ(prediction.curve.status, RiskCurve::Status::ok) << prediction.curve.message;
  SimulateOptions options;
  options.runs = runs;
  options.seed = 20261122;
  const Ensemble ensemble = simulate(e, options);
  EXPECT_EQ(ensemble.diverged, 0);
  const double allowance = 5.0 / n;
  Comparison largest;
  std::string line;
  for (Eigen::Index i = 0; i < ensemble.steps.size(); ++i) {
    const double predicted = prediction.curve.risk[i], gap = ensemble.mean[i] - predicted;
    EXPECT_LE(std::abs(gap), 4 * ensemble.error[i] + allowance * predicted) << fmt::format(
        "{} N = {}, step {}: predicted {:.5f}, runs {:.5f} +- {:.5f}, gap {:+.2f} %, allowance "
        "{:.2f} %",
        c.name, n, ensemble.steps[i], predicted, ensemble.mean[i], ensemble.error[i],
        100 * gap / predicted, 100 * allowance);
    if (std::abs(gap) / predicted > largest.gap)
      largest = {std::abs(gap) / predicted, ensemble.error[i] / predicted};
    line += fmt::format(" {:.4f}({:+.2f}%)", predicted, 100 * gap / predicted);
  }
  // The curve must have gone somewhere for the comparison to mean anything.
  EXPECT_LT(prediction.curve.risk.minCoeff(), 0.8);
  fmt::print("{:44} N {:3}: gap {:.2f} % +- {:.2f} %, signal {:.2f}, step rate {:.3f}\n    {}\n",
             c.name, n, 100 * largest.gap, 100 * largest.error, prediction.trust.signal,
             prediction.trust.step_rate, line);
  return largest;
}

const std::string isotropic_side = "kind = 'isotropic'";
const std::string diagonal_isotropic = "kind = 'isotropic', orientation = 'diagonal'";
const std::string mild = "kind = 'power_law', alpha = 0.25";
const std::string diagonal = "kind = 'power_law', alpha = 0.25, orientation = 'diagonal'";
const std::string steep = "kind = 'power_law', alpha = 0.5";
const std::string gaussian = "kind = 'gaussian', std = 0.5";
const std::string heavy = "kind = 'student_t', nu = 3, scale = 0.3";
const std::string sign_svd = "name = 'sign_svd'";
const std::string root = "name = 'schatten'\nexponent = 0.5";
const std::string freon = "name = 'schatten'\nexponent = -0.2";
const std::string regularized = "name = 'regularized_svd'\nepsilon = 0.05";
const std::string sgd = "name = 'sgd'";
const std::string sign_sgd = "name = 'sign_sgd'";

const std::vector<Case> cases = {
    {"SignSvdGaussianHalf", sign_svd, gaussian, isotropic_side, mild, 0.5},
    {"SignSvdGaussianSquare", sign_svd, gaussian, isotropic_side, mild, 1},
    {"SignSvdGaussianLarge", sign_svd, gaussian, mild, mild, 4},
    {"SignSvdSteepSquare", sign_svd, gaussian, mild, steep, 1},
    {"SignSvdStudentHalf", sign_svd, heavy, mild, mild, 0.5},
    {"SignSvdStudentSquare", sign_svd, heavy, isotropic_side, mild, 1},
    {"SignSvdStudentLarge", sign_svd, heavy, isotropic_side, mild, 4},
    {"SchattenHalfGaussianSquare", root, gaussian, mild, mild, 1},
    {"SchattenHalfGaussianLarge", root, gaussian, isotropic_side, mild, 4},
    {"SchattenHalfStudentHalf", root, heavy, isotropic_side, mild, 0.5},
    {"SchattenMinusFifthGaussianLarge", freon, gaussian, isotropic_side, mild, 4},
    {"SchattenMinusFifthStudentHalf", freon, heavy, isotropic_side, mild, 0.5},
    {"RegularizedGaussianSquare", regularized, gaussian, isotropic_side, mild, 1},
    {"RegularizedStudentLarge", regularized, heavy, mild, mild, 4},
    {"SgdGaussianHalf", sgd, gaussian, isotropic_side, mild, 0.5},
    {"SgdGaussianLarge", sgd, gaussian, mild, mild, 4},
    {"SgdStudentSquare", sgd, heavy, mild, mild, 1},
    {"SignSgdGenericGaussianSquare", sign_sgd, gaussian, mild, mild, 1},
    {"SignSgdGenericStudentLarge", sign_sgd, heavy, isotropic_side, mild, 4},
    {"SignSgdDiagonalGaussianHalf", sign_sgd, gaussian, diagonal, diagonal, 0.5},
    {"SignSgdDiagonalStudentSquare", sign_sgd, heavy, diagonal_isotropic, diagonal, 1}};

class MatrixRun : public testing::TestWithParam<Case> {};

TEST_P(MatrixRun, FollowsThePredictedCurve) {
  hold(GetParam(), 100, 8);
}

INSTANTIATE_TEST_SUITE_P(Cases, MatrixRun, testing::ValuesIn(cases),
                         [](const auto& the) { return the.param.name; });

class MatrixSize : public testing::TestWithParam<Case> {};

// The band at N = 200 is half as wide, and the gap is no larger than at N = 100, errors allowed
// for.
TEST_P(MatrixSize, GapShrinksFromHundredToTwoHundred) {
  const Comparison at100 = hold(GetParam(), 100, 16), at200 = hold(GetParam(), 200, 4);
  EXPECT_LT(at200.gap, at100.gap + 2 * std::hypot(at100.error, at200.error));
}

INSTANTIATE_TEST_SUITE_P(Sizes, MatrixSize,
                         testing::Values(cases[0], cases[2], cases[5], cases[7], cases[14],
                                         cases[17]),
                         [](const auto& the) { return the.param.name; });

}  // namespace
}  // namespace riskcurve
