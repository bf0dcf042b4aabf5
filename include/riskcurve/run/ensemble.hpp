#pragma once
#include <cstdint>
#include <functional>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

struct EnsembleOptions {
  int runs = 16;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores this process may use. The numbers do not depend on it.
  /// Called from one thread at a time with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress = {};
};

/// Independent runs from the same problem: of the real algorithm (simulate.hpp), or of the
/// stochastic differential equation of the limit (sde.hpp).
struct Ensemble {
  Eigen::ArrayXd steps;        ///< as asked for: R is recorded after so many steps
  Eigen::ArrayXXd risk;        ///< R of each run, shape (times, runs); +inf once it has diverged
  Eigen::ArrayXd mean, error;  ///< over the runs; standard error of the mean (nan for one run)
  /// The same of the average of the iterates, where the chain has one (chain.hpp: average, x of
  /// schedule_free); else empty.
  Eigen::ArrayXXd averaged_risk;
  Eigen::ArrayXd averaged_mean, averaged_error;
  int diverged = 0;  ///< runs whose risk left the finite numbers
  /// Stopped by `progress`; then `risk` holds the runs that were finished, perhaps none.
  bool interrupted = false;
};

}  // namespace riskcurve
