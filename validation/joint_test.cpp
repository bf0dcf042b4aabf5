// What it costs to train with the predicted joint optimum of step, momentum and decay: regret.
//
// Runs of the real algorithm at the predicted values, and with one of them moved at a time (step by
// 1/1.5 and 1.5, 1 - momentum by 1/2 and 2, weight decay by 1/3 and 3, or to a twentieth of the
// step's own pull where none is best), all on the same random numbers. Fixed beforehand: the mean
// final risk at the predicted values is at most 3 % above the least of them.
#include "riskcurve/analysis/joint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "riskcurve/input/input.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

Experiment chain_experiment(const std::string& optimizer, int steps) {
  return parse_experiment(fmt::format(
      "[problem]\ncovariance = {{ kind = 'power_law', dimension = 1000, alpha = 0.25 }}\n"
      "target = {{ kind = 'power_law', beta = 0.2 }}\nnoise = {{ kind = 'gaussian', std = 0.5 }}\n"
      "[optimizer]\n{}\n[schedule]\nkind = 'constant'\nstep = 0.001\n[run]\nsteps = {}\nat = "
      "[{}]\n",
      optimizer, steps, steps));
}

double mean_of_runs(const Experiment& e) {
  SimulateOptions options;
  options.runs = 8;
  options.seed = 20261128;
  return simulate(e, options).mean[0];
}

TEST(JointRegret, OfStepMomentumAndDecayIsBelowThreePercent) {
  for (const char* optimizer :
       {"name = 'sgd'\nbatch = 64\nmomentum = 0.8\nweight_decay = 0.01",
        "name = 'sign_sgd'\nbatch = 4\nmomentum = 0.8\nweight_decay = 0.01"}) {
    JointOptions options;
    options.over = {"step", "momentum", "weight_decay"};
    const Experiment e = chain_experiment(optimizer, 1000);
    const JointOptimum best = best_together(e, 1000, options);
    ASSERT_TRUE(best.found) << best.message;
    const double at_best = mean_of_runs(best.experiment);
    EXPECT_NEAR(at_best / best.risk, 1, 0.05);
    double least = at_best;
    const double step = best.value.at("step"), momentum = best.value.at("momentum"),
                 decay = best.value.at("weight_decay");
    const auto meet = [&](const std::function<void(Experiment&)>& move) {
      Experiment moved = best.experiment;
      move(moved);
      const double risk = mean_of_runs(moved);
      if (std::isfinite(risk)) least = std::min(least, risk);
    };
    for (const double factor : {1 / 1.5, 1.5}) {
      meet([&](Experiment& m) { m.schedule = constant_schedule(step * factor); });
      meet([&](Experiment& m) {
        m.chain.momentum = constant_schedule(std::max(1e-9, 1 - (1 - momentum) * factor * factor));
      });
      const double other = decay > 0 ? decay * std::pow(factor, 3) : 0.05 / (step * 1000) * factor;
      meet([&](Experiment& m) { m.chain.weight_decay = constant_schedule(other); });
    }
    const std::string numbers = fmt::format(
        "{}: step {:.4g}, momentum {:.3f}, weight decay {:.3g}: predicted R {:.5g}, in runs "
        "{:.5g}, "
        "regret {:.2f} %",
        name_of(e.optimizer), step, momentum, decay, best.risk, at_best,
        100 * (at_best / least - 1));
    fmt::print("{}\n", numbers);
    RecordProperty(name_of(e.optimizer), numbers);
    EXPECT_LT(at_best / least, 1.03) << numbers;
  }
}

}  // namespace
}  // namespace riskcurve
