// Best constant steps from a few walks, against many.
#include "analysis/walked_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "integrate/filtered_walk.hpp"
#include "power_law_problem.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr double kBand = 0.015;  // walks are not smoother than that in a notch

using Eigen::ArrayXd;

ModeSystem walked_system(const Optimizer& optimizer, double dimension, double alpha, double beta) {
  Experiment experiment{
      power_law_matrix(dimension, alpha, beta), optimizer, constant_schedule(1), {}};
  experiment.signal = Signal::full;
  return mode_system(experiment, Grids::compressed);
}

double log_risk(const ModeSystem& system, double log_step, double horizon) {
  return std::log(walk_filtered(system, std::exp(log_step), ArrayXd::Constant(1, horizon)).risk[0]);
}

/// The least over steps e^0.04 apart around this one.
double least_around(const ModeSystem& system, double log_step, double horizon) {
  double least = INFINITY;
  for (int i = -20; i <= 20; ++i)
    least = std::min(least, log_risk(system, log_step + 0.04 * i, horizon));
  return least;
}

// Also from a guess that is off by a factor of 20, and on steep targets, where R has a notch.
TEST(WalkedSearch, FindsTheLeastOfAllSteps) {
  for (const Optimizer& optimizer : {Optimizer(SignSvd{100}), Optimizer(SignSgd{100})})
    for (const auto& [alpha, beta] :
         {std::pair(0.2, 0.3), std::pair(0.6, 1.0), std::pair(1.5, 0.0), std::pair(1.2, 1.5)}) {
      const ModeSystem system = walked_system(optimizer, 100, alpha, beta);
      WalkedSearch search(system);
      double guess = std::log(std::holds_alternative<SignSvd>(optimizer) ? 0.06 : 0.006);
      for (const double horizon : {20.0, 200.0, 2000.0}) {
        const Least found = search(horizon, guess);
        EXPECT_NEAR(found.log_risk, least_around(system, found.log_step, horizon), kBand)
            << name_of(optimizer) << " " << alpha << " " << beta << " " << horizon;
        EXPECT_NEAR(found.log_risk, log_risk(system, found.log_step, horizon), kBand)
            << name_of(optimizer) << " " << alpha << " " << beta << " " << horizon;
        guess = found.log_step - 0.5;
      }
    }
}

// Where signs repeat themselves, what they leave does not go with the step, and a walk alone
// foretells a least risk where there is none.
TEST(WalkedSearch, LooksForATiltWhereAWalkForetellsItselfBest) {
  const ModeSystem system = walked_system(SignSgd{1000000}, 1e6, 0.85, 1.5);
  WalkedSearch search(system);
  const double horizon = 1e6, low = -25.2;
  const Least found = search(horizon, low);
  EXPECT_GT(found.log_step, low + 0.5);
  EXPECT_LT(found.log_risk, log_risk(system, low, horizon) - 0.4);
}

TEST(WalkedSearch, ComesDownFromStepsThatDiverge) {
  const ModeSystem system = walked_system(SignSvd{100}, 100, 0.6, 1.0);
  WalkedSearch search(system), near(system);
  EXPECT_NEAR(search(100, std::log(30.0)).log_risk, near(100, std::log(5e-3)).log_risk, kBand);
}

}  // namespace
}  // namespace riskcurve
