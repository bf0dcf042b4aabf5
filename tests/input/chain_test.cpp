// The chain: keys of [optimizer] around its update, read, checked, and written back.
#include "riskcurve/problem/chain.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/problem.hpp"
#include "round_trip.hpp"

namespace riskcurve {
namespace {

std::string file(const std::string& optimizer, bool matrix = false) {
  const std::string problem =
      matrix ? "geometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 4 }\n"
               "covariance_in = { kind = 'isotropic', dimension = 5 }\n"
             : "covariance = { kind = 'isotropic', dimension = 8 }\n";
  return "[problem]\n" + problem + "target = { kind = 'isotropic' }\n[optimizer]\n" + optimizer +
         "\n[schedule]\nkind = 'constant'\nstep = 0.01\n[run]\nsteps = 40\n";
}

Chain read(const std::string& keys, const std::string& name = "sgd", bool matrix = false) {
  return parse_experiment(file("name = '" + name + "'\n" + keys, matrix)).chain;
}

std::string error_of(const std::string& keys, const std::string& name = "sgd",
                     bool matrix = false) {
  try {
    read(keys, name, matrix);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ReadChain, EveryKeyArrives) {
  const Chain chain = read(
      "momentum = 0.9\ndampening = 0.25\nweight_decay = 0.1\nl2 = 0.01\n"
      "average = { kind = 'ema', decay = 0.5 }\n"
      "lookahead = { sync_period = 5, slow_step_size = 0.25 }");
  EXPECT_EQ((*chain.momentum)(7), 0.9);
  EXPECT_EQ(chain.dampening, 0.25);
  EXPECT_EQ((*chain.weight_decay)(7), 0.1);
  EXPECT_EQ(chain.l2, 0.01);
  EXPECT_EQ(std::get<EmaAverage>(*chain.average).decay, 0.5);
  EXPECT_EQ(*chain.lookahead, (Lookahead{5, 0.25}));
  EXPECT_TRUE(read("momentum = 0.9\nnesterov = true").nesterov);
  EXPECT_EQ(std::get<UniformAverage>(*read("average = { kind = 'uniform', start = 9 }").average),
            UniformAverage{9});
  EXPECT_EQ(*read("schedule_free = {}").schedule_free, ScheduleFree{});
  EXPECT_EQ(*read("local = { steps = 3, workers = 2 }").local, (LocalSteps{2, 3, 0.7, 0.9}));
}

TEST(ReadChain, ZerosAreNothing) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("momentum = 0\nweight_decay = 0.0\nl2 = 0\nnesterov = false").empty());
}

TEST(ReadChain, SchedulesGoByTheLengthOfTheRun) {
  const Chain chain = read(
      "momentum = { kind = 'dana', delta = 8 }\n"
      "weight_decay = { kind = 'cosine', value = 0.2, final_value = 0.1 }\n"
      "batch = { kind = 'piecewise', from = [0, 10], value = [3.7, 16] }");
  EXPECT_EQ((*chain.momentum)(8), 0.5);
  EXPECT_NEAR((*chain.weight_decay)(20), 0.15, 1e-15);
  EXPECT_EQ((*chain.batch)(10), 16);
}

TEST(ReadChain, TheOptimizersBatchIsThatOfStepZero) {
  const auto batch = [](const std::string& table) {
    return batch_of(parse_experiment(file("name = 'sgd'\nbatch = { " + table + " }")).optimizer);
  };
  EXPECT_EQ(batch("kind = 'piecewise', from = [0, 10], value = [3.7, 16]"), 4);
  EXPECT_EQ(batch("kind = 'constant', value = 8, warmup = 100"), 1);  // 0.08: never less than 1
}

TEST(ReadChain, NumbersOutOfRangeAreNamedByTheirKey) {
  EXPECT_EQ(error_of("momentum = 1"),
            "optimizer.momentum = 1: expected a finite number >= 0 and < 1");
  EXPECT_EQ(error_of("momentum = { kind = 'cosine', value = 1.5 }"),
            "optimizer.momentum.value = 1.5: expected a number >= 0 and < 1");
  EXPECT_EQ(error_of("momentum = { kind = 'linear', value = 0.9, final_value = 1 }"),
            "optimizer.momentum.final_value = 1: expected a number >= 0 and < 1");
  EXPECT_EQ(error_of("momentum = { kind = 'tabulated', at = [0, 1], value = [0, 2] }"),
            "optimizer.momentum.value[1] = 2: expected a number >= 0 and < 1");
  EXPECT_EQ(error_of("weight_decay = -1"),
            "optimizer.weight_decay = -1: expected a finite number >= 0");
  EXPECT_EQ(error_of("batch = { kind = 'cosine', value = 8 }"),
            "optimizer.batch.final_value = 0: expected a number >= 1 and <= 1e9");
  EXPECT_EQ(error_of("average = { kind = 'ema', decay = 2 }"),
            "optimizer.average.decay = 2: expected a finite number >= 0 and <= 1");
  EXPECT_EQ(error_of("lookahead = { sync_period = 1.5 }"),
            "optimizer.lookahead.sync_period = 1.5: expected a whole number >= 1 and <= 1e9");
  EXPECT_EQ(error_of("local = {}"),
            "optimizer.local.steps = (missing): expected a whole number >= 1 and <= 1e9");
  EXPECT_NE(error_of("weight_decay = { kind = 'dana', delta = 1 }").find("optimizer.weight_decay"),
            std::string::npos);
  EXPECT_NE(error_of("momentun = 0.9").find("did you mean \"momentum\"?"), std::string::npos);
}

TEST(ValidateExperiment, SaysWhatGoesWithWhat) {
  const std::string free = "schedule_free = {}\n", local = "local = { steps = 2 }\n",
                    ahead = "lookahead = { sync_period = 2 }\n",
                    average = "average = { kind = 'ema' }\n";
  EXPECT_EQ(error_of("nesterov = true"),
            "optimizer.nesterov = true: expected a momentum beside it");
  EXPECT_EQ(error_of("nesterov = true\nmomentum = 0.5\ndampening = 0.1"),
            "optimizer.dampening = 0.1: expected 0 beside nesterov");
  EXPECT_EQ(error_of(free + "momentum = 0.9"),
            "optimizer.schedule_free = (given): expected no momentum beside it");
  for (const std::string& other : {average, ahead, local})
    EXPECT_EQ(error_of(free + other), "optimizer.schedule_free = (given): expected no " +
                                          other.substr(0, other.find(' ')) + " beside it");
  EXPECT_EQ(error_of(local + average), "optimizer.local = (given): expected no average beside it");
  EXPECT_EQ(error_of(local + ahead), "optimizer.local = (given): expected no lookahead beside it");
  EXPECT_EQ(error_of(ahead + average + "momentum = 0.9\nnesterov = true"), "no error");
}

TEST(ValidateExperiment, SaysWhichOptimizersTakeMomentumAndL2) {
  EXPECT_EQ(error_of("exponent = 0.5\nmomentum = 0.9", "schatten", true), "no error");
  EXPECT_EQ(error_of("momentum = 0.9", "kaon", true), "no error");
  EXPECT_EQ(error_of("momentum = 0.9", "sign_svd", true), "no error");
  EXPECT_EQ(error_of("momentum = 0.9\nweight_decay = 0.1", "sign_sgd", true), "no error");
  EXPECT_EQ(error_of("weight_decay = 0.1", "sign_svd", true), "no error");
  EXPECT_EQ(
      error_of("l2 = 0.1", "sgd", true),
      "optimizer.l2 = 0.1: expected 0 for a matrix, where it is not derived; weight_decay is");
  EXPECT_EQ(
      error_of("l2 = 0.1\nexponent = 0.5", "preconditioned_sgd"),
      "optimizer.l2 = 0.1: expected 0 with preconditioned_sgd, which takes no l2 theta in its "
      "gradient; weight_decay goes with every optimizer");
  EXPECT_EQ(error_of("l2 = 0.1", "sign_sgd"), "no error");
}

TEST(ToToml, EveryChainRoundTrips) {
  const Experiment bare = parse_experiment(file("name = 'sgd'\nbatch = 2"));
  EXPECT_EQ(to_toml(bare).find("momentum"), std::string::npos);
  const auto with = [&](const auto& change) {
    Experiment experiment = bare;
    change(experiment.chain);
    EXPECT_FALSE(experiment == bare);
    expect_round_trip(experiment);
  };
  with([](Chain& c) { c.momentum = constant_schedule(1. / 3); });
  with([](Chain& c) {
    c.momentum = dana_schedule(7);
    c.nesterov = true;
  });
  with([](Chain& c) { c.dampening = 0.1; });
  with([](Chain& c) { c.weight_decay = warm_up(linear_schedule(0, 0.3, 9), 4); });
  with([](Chain& c) { c.l2 = 1e-9; });
  with([](Chain& c) { c.average = EmaAverage{}; });
  with([](Chain& c) { c.average = UniformAverage{30}; });
  with([](Chain& c) { c.schedule_free = ScheduleFree{}; });
  with([](Chain& c) { c.schedule_free = ScheduleFree{0.5, 2}; });
  with([](Chain& c) { c.lookahead = Lookahead{6}; });
  with([](Chain& c) { c.local = LocalSteps{.workers = 3, .steps = 4, .outer_momentum = 0}; });
  with([](Chain& c) { c.batch = piecewise_schedule({0, 3}, {2, 9.25}); });
}

/// Any chain that a problem file can hold, of parts that go together.
std::string random_chain(Random& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::string u = number_text(random.uniform()), v = number_text(random.uniform());
  const auto schedule = [&]() -> std::string {
    switch (below(6)) {
      case 0:
        return u;
      case 1:
        return "{ kind = 'cosine', value = " + u + ", final_value = " + v + " }";
      case 2:
        return "{ kind = 'linear', value = " + u + ", warmup = 3 }";
      case 3:
        return "{ kind = 'wsd', value = " + u + ", decay = " + v + " }";
      case 4:
        return "{ kind = 'polynomial', value = " + u + ", exponent = 2, share = 'elapsed' }";
      default:
        return "{ kind = 'tabulated', at = [0, 9], value = [" + u + ", " + v + "] }";
    }
  };
  std::string text;
  const auto maybe = [&](const std::string& line) {
    if (below(2)) text += line + "\n";
  };
  maybe("weight_decay = " + schedule());
  maybe("l2 = " + u);
  if (below(4) == 0) {
    return text + "schedule_free = { beta = " + u + " }\n";
  }
  if (below(3)) {
    text += "momentum = " + (below(5) ? schedule() : "{ kind = 'dana', delta = " + u + " }") + "\n";
    maybe(below(2) ? "nesterov = true" : "dampening = " + v);
  }
  if (below(3) == 0) return text + "local = { workers = 3, steps = 2, outer_step = " + u + " }\n";
  maybe("lookahead = { sync_period = 3, slow_step_size = " + u + " }");
  maybe(below(2) ? "average = { kind = 'ema', decay = " + v + " }"
                 : "average = { kind = 'uniform' }");
  return text;
}

TEST(ToToml, RandomChainsRoundTrip) {
  Random random(11, 0, 0);
  for (int i = 0; i < 300; ++i)
    expect_round_trip(parse_experiment(file("name = 'sgd'\n" + random_chain(random))));
}

TEST(ToToml, AThetaStartSetByHandRoundTrips) {
  Experiment experiment = parse_experiment(file("name = 'sgd'\nweight_decay = 0.1"));
  auto& problem = std::get<VectorProblem>(experiment.problem);
  problem.initial_error = Eigen::VectorXd::LinSpaced(8, -1, 1);
  problem.theta_start = Eigen::VectorXd::LinSpaced(8, 2, 3);
  expect_round_trip(experiment);
}

TEST(Describe, NamesWhatStandsAroundTheUpdate) {
  const auto says = [](const std::string& keys) {
    const std::string text = describe(parse_experiment(file("name = 'sgd'\n" + keys)));
    return text.substr(0, text.find(" on "));
  };
  EXPECT_EQ(says("batch = 3"), "sgd, batch 3");
  EXPECT_EQ(says("momentum = 0.9\nnesterov = true\naverage = { kind = 'ema' }"),
            "sgd + nesterov momentum + ema average, batch 1");
  EXPECT_EQ(says("batch = { kind = 'piecewise', from = [0, 9], value = [2, 4] }"),
            "sgd, batch 2 at first");
}

}  // namespace
}  // namespace riskcurve
