#pragma once
#include <cstdint>
#include <functional>

#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {

/// One run of an algorithm in flight.
struct Iteration {
  std::function<void(long k)> step;  ///< performs step k = 0, 1, ... in turn
  std::function<double()> risk;      ///< R now
};

/// Performs the runs (run/ensemble.hpp), each from `begin(run)`, and records them after at[i]
/// steps. Throws InputError unless `at` holds whole, increasing step counts >= 0, and options are
/// good.
Ensemble run_steps(const Eigen::ArrayXd& at, const SimulateOptions& options,
                   const std::function<Iteration(std::uint64_t run)>& begin);

/// simulate() for one geometry.
Ensemble simulate_vector(const Experiment& experiment, const SimulateOptions& options);
Ensemble simulate_matrix(const Experiment& experiment, const SimulateOptions& options);

}  // namespace riskcurve
