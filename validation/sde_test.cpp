// The spread of the risk over runs: the SDE against ensembles of the real algorithms.
//
// The band, fixed beforehand: at every recorded step, for standard deviations over n_a and n_b
// runs,
//     |sd_sde/sd_runs - 1| <= 4 sqrt(1/(2 n_a) + 1/(2 n_b)) + 3/(tr K/||K||) + gamma max a,
// sampling error (of near-Gaussian risks), the finite size of the limit, and the algorithm's step
// against continuous time.

#include "riskcurve/integrate/sde.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

Eigen::ArrayXd spread(const Eigen::ArrayXXd& risk) {
  const Eigen::ArrayXd mean = risk.rowwise().mean();
  return ((risk.colwise() - mean).square().rowwise().sum() / static_cast<double>(risk.cols() - 1))
      .sqrt();
}

Experiment experiment_of(const std::string& optimizer, double eta, double noise,
                         const std::string& covariance) {
  return parse_experiment(fmt::format(
      "[problem]\ngeometry = 'vector'\ncovariance = {{ {} }}\n"
      "target = {{ kind = 'power_law', beta = 0.2, risk = 1.0 }}\n"
      "noise = {{ kind = 'gaussian', std = {} }}\n[optimizer]\n{}\nbatch = 1\n"
      "[schedule]\nkind = 'constant'\nscaled_step = {}\n[run]\nsteps = 600\npoints = 4\n",
      covariance, noise, optimizer, eta));
}

/// Holds the band, the spread of the runs first divided by `factor` of the mean risk.
void hold(
    const Experiment& experiment,
    const std::function<double(double risk)>& factor = [](double) { return 1.0; }) {
  SimulateOptions real;
  real.runs = 400;
  real.seed = 20261122;
  const Ensemble runs = simulate(experiment, real);
  const ModeSystem limit = mode_system(experiment, Grids::whole);
  SdeOptions options;
  options.runs = 1000;
  const Ensemble sde = solve_sde(limit, experiment.schedule, experiment.run.at, options);
  const Eigen::ArrayXd predicted = spread(sde.risk), found = spread(runs.risk);
  const double sampling = std::sqrt(0.5 / options.runs + 0.5 / real.runs);
  const double size = 3 / experiment.vector().covariance.spectrum.intrinsic_dimension();
  const Response start = limit.response(limit.start());
  const double step = experiment.schedule(0) * start.drift[0] * limit.drift.col(0).maxCoeff();
  for (Eigen::Index i = 0; i < sde.steps.size(); ++i) {
    if (sde.steps[i] == 0) continue;
    fmt::print("step {}: mean {:.4f} and {:.4f}, spread of the SDE {:.5f}, of runs {:.5f}\n",
               sde.steps[i], sde.mean[i], runs.mean[i], predicted[i], found[i]);
    EXPECT_NEAR(predicted[i] * factor(sde.mean[i]) / found[i], 1, 4 * sampling + size + step)
        << "at step " << sde.steps[i];
    EXPECT_NEAR(sde.mean[i], runs.mean[i],
                4 * std::hypot(sde.error[i], runs.error[i]) + (size + step) * runs.mean[i]);
  }
}

const std::string kIsotropic = "kind = 'isotropic', dimension = 400";
const std::string kPowerLaw = "kind = 'power_law', dimension = 400, alpha = 0.25";

TEST(SdeSpread, OfSgdIsThatOfRealRuns) {
  hold(experiment_of("name = 'sgd'", 0.4, 0.5, kIsotropic));
  hold(experiment_of("name = 'sgd'", 4, 0.5, kPowerLaw));
}

TEST(SdeSpread, OfSignSgdIsThatOfRealRunsUnderMuchLabelNoise) {
  hold(experiment_of("name = 'sign_sgd'", 0.5, 3, kIsotropic));
  hold(experiment_of("name = 'sign_sgd'", 1.5, 3, kPowerLaw));
}

TEST(SdeSpread, OfSignSgdIsOverstatedByTheSquareOfTheMeanUpdate) {
  // The homogenised noise is the second moment of the update; its covariance is smaller by m m^T, m
  // = phi D^(-1) K Delta. Isotropic data: in the direction of Delta, which is all that R sees, by
  // the factor 1 - phi^2 |Delta|^2 = 1 - (2/pi)^2 R/P.
  hold(experiment_of("name = 'sign_sgd'", 0.5, 0.5, kIsotropic),
       [](double risk) { return std::sqrt(1 - 4 / M_PI / M_PI * risk / (risk + 0.125)); });
}

TEST(SdeSpread, OfSignSgdInGivenCoordinatesIsThatOfRealRunsUnderMuchLabelNoise) {
  // Neighbours correlated, standard deviations 1 to 4; Delta_0 spread over all coordinates.
  const Eigen::Index d = 300;
  const Eigen::ArrayXd size = Eigen::ArrayXd::LinSpaced(d, 0, std::log(4.0)).exp() / 2;
  Eigen::MatrixXd k(d, d);
  for (Eigen::Index i = 0; i < d; ++i)
    for (Eigen::Index j = 0; j < d; ++j)
      k(i, j) = std::pow(0.8, static_cast<double>(std::abs(i - j))) * size[i] * size[j];
  Eigen::VectorXd error(d);
  Random(5, 0, 0).normals(error.data(), static_cast<std::size_t>(d));
  error *= std::sqrt(2 / error.dot(k * error));
  VectorProblem problem{from_matrix(k), gaussian_noise(3), {}, error, {}};
  problem.initial = (problem.covariance.eigenvectors->transpose() * error).array().square();
  Experiment experiment = experiment_of("name = 'sign_sgd'", 0.4, 3, kIsotropic);
  experiment.problem = problem;
  experiment.schedule = constant_schedule(0.4 / static_cast<double>(d));
  hold(experiment);
}

}  // namespace
}  // namespace riskcurve
