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
  /// Called from one thread at a time with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress = {};
};

/// An ensemble of runs of the real algorithm on real samples.
struct Ensemble {
  Eigen::ArrayXd steps;        ///< as asked for: R is recorded after so many steps
  Eigen::ArrayXXd risk;        ///< R of each run, shape (times, runs); +inf once it has diverged
  Eigen::ArrayXd mean, error;  ///< over the runs; standard error of the mean (nan for one run)
  int diverged = 0;            ///< runs whose risk left the finite numbers
  /// Stopped by `progress`; then `risk` holds the runs that were finished, perhaps none.
  bool interrupted = false;
};

/// Runs the optimizer named in experiment.optimizer, `runs` times, on fresh samples up to the last
/// of experiment.run.at, and records R = Delta^T K Delta / 2 exactly (not from a test set). Step
/// k = 0, 1, ... has the size schedule(k). Bit-identical for any thread count.
///
/// x is Gaussian, or a row of the data (covariance.sample_rows). Optimizers that do not see the
/// coordinates (sgd, clipped_sgd) run in K's eigenbasis; sign_sgd in generic orientation runs under
/// one Haar-random basis for the whole ensemble.
/// Matrix problem: R = tr(K_out Delta K_in Delta^T)/2, G = (1/B) sum_b z_b u_b v_b^T from Gaussian
/// u, v; spectral optimizers take the compact SVD of G, of rank min(B, N_out, N_in). sgd and they
/// run in the joint eigenbasis, sign_sgd under a basis a side, as above. Delta_0 has the sizes of
/// problem.initial in the joint eigenbasis and random signs in each run, so that R(0) is exact.
/// OpenBLAS must not be its serial flavour for runs in parallel to gain: there calls take turns.
/// Throws InputError for an unknown optimizer, for steps that are not whole, and for a dimension
/// that cannot be sampled (above 1e5; above 6000 where samples are dense; above 1e8 entries of a
/// matrix; or a spectrum held by quadrature nodes).
Ensemble simulate(const Experiment& experiment, const SimulateOptions& options = {});

}  // namespace riskcurve
