// The three phases of SignSGD against SignSVD, in runs of the real algorithms.
//
// One-sided power laws, N = B = 100, no label noise; each optimizer at its predicted best constant
// step for each horizon. Fixed beforehand: the mean risks of four runs are in the predicted order.
// The risks themselves are not: targets of few directions and a signal as large as the noise are
// outside the range of the limit (both trust numbers say so), and runs are up to four times above.
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
  double predicted, run;
};

Risk best_risk(const std::string& optimizer, double alpha, double beta, int steps) {
  Experiment e = parse_experiment(
      fmt::format("[problem]\ngeometry = 'matrix'\n"
                  "covariance_out = {{ kind = 'isotropic', dimension = 100 }}\n"
                  "covariance_in = {{ kind = 'power_law', dimension = 100, alpha = {} }}\n"
                  "target = {{ kind = 'power_law', beta = {}, sides = 'in', risk = 1.0 }}\n"
                  "[optimizer]\nname = '{}'\nbatch = 100\n[schedule]\nkind = 'constant'\nstep = 1\n"
                  "[run]\nsteps = {}\nat = [{}]\nsignal = 'small'\n",  // of both
                  alpha, beta, optimizer, steps, steps));
  const Optimum best = best_step(compress(mode_system(e)), steps);
  EXPECT_TRUE(best.found) << best.message;
  e.schedule = constant_schedule(best.step);
  SimulateOptions options;
  options.runs = 4;
  options.seed = 4;
  return {best.risk, simulate(e, options).mean[0]};
}

struct Point {
  const char* phase;
  double alpha, beta;
  int early, late;
  bool sgd_early, sgd_late;  // who is ahead
};

TEST(PhasesInRuns, OrderOfTheOptimizersIsAsPredicted) {
  for (const Point& p : {Point{"SignSGD at every horizon", 0.6, 1.0, 10, 200, true, true},
                         Point{"trade-off", 0.9, 0.3, 5, 200, true, false},
                         Point{"SignSVD at every horizon", 1.5, 0.0, 10, 100, false, false}})
    for (const bool late : {false, true}) {
      const int steps = late ? p.late : p.early;
      const Risk sgd = best_risk("sign_sgd", p.alpha, p.beta, steps);
      const Risk svd = best_risk("sign_svd", p.alpha, p.beta, steps);
      const double predicted = std::log(sgd.predicted / svd.predicted);
      const double run = std::log(sgd.run / svd.run);
      std::printf(
          "%-26s T = %3d: SignSGD %.4g (run %.4g), SignSVD %.4g (run %.4g), log ratio %+.3f "
          "(run %+.3f)\n",
          p.phase, steps, sgd.predicted, sgd.run, svd.predicted, svd.run, predicted, run);
      EXPECT_EQ(predicted < 0, late ? p.sgd_late : p.sgd_early) << p.phase;
      EXPECT_EQ(run < 0, late ? p.sgd_late : p.sgd_early) << p.phase;
    }
}

}  // namespace
}  // namespace riskcurve
