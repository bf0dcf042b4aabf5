#pragma once
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/problem.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// A field of an experiment, by its name in problem files ("optimizer.batch", "optimizer.name"),
/// and the numbers or texts it takes in turn.
struct SweepAxis {
  std::string field;
  std::vector<Cell> values;
};

/// A grid of experiments: every combination of the axes' values, the last axis running fastest.
struct Sweep {
  /// R at run.steps under its schedule; the best constant step; or that, and its exponents
  /// and those of its risk against some quantities (transfer.hpp).
  enum class Find { risk, step, exponents };
  Find find = Find::risk;
  std::vector<std::string> against;  ///< exponents: the quantities
  std::string name;                  ///< what was varied, for titles
  std::string identity;              ///< text of which the sweep is a function
  std::vector<SweepAxis> axes;
  /// The experiment at these values, one for each axis. Safe to call from several threads. Throws
  /// InputError where they are refused.
  std::function<Experiment(const std::vector<Cell>& values)> experiment;

  long points() const;
  std::vector<Cell> values(long point) const;  ///< one for each axis
  /// The fields of the axes; what was found: risk (risk); step, risk, slope, evaluations (step);
  /// step, risk, and for each quantity X_risk_exponent, X_risk_error, X_step_exponent, X_step_error
  /// (exponents); untrusted, the trust numbers out of their range (trust.hpp; of all problems that
  /// the exponents are fitted to); and status.
  std::vector<std::string> columns() const;
};

/// The row of a point, as `columns` names it: deterministic, and safe to call from several threads.
/// A curve that fails or diverges, or an optimum not found, leaves nan and says why in `status`.
/// Throws InputError where the experiment is refused.
std::vector<Cell> sweep_row(const Sweep& sweep, long point);

}  // namespace riskcurve
