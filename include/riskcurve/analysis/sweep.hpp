#pragma once
#include <string>
#include <vector>

#include "riskcurve/problem/fields.hpp"

namespace riskcurve {

/// A field of the problem file ("optimizer.batch", "optimizer.name") and the numbers or texts it is
/// set to in turn.
struct SweepAxis {
  std::string field;
  std::vector<Cell> values;
};

/// A grid of problem files: every combination of the axes' values, the last axis running fastest.
struct Sweep {
  /// R at run.steps under the file's schedule; the best constant step; or that, and its exponents
  /// and those of its risk against some quantities (transfer.hpp).
  enum class Find { risk, step, exponents };
  Find find = Find::risk;
  std::vector<std::string> against;  ///< exponents: the quantities
  std::string problem;               ///< path of the problem file
  std::vector<SweepAxis> axes;

  long points() const;
  std::vector<Cell> values(long point) const;  ///< one for each axis
  /// The fields of the axes; what was found: risk (risk); step, risk, slope, evaluations (step);
  /// step, risk, and for each quantity X_risk_exponent, X_risk_error, X_step_exponent, X_step_error
  /// (exponents); untrusted, the trust numbers out of their range (trust.hpp; of all problems that
  /// the exponents are fitted to); and status.
  std::vector<std::string> columns() const;
};

/// Reads `problem`, `find` ("risk", "step", "exponents") and tables [[vary]] with `field` and
/// either `values` or `from`, `to`, `count`, `spacing` ("linear", "log"). Throws InputError.
Sweep read_sweep(const Fields& grid);

/// The row of a point, as `columns` names it: deterministic, and safe to call from several threads.
/// A curve that fails or diverges, or an optimum not found, leaves nan and says why in `status`.
/// Where "optimizer.name" is varied, [optimizer] may hold the keys of all of them.
/// Throws InputError where the problem file with these values is refused.
std::vector<Cell> sweep_row(const Sweep& sweep, long point);

}  // namespace riskcurve
