#pragma once
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/fields.hpp"

namespace riskcurve {

/// An entry of a result.
using Cell = std::variant<double, std::string>;

/// A field of the problem file that is a number ("optimizer.batch") and the values it takes in
/// turn.
struct SweepAxis {
  std::string field;
  std::vector<double> values;
};

/// A grid of problem files: every combination of the axes' values, the last axis running fastest.
struct Sweep {
  enum class Find { risk, step };
  Find find = Find::risk;  ///< R at run.steps under the file's schedule, or the best constant step
  std::string problem;     ///< path of the problem file
  std::vector<SweepAxis> axes;

  long points() const;
  std::vector<double> values(long point) const;  ///< one for each axis
  /// The fields of the axes; then risk and status (risk), or step, risk, slope, evaluations and
  /// status (step).
  std::vector<std::string> columns() const;
};

/// Reads `problem`, `find` ("risk", "step") and tables [[vary]] with `field` and either `values` or
/// `from`, `to`, `count`, `spacing` ("linear", "log"). Throws InputError.
Sweep read_sweep(const Fields& grid);

/// The row of a point, as `columns` names it: deterministic, and safe to call from several threads.
/// A curve that fails or diverges, or an optimum not found, leaves nan and says why in `status`.
/// Throws InputError where the problem file with these values is refused.
std::vector<Cell> sweep_row(const Sweep& sweep, long point);

}  // namespace riskcurve
