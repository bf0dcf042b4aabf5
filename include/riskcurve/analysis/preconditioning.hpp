#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/spectral.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The preconditioning exponents of a spectral optimizer, shape (sigma, lambda):
///
///     out = dlog a/dlog sigma = <1 - alpha>,      in = dlog a/dlog lambda = <1 - beta>,
///     <x> = sum_k w_k alpha_k beta_k x_k / sum_k w_k alpha_k beta_k,
///
/// w the drift weights, alpha and beta the saturations of spectral.hpp, whose averages are thus
/// 1 - out and 1 - in. 1: the mode learns at a rate proportional to its eigenvalue, as under SGD;
/// 1/2: to the square root of it; 0: at a rate that does not depend on it. Exact derivatives of the
/// sums for a; nan at a zero eigenvalue, where a = 0.
/// Source: docs/theory/matrix.md#preconditioning-exponent.
struct Exponents {
  Eigen::ArrayXXd out, in;
};
Exponents preconditioning(const SpectralCoefficients& coefficients, const Eigen::ArrayXd& sigma,
                          const Eigen::ArrayXd& lambda);

/// How the noise of updates is correlated between steps: its autocorrelation, over all modes by
/// h c, at lags 1, 2, 4, .. while it is above 1 % of lag 0. Lags are empty without a filter.
struct NoiseMemory {
  Eigen::ArrayXd lag, correlation;
  double sum = 1;  ///< 1 + 2 sum over all lags
};

/// What an optimizer does to every mode at one risk: ds/dt = -2 gamma a s + gamma^2 c for a single
/// direction of the mode. Where the modes are the eigenvectors of the covariances (on_nodes), shape
/// (nodes of K_out, nodes of K_in), one row for a vector problem; else, as for SignSGD in a given
/// orientation, one row in decreasing order of h.
struct ModeRates {
  double risk = 0;
  bool on_nodes = true;
  bool orthonormal = true;       ///< modes are
  bool any_signal = false;       ///< of the start's error, scaled to the risk, not of noise alone
  Eigen::ArrayXXd weight;        ///< h, the curvature of the mode: sigma_i lambda_j
  Eigen::ArrayXXd multiplicity;  ///< directions the mode stands for
  Eigen::ArrayXXd drift;         ///< a, per step and unit of step size
  Eigen::ArrayXXd diffusion;     ///< c
  /// Along either side: as above for spectral optimizers; for the others, whose a is a power of h,
  /// by differences of log a over log h (nan where the side has a single eigenvalue).
  Exponents exponent;
  /// Estimated largest relative errors of the quadratures (spectral.hpp); 0 for closed forms.
  double drift_error = 0, diffusion_error = 0;
  /// Of the update where every singular value of it is 1: min(N_out, N_in, B), what squared_update
  /// must be.
  std::optional<double> rank;
  NoiseMemory noise;
  std::vector<std::string> warnings;  ///< approximations made

  /// E ||update||_F^2: sum of c over directions. SignSVD: the rank, min(N_out, N_in, B). nan unless
  /// modes are orthonormal.
  double squared_update() const;
};

/// With Experiment::signal full those of the map that sees a signal of any size: of the start's
/// error scaled to this risk, which a filter has seen for long; a is what s falls by, c = E f^2, in
/// one row, merged modes once. Throws InputError as mode_system and SpectralRates do; and unless
/// risk is positive and finite.
ModeRates mode_rates(const Experiment& experiment, double risk);

/// Modes (node of K_out, node of K_in) in a line through the matrix. Zero eigenvalues are left out.
using Modes = std::vector<std::pair<Eigen::Index, Eigen::Index>>;
/// The side along which modes are read: K_in, or K_out where K_in has a single positive eigenvalue.
bool runs_along_in(const MatrixProblem& problem);
/// One side in decreasing order, the other at its median positive eigenvalue.
Modes modes_along(const MatrixProblem& problem, bool in);
/// One side in decreasing order, the other at the same quantile of its positive eigenvalues.
Modes modes_on_diagonal(const MatrixProblem& problem, bool in);

/// Exponents are read off as SGD-like above, as preconditioned up to this: halfway between 1 and
/// 1/2.
constexpr double kCrossoverExponent = 0.75;

/// The preconditioning exponent along one side of a matrix problem, the other at its median
/// eigenvalue, for several batches at one risk.
struct BatchScan {
  Eigen::ArrayXd eigenvalue;      ///< positive eigenvalues of the side that runs, decreasing
  Eigen::Index median = 0;        ///< the one at the median
  Eigen::ArrayXd batch;           ///< increasing
  Eigen::ArrayXXd exponent;       ///< (eigenvalues, batches); nan where c is infinite at that batch
  Eigen::ArrayXd crossover;       ///< (batches): eigenvalue where the exponent passes 3/4, or nan
  Eigen::ArrayXd preconditioned;  ///< (batches): share of the eigenvalues with exponent <= 3/4
  /// Batch at which the exponent of the median eigenvalue passes 3/4; nan if not within `batch`.
  double crossover_batch = 0;
};

/// N/4, N, 4N, 16N for N = min(N_out, N_in), and this batch, increasing.
Eigen::ArrayXd batches_around(const MatrixProblem& problem, int batch);

/// Relative accuracy 1e-6, of crossovers 1e-3. Throws InputError unless batches are positive and
/// increasing.
BatchScan scan_batches(const MatrixProblem& problem, const SpectralFunction& f, double risk,
                       const Eigen::ArrayXd& batches);

}  // namespace riskcurve
