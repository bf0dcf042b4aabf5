#include "simulate/ensemble.hpp"

#include <cmath>

#include "riskcurve/problem/error.hpp"
#include "run/ensemble.hpp"

namespace riskcurve {
namespace {

void check(const Eigen::ArrayXd& at, const SimulateOptions& options) {
  check_ensemble(at, "run.at", options);
  for (const double k : at)
    if (k != std::floor(k) || k > 1e15)
      throw InputError("run.at", k, "whole steps, at most 1e15: Monte Carlo takes no part of one");
}

bool take_steps(const Iteration& run, double from, double to, Progress& progress) {
  const long end = static_cast<long>(to);
  for (long k = static_cast<long>(from); k < end; ++k) {
    run.step(k);
    if (!progress.count() && k + 1 < end) return false;
  }
  return true;
}

}  // namespace

Ensemble run_steps(const Eigen::ArrayXd& at, const SimulateOptions& options,
                   const std::function<Iteration(std::uint64_t run)>& begin) {
  check(at, options);
  return run_ensemble(at, at[at.size() - 1], options, [&](std::uint64_t number) -> Trajectory {
    const Iteration run = begin(number);
    return {[run](double from, double to, Progress& progress) {
              return take_steps(run, from, to, progress);
            },
            run.risk, run.averaged_risk};
  });
}

}  // namespace riskcurve
