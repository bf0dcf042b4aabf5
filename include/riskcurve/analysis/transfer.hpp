#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

struct TransferOptions {
  double rtol = 1e-8;                             ///< relative error allowed in the risk
  std::function<bool(double fraction)> progress;  ///< false: stop, with a Failure
};

/// How the best constant step gamma*, and the risk R* that it leaves, move with one quantity of an
/// experiment while all others are held: gamma* ~ x^p, R* ~ x^q around its own x.
struct Scaling {
  std::string quantity;
  Eigen::ArrayXd value;       ///< x, increasing, shape (points)
  Eigen::Index own = 0;       ///< the point of its own value, or of N_out/N_in = 1
  Eigen::ArrayXd step, risk;  ///< gamma* (raw), R*; nan where no best step was found
  /// The trust numbers out of their range at each point and its best step (trust.hpp).
  std::vector<std::string> untrusted;
  Exponent step_exponent, risk_exponent;
  std::string skipped;  ///< one line: why there are no points, or no exponents
};

/// "batch", "dimension", "horizon", "noise"; of a matrix also "aspect_wide", "aspect_tall".
std::vector<std::string> transfer_quantities(bool matrix);

/// `quantity` at five values, each twice the one before; whole where the quantity is:
///   batch      samples a step, B
///   dimension  d; of a matrix N_in, with N_out scaled alike
///   aspect     N_out/N_in up to 1 (wide) or from 1 (tall), N_in as it is
///   horizon    T = run.steps
///   noise      the size of its law (std, scale, half_width)
/// from a quarter of its own value, or from half of it, or from itself, where these are whole. R(0)
/// and the target stay. Rates are those of the experiment's `signal`, of any size where that
/// matters and it leaves the choice, but between two graded sides, where that takes minutes.
/// Skipped where the problem fixes the quantity (data, a list of eigenvalues) or has none of it.
/// Throws InputError where the experiment itself is refused. Source: ours.
Scaling step_scaling(const Experiment& experiment, const std::string& quantity,
                     const TransferOptions& options = {});

/// The best constant step of one optimizer, at the experiment's batch and horizon.
struct Counterpart {
  std::string optimizer;  ///< its name, and its momentum if it has one
  double threshold;       ///< of clipped_sgd, in residual units; else nan
  double step, risk;      ///< gamma* (raw), R*
  double ratio;  ///< gamma* over that of the own optimizer: what a tuned step is multiplied by
  Trust trust;   ///< at the best step
  std::string skipped;  ///< one line: why step, risk and ratio are nan
};

/// sgd, sign_sgd, clipped_sgd (of matrices sign_svd), sgd with momentum 0.9, adam and lion with
/// their default betas, each with the own decay and averages; and the own one as it is, first.
/// Clipping, where it is not the own, is of single samples at optimal_threshold(R(0))
/// (clipping.hpp). Throws InputError where the experiment is refused.
std::vector<Counterpart> counterparts(const Experiment& experiment,
                                      const TransferOptions& options = {});

}  // namespace riskcurve
