#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <string>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

struct SimulateOptions {
  int runs = 16;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores. The numbers do not depend on it.
  /// Called from one thread with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress;
};

/// An ensemble of runs of the real algorithm on real samples.
struct Ensemble {
  Eigen::ArrayXd steps;
  Eigen::ArrayXXd risk;            ///< R of each run, shape (times, runs)
  Eigen::ArrayXd mean, error;      ///< over the runs; standard error of the mean
  int diverged = 0;                ///< runs whose risk left the finite numbers
  bool interrupted = false;
};

/// Runs the optimizer named in experiment.optimizer, `runs` times, on fresh samples, and records
/// R = Delta^T K Delta / 2 exactly (not from a test set). Bit-identical for any thread count.
/// Throws InputError for an unknown optimizer or a dimension that cannot be sampled.
Ensemble simulate(const Experiment& experiment, const SimulateOptions& options = {});

}  // namespace riskcurve
