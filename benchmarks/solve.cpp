#include "riskcurve/integrate/solve.hpp"

#include <benchmark/benchmark.h>

#include <cmath>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

VectorProblem power_law_problem(Eigen::Index d) {
  Eigen::ArrayXd eigenvalues = Eigen::ArrayXd::LinSpaced(d, 1, static_cast<double>(d)).pow(-1.2);
  VectorProblem problem{from_eigenvalues(eigenvalues), gaussian_noise(0.1), {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  return problem;
}

/// SignSGD to a million steps, from a listed spectrum.
void solve_modes(benchmark::State& state) {
  const VectorProblem problem = power_law_problem(state.range(0));
  const Eigen::ArrayXd at{{0.0, 1e2, 1e4, 1e5, 1e6}};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        solve(compress(mode_system(problem, SignSgd{8})), constant_schedule(1e-6), at).risk.data());
}
BENCHMARK(solve_modes)->RangeMultiplier(100)->Range(100, 1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace riskcurve
