#pragma once
#include <string>

#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

struct OptimumOptions {
  double start = 0;         ///< a first guess of the step size; 0: from the rates
  double tolerance = 1e-6;  ///< of the step size, relative, unless |slope| < 1e-6 comes first
  int max_solves = 40;
  SolveOptions solve;
};

/// A constant raw step size that is best for some end.
struct Optimum {
  bool found = false;
  std::string message;  ///< one line: why not
  double step = 0;      ///< gamma
  double risk = 0;      ///< R(steps)
  double steps = 0;     ///< the horizon, or the time at which the target risk is reached
  double slope = 0;     ///< dlog R/dlog gamma at fixed `steps`: 0 at the optimum
  int evaluations = 0;  ///< solves of the mode system, those that foretell it left out
};

/// A first guess for these searches: the step of fastest descent at the start, or one that decays
/// the risk a few times over the horizon, if less.
double guessed_step(const ModeSystem& system, double horizon);

/// argmin over constant gamma of R(horizon): the root of dlog R/dlog gamma, exact by the adjoint
/// (sensitivity.hpp), by secants from `start`, kept within what brackets it. Where all modes share
/// one clock the root is foretold to about 1e-5 and one or two solves are left; else solves are no
/// finer than rtol 1e-6 but for the last, which has the rtol asked for. A step at which
/// the risk diverges counts as too large. Source: docs/theory/optima.md#constant-steps.
Optimum best_step(const ModeSystem& system, double horizon, const OptimumOptions& options = {});

/// argmin over constant gamma of the time at which R falls to `risk`: where the time is shortest,
/// R at that time is least, so the same root. Not found if no constant step gets there in `longest`
/// steps. Throws InputError unless 0 < risk < R(0).
Optimum fastest_step(const ModeSystem& system, double risk, double longest = 1e12,
                     const OptimumOptions& options = {});

/// R at the optimum's horizon for other step sizes: nine, from a quarter of the best to four times
/// it, found no finer than rtol 1e-7. +inf where it diverges, nan where the integrator fails.
/// Throws Failure when interrupted.
struct Neighbours {
  Eigen::ArrayXd factor, risk;  ///< step over the best step; R
  std::string failure;          ///< the first; empty: none
};
Neighbours neighbours(const ModeSystem& system, const Optimum& best,
                      const SolveOptions& options = {});

/// The risk at which a constant gamma comes to rest, R = (gamma/4) sum h c(R)/a(R), responses taken
/// at iteration time t: the first root met from R(0), upwards where the risk grows there. 0: the
/// risk vanishes; +inf: it grows for ever. Modes that do not move (a = c = 0) keep their risk.
/// Source: docs/theory/stability.md#stationary-points.
double stationary_risk(const ModeSystem& system, double step, double t = 0);

}  // namespace riskcurve
