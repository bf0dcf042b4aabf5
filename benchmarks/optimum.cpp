#include "riskcurve/analysis/optimum.hpp"

#include <benchmark/benchmark.h>

#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

ModeSystem sgd(double dimension, double alpha) {
  VectorProblem problem{power_law(dimension, alpha), gaussian_noise(1), {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.3, 1.0);
  return compress(mode_system(problem, Sgd{1}));
}

void best_constant_step(benchmark::State& state) {
  const ModeSystem system = sgd(1e18, 0.6);
  for (auto _ : state) benchmark::DoNotOptimize(best_step(system, 1e8).risk);
}
BENCHMARK(best_constant_step)->Unit(benchmark::kMillisecond);

void best_schedule_of_all(benchmark::State& state) {
  const ModeSystem system = sgd(1e9, 2);
  for (auto _ : state) benchmark::DoNotOptimize(optimal_schedule(system, schedule_mesh(1e6)).risk);
}
BENCHMARK(best_schedule_of_all)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace riskcurve
