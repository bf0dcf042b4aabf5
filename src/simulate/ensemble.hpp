#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {

/// One run of an algorithm in flight.
struct Iteration {
  std::function<void(long k)> step;            ///< performs step k = 0, 1, ... in turn
  std::function<double()> risk;                ///< R now
  std::function<double()> averaged_risk = {};  ///< that of the average, where there is one
};

/// Of a run that has step(k), risk() and, where it `averages`, averaged_risk().
template <class Run>
Iteration iteration_of(const std::shared_ptr<Run>& run, bool averages) {
  Iteration iteration{[run](long k) { run->step(k); }, [run] { return run->risk(); }};
  if (averages) iteration.averaged_risk = [run] { return run->averaged_risk(); };
  return iteration;
}

/// Performs the runs (run/ensemble.hpp), each from `begin(run)`, and records them after at[i]
/// steps. Throws InputError unless `at` holds whole, increasing step counts >= 0, and options are
/// good.
Ensemble run_steps(const Eigen::ArrayXd& at, const SimulateOptions& options,
                   const std::function<Iteration(std::uint64_t run)>& begin);

/// simulate() for one geometry.
Ensemble simulate_vector(const Experiment& experiment, const SimulateOptions& options);
Ensemble simulate_matrix(const Experiment& experiment, const SimulateOptions& options);

}  // namespace riskcurve
