#pragma once
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

enum class Method {
  exponential,  ///< exponential collocation (default): stiff rates and a stiff risk cost nothing
  dopri5,       ///< Boost.Odeint, explicit Runge-Kutta 5(4)
  rosenbrock4,  ///< Boost.Odeint, linearly implicit, dense: at most 400 modes
  /// Step by step, k = 0, 1, ..: exact in the step size, and at most kMostRecursionSteps of them.
  /// What a system with blocks is solved by unless dopri5 asks for its continuum.
  recursion
};
constexpr double kMostRecursionSteps = 1e8;

struct SolveOptions {
  Method method = Method::exponential;
  /// A step is accepted when the estimated error of the risk is at most rtol R + atol; see
  /// check_rtol.
  double rtol = 1e-10;
  double atol = 0;
  long max_steps = 1000000;   ///< bound on accepted plus rejected steps
  bool keep_modes = false;    ///< record s_k at every requested time
  bool keep_panels = false;   ///< record every accepted step (exponential method only)
  std::vector<double> stops;  ///< further times at which a step must end, increasing
  /// Stop as soon as the risk has fallen to this; `reached` then says when.
  double until_risk = 0;
  /// Stop at, and differentiate, the averaged risk in place of the risk (systems with an average).
  bool averaged = false;
  /// Called now and then with the fraction done; returning false interrupts.
  std::function<bool(double fraction)> progress;
};

/// One accepted step of the exponential method: all s_k at its five Chebyshev-Lobatto nodes.
struct Panel {
  double start, length;
  Eigen::ArrayXXd modes;  ///< shape (modes, 5)
};

/// A predicted curve and how it came about.
struct RiskCurve {
  enum class Status { not_run, ok, diverged, failed, interrupted };
  Status status = Status::not_run;
  std::string message = "not run";  ///< one line: why it stopped
  std::vector<std::string> warnings;

  Eigen::ArrayXd steps;          ///< iteration times k, as requested (or as far as it got)
  Eigen::ArrayXd risk;           ///< excess risk R(k)
  Eigen::ArrayXd averaged_risk;  ///< of the average of the iterates; empty where there is none
  Eigen::ArrayXXd modes;         ///< s_k, shape (times, modes), if kept
  std::map<std::string, Eigen::ArrayXd> observable;
  std::vector<Panel> panels;  ///< from step 0 to the last time, if kept
  double reached = std::numeric_limits<double>::quiet_NaN();  ///< see until_risk

  long accepted = 0, rejected = 0, evaluations = 0;
};

const char* name(RiskCurve::Status status);

/// Throws InputError naming `field` unless `solve` takes this rtol: from 1e-13 to below 1.
void check_rtol(double rtol, const std::string& field);

/// Solves the mode system under the schedule at the times `at` (iteration times, increasing, >= 0).
/// Throws InputError for bad times, tolerances, or step sizes that are not finite and positive;
/// never throws for a solution that blows up: `status` says so.
RiskCurve solve(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
                const SolveOptions& options = {});

}  // namespace riskcurve
