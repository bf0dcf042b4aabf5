#pragma once
#include <map>
#include <string>
#include <vector>

#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

struct JointOptions {
  /// of "step", "momentum", "weight_decay", "decay" (of an exponential average), and what numbers
  /// the optimizer has for its own: "beta1", "beta2", "eps", "alpha", "exponent", "threshold", ..
  std::vector<std::string> over = {"step"};
  bool averaged = false;    ///< the averaged risk in place of the risk
  double tolerance = 1e-5;  ///< of |dlog R/d parameters|, as they are searched
  int max_solves = 2000;
  SolveOptions solve;
};

/// Constant values of a step size and of what stands around it that are best together.
struct JointOptimum {
  bool found = false;
  std::string message;                  ///< one line: why not, or how the search ended
  std::map<std::string, double> value;  ///< by name
  double risk = 0;                      ///< R(horizon)
  double gradient = 0;                  ///< Euclidean, by log gamma, log(1 - momentum), ..
  int evaluations = 0;                  ///< solves of the mode system
  Experiment experiment;                ///< the one given, at these values
};

/// argmin of R(horizon) over constant values of the step size gamma, the momentum, the decoupled
/// weight decay, the decay of an exponential average, and the numbers of an optimizer's own table,
/// whichever `over` names; others stay as the experiment has them. Solved step by step, exactly in
/// the step size. A quasi-Newton search in log gamma, log(1 - momentum), log weight_decay and log(1
/// - decay); of an optimizer's own in log x where x has no upper end, log(1 - x) where that is an
/// open 1, else x itself. Derivatives by one adjoint sweep a solve (by an optimizer's own:
/// differences of two solves more each); it starts from the experiment's own values (those that
/// are 0: 0.5, and a decay by 1/10 over the run). A local minimum. A weight decay that the search
/// drives towards nothing ends at 0; values that the theory refuses count as infinitely bad. Throws
/// InputError for a name that is unknown or has nothing to change ("decay" without an exponential
/// average; "momentum" under an optimizer that takes none). Source: ours;
/// docs/theory/chain.md#adjoint.
JointOptimum best_together(const Experiment& experiment, double horizon,
                           const JointOptions& options = {});

}  // namespace riskcurve
