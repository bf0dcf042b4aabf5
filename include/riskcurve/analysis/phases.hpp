#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// Two optimizers against each other on power laws: W in R^(N x N), K_in with eigenvalues
/// j^(-2 alpha) in a generic orientation, no label noise, R(0) = 1. One-sided (Sides::in): K_out =
/// I and s_ij(0) ~ j^(-2 beta); two-sided: K_out like K_in and s_ij(0) ~ (i j)^(-2 beta).
struct PhasePlan {
  std::array<Optimizer, 2> optimizers = {SignSgd{}, SignSvd{}};  ///< of any batch
  double dimension = 1e6;                                        ///< N
  int batch = 1000000;                                           ///< B of both
  Sides sides = Sides::in;
  Eigen::ArrayXd horizon;  ///< T, in steps, increasing, at least two
  bool schedules = false;  ///< R*(T) under the optimal schedule, not the best constant step
  /// By the rates of small signals, where others are known too. Schedules always are.
  bool small = false;
  std::array<double, 2> momentum = {0, 0};  ///< of each, as [optimizer] momentum; in [0, 1)
};

enum class Phase {
  first,      ///< the first ahead at every horizon
  second,     ///< the second ahead at every horizon
  trade_off,  ///< the order changes with the horizon
  tie         ///< never apart
};

/// What one of the two comes to.
struct BestRisks {
  Eigen::ArrayXd risk;  ///< R*(T) at the horizons; 0 where it vanishes
  /// gamma max_k a_k g at each; nan where an optimizer has states of its own, solved step by step.
  Eigen::ArrayXd step_rate;
  /// Of R*(T) ~ T^(-value), over the upper half of the horizons in log T; nan where R* vanishes.
  Exponent exponent;
};

/// One point (alpha, beta) of the plane.
struct PhasePoint {
  double alpha, beta;
  std::array<BestRisks, 2> best;  ///< in the order of the plan
  Phase phase;                    ///< ahead: R* lower by more than 1 %
  /// Of the problem, and the larger of what the two have of their own (the signal of spectral ones,
  /// the filtered signal); step_rate nan, being of each horizon.
  Trust trust;
};

/// The points (alpha, beta), beta as listed. Of small signals one set of rates serves them all, so
/// a map costs least column by column. Safe to call from several threads. The best constant step of
/// each horizon is found to 1e-4 of its risk, with momentum to about 1e-3, at worst 3e-3 (where
/// signals of any size are seen, risks are known to 1 %; two-sided, on few nodes, to a few %), by
/// cubics through log R from the step of the horizon before.
/// Throws InputError unless N, B >= 1, alpha >= 0, numbers are finite and horizons are as above,
/// and for an optimizer that has no mode system of a matrix; Failure where a risk cannot be found.
std::vector<PhasePoint> phase_column(const PhasePlan& plan, double alpha,
                                     const Eigen::ArrayXd& beta);
/// The approximations that the two mode systems name at this alpha, a line each.
std::vector<std::string> phase_warnings(const PhasePlan& plan, double alpha);

/// e in R*(T) ~ T^(-e), constant step, for horizons long against the start and short of the end of
/// the spectrum, up to logarithms of T. With p = 2 alpha + 2 beta - 1 > 0 (else 0),
///
///     e = min(rho, 2)/(1 + zeta):    rho                 zeta
///     SignSGD, both sides            p/(2 alpha)         0 | (1 - 2 alpha)/(2 alpha) | 1
///                                                        from alpha = 1/2 | 1/4 down
///     SignSVD, one-sided             p/alpha             0 | (1 - alpha)/alpha | 1
///                                                        from alpha = 1 | 1/2 down
///     SignSVD, two-sided             p/(2 alpha)         0 | (3 - 4 alpha)/(1 + 4 alpha) |
///                                                        (2 - 3 alpha)/(3 alpha) | 1
///                                                        from alpha = 3/4 | 1/2 | 1/3 down
///
/// Our derivation: docs/theory/phases.md#exponents-derived. Throws InputError unless alpha > 0.
double sign_sgd_exponent(double alpha, double beta, Sides sides);
double sign_svd_exponent(double alpha, double beta, Sides sides);

/// That of the optimizer, if it is one of these two: of others none is derived.
std::optional<double> derived_exponent(const Optimizer& optimizer, double alpha, double beta,
                                       Sides sides);

/// Where the derived exponents of the two are equal and their order changes, points along [from,
/// to] of alpha: the border of their order at long horizons. Empty where one is not derived.
struct PhaseBorder {
  Eigen::ArrayXd alpha, beta;
};
PhaseBorder phase_border(const std::array<Optimizer, 2>& optimizers, const Eigen::Array2d& alpha,
                         const Eigen::Array2d& beta, Sides sides);

}  // namespace riskcurve
