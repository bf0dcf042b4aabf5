// The phases of SignSGD against SignSVD, in runs of the real algorithms.
//
// Power laws, N = B = 100, no label noise; each optimizer at its best constant step for each
// horizon as predicted, of a signal of any size. Fixed beforehand: the mean risks of eight runs are
// in the predicted order, and within 8 % (two-sided 20 %) and 4 standard errors of the predicted
// ones.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

struct Risk {
  double predicted, run, error;
};

Ensemble eight_runs(Experiment e, double step) {
  e.schedule = constant_schedule(step);
  SimulateOptions options;
  options.runs = 8;
  options.seed = 9;
  return simulate(e, options);
}

/// sides: as a target has them, in or both.
Experiment power_laws(const std::string& optimizer, const std::string& sides, double alpha,
                      double beta, int steps) {
  const std::string power_law =
      fmt::format("{{ kind = 'power_law', dimension = 100, alpha = {} }}", alpha);
  return parse_experiment(
      fmt::format("[problem]\ngeometry = 'matrix'\ncovariance_out = {}\ncovariance_in = {}\n"
                  "target = {{ kind = 'power_law', beta = {}, sides = '{}', risk = 1.0 }}\n"
                  "[optimizer]\nname = '{}'\nbatch = 100\n[schedule]\nkind = 'constant'\nstep = 1\n"
                  "[run]\nsteps = {}\nat = [{}]\nsignal = 'full'\n",
                  sides == "in" ? "{ kind = 'isotropic', dimension = 100 }" : power_law, power_law,
                  beta, sides, optimizer, steps, steps));
}

Risk best_risk(const std::string& optimizer, const std::string& sides, double alpha, double beta,
               int steps) {
  const Experiment e = power_laws(optimizer, sides, alpha, beta, steps);
  const Optimum best = best_step(mode_system(e), steps);
  EXPECT_TRUE(best.found) << best.message;
  const Ensemble runs = eight_runs(e, best.step);
  return {best.risk, runs.mean[0], runs.error[0]};
}

struct Point {
  double alpha, beta;
  int early, late;
  bool sgd_early, sgd_late;  // who is ahead
};

void expect_as_predicted(const std::string& sides, const std::vector<Point>& points,
                         double allowed) {
  for (const Point& p : points)
    for (const bool late : {false, true}) {
      const int steps = late ? p.late : p.early;
      const Risk sgd = best_risk("sign_sgd", sides, p.alpha, p.beta, steps),
                 svd = best_risk("sign_svd", sides, p.alpha, p.beta, steps);
      std::printf("%.1f, %.1f  T = %3d: SignSGD %.4g (runs %.4g), SignSVD %.4g (runs %.4g)\n",
                  p.alpha, p.beta, steps, sgd.predicted, sgd.run, svd.predicted, svd.run);
      EXPECT_EQ(sgd.predicted < svd.predicted, late ? p.sgd_late : p.sgd_early) << p.alpha;
      EXPECT_EQ(sgd.run < svd.run, late ? p.sgd_late : p.sgd_early) << p.alpha;
      for (const Risk& risk : {sgd, svd})
        EXPECT_NEAR(risk.run, risk.predicted, allowed * risk.predicted + 4 * risk.error) << p.alpha;
    }
}

TEST(PhasesInRuns, OrderAndRisksAreAsPredicted) {
  expect_as_predicted("in",
                      {{0.6, 1.0, 10, 200, true, true},
                       {0.9, 0.3, 5, 200, true, false},
                       {1.5, 0.0, 10, 100, false, false}},
                      0.08);
}

TEST(PhasesInRuns, TwoSidedOrderAndRisksAreAsPredicted) {
  expect_as_predicted("both",
                      {{0.5, 0.5, 10, 200, true, true},
                       {0.9, 0.3, 10, 200, false, false},
                       {1.2, 0.1, 10, 200, false, false}},
                      0.2);
}

// Steep targets, which one entry holds: at the steps that the map finds best. R swings from step to
// step beyond them.
TEST(PhasesInRuns, TwoSidedSteepTargetsAreAsPredicted) {
  struct AtStep {
    double alpha, beta;
    const char* optimizer;
    int steps;
    double step;
  };
  for (const AtStep& at : {AtStep{0.6, 1.0, "sign_sgd", 10, 0.0045},
                           {0.6, 1.0, "sign_sgd", 200, 0.0006},
                           {0.6, 1.0, "sign_svd", 10, 0.2},
                           {0.6, 1.0, "sign_svd", 200, 0.015},
                           {1.2, 1.2, "sign_sgd", 10, 0.0033},
                           {1.2, 1.2, "sign_sgd", 200, 0.00037},
                           {1.2, 1.2, "sign_svd", 10, 0.18},
                           {1.5, 1.5, "sign_sgd", 200, 0.00027},
                           {1.5, 1.5, "sign_svd", 200, 0.02}}) {
    const Experiment e = power_laws(at.optimizer, "both", at.alpha, at.beta, at.steps);
    const ModeSystem system = mode_system(e);
    const ArrayXd end = ArrayXd::Constant(1, at.steps);
    const double predicted = solve(system, constant_schedule(at.step), end).risk[0];
    const Ensemble runs = eight_runs(e, at.step);
    std::printf("%.1f, %.1f  T = %3d: %s %.4g (runs %.4g +- %.2g)\n", at.alpha, at.beta, at.steps,
                at.optimizer, predicted, runs.mean[0], runs.error[0]);
    EXPECT_NEAR(runs.mean[0], predicted, 0.2 * predicted + 4 * runs.error[0])
        << at.optimizer << " " << at.alpha << " " << at.steps;
  }
}

}  // namespace
}  // namespace riskcurve
