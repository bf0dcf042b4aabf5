// The phases of SignSGD against SignSVD, in runs of the real algorithms.
//
// One-sided power laws, N = B = 100, no label noise; each optimizer at its best constant step for
// each horizon as `phases` predicts it, of a signal of any size. Fixed beforehand: the mean risks
// of eight runs are in the predicted order, and within 8 % and 4 standard errors of the predicted
// ones.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

struct Risk {
  double predicted, run, error;
};

Risk best_risk(const std::string& optimizer, double alpha, double beta, int steps) {
  Experiment e = parse_experiment(
      fmt::format("[problem]\ngeometry = 'matrix'\n"
                  "covariance_out = {{ kind = 'isotropic', dimension = 100 }}\n"
                  "covariance_in = {{ kind = 'power_law', dimension = 100, alpha = {} }}\n"
                  "target = {{ kind = 'power_law', beta = {}, sides = 'in', risk = 1.0 }}\n"
                  "[optimizer]\nname = '{}'\nbatch = 100\n[schedule]\nkind = 'constant'\nstep = 1\n"
                  "[run]\nsteps = {}\nat = [{}]\nsignal = 'full'\n",
                  alpha, beta, optimizer, steps, steps));
  const Optimum best = best_step(mode_system(e), steps);
  EXPECT_TRUE(best.found) << best.message;
  e.schedule = constant_schedule(best.step);
  SimulateOptions options;
  options.runs = 8;
  options.seed = 9;
  const Ensemble runs = simulate(e, options);
  return {best.risk, runs.mean[0], runs.error[0]};
}

struct Point {
  double alpha, beta;
  int early, late;
  bool sgd_early, sgd_late;  // who is ahead
};

TEST(PhasesInRuns, OrderAndRisksAreAsPredicted) {
  for (const Point& p : {Point{0.6, 1.0, 10, 200, true, true}, Point{0.9, 0.3, 5, 200, true, false},
                         Point{1.5, 0.0, 10, 100, false, false}})
    for (const bool late : {false, true}) {
      const int steps = late ? p.late : p.early;
      const Risk sgd = best_risk("sign_sgd", p.alpha, p.beta, steps),
                 svd = best_risk("sign_svd", p.alpha, p.beta, steps);
      std::printf("%.1f, %.1f  T = %3d: SignSGD %.4g (runs %.4g), SignSVD %.4g (runs %.4g)\n",
                  p.alpha, p.beta, steps, sgd.predicted, sgd.run, svd.predicted, svd.run);
      EXPECT_EQ(sgd.predicted < svd.predicted, late ? p.sgd_late : p.sgd_early) << p.alpha;
      EXPECT_EQ(sgd.run < svd.run, late ? p.sgd_late : p.sgd_early) << p.alpha;
      for (const Risk& risk : {sgd, svd})
        EXPECT_NEAR(risk.run, risk.predicted, 0.08 * risk.predicted + 4 * risk.error) << p.alpha;
    }
}

}  // namespace
}  // namespace riskcurve
