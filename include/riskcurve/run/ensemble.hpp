#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "riskcurve/eigen.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// The runs of an ensemble as the points of a table (run/table.hpp, fill): each finished one is
/// kept in a journal, to be resumed, shared among shards and merged. Run r is the same in all of
/// them.
struct KeptRuns {
  std::string journal, identity;  ///< identity: all that a run depends on, seed and times included
  TableOptions table;             ///< of which `threads` and `progress` are the ensemble's
  TableOutcome outcome;           ///< written: how far it came; without rows
};

struct EnsembleOptions {
  int runs = 16;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores this process may use. The numbers do not depend on it.
  /// Called from one thread at a time with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress = {};
  KeptRuns* kept =
      nullptr;  ///< where finished runs are kept, and which are made; null: nowhere, all
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
  /// Stopped by `progress`; then `risk` holds the runs that were finished, perhaps none. Of a shard
  /// (KeptRuns) it holds none.
  bool interrupted = false;
};

}  // namespace riskcurve
