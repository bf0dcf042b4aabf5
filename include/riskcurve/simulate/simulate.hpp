#pragma once
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/run/ensemble.hpp"

namespace riskcurve {

using SimulateOptions = EnsembleOptions;

/// Runs the optimizer named in experiment.optimizer, `runs` times, on fresh samples up to the last
/// of experiment.run.at, and records R = Delta^T K Delta / 2 exactly (not from a test set). Step
/// k = 0, 1, ... has the size schedule(k). Bit-identical for any thread count.
///
/// What stands around the update is done as chain.hpp says. `risk` is R where gradients are taken:
/// at theta, y of schedule_free, worker 0's copy; `averaged_risk` that of the average, of x.
/// theta* = theta_0 - Delta_0 with the Delta_0 of each run.
///
/// x is Gaussian, or a row of the data (covariance.sample_rows). Optimizers that do not see the
/// coordinates (sgd, clipped_sgd) run in K's eigenbasis; sign_sgd in generic orientation runs under
/// one Haar-random basis for the whole ensemble.
/// Matrix problem: R = tr(K_out Delta K_in Delta^T)/2, G = (1/B) sum_b z_b u_b v_b^T from Gaussian
/// u, v; spectral optimizers take the compact SVD of G, of rank min(B, N_out, N_in). sgd and they
/// run in the joint eigenbasis, sign_sgd under a basis a side, as above. Delta_0 has the sizes of
/// problem.initial in the joint eigenbasis and random signs in each run, so that R(0) is exact.
/// OpenBLAS must not be its serial flavour for runs in parallel to gain: there calls take turns. In
/// a program under a limit of its address space, set OPENBLAS_NUM_THREADS=1 before it starts:
/// OpenBLAS takes 128 MiB for each thread, and does not end where it cannot. Throws InputError for
/// an unknown optimizer, for steps that are not whole, and for a dimension that cannot be sampled
/// (above 1e5; above 6000 where samples are dense; above 1e8 entries of a matrix; or a spectrum
/// held by quadrature nodes); Failure where OpenBLAS has no room for its work.
Ensemble simulate(const Experiment& experiment, const SimulateOptions& options = {});

}  // namespace riskcurve
