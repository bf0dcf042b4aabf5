#include "riskcurve/dynamics/mode_system.hpp"

#include <fmt/format.h>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

void validate(const ModeSystem& system) {
  const Eigen::Index n = system.modes();
  if (n == 0) throw InputError("mode system", "no modes", "at least one mode");
  const auto check = [n](const char* field, const Eigen::ArrayXXd& values, bool non_negative) {
    if (values.rows() != n || values.cols() == 0)
      throw InputError(fmt::format("mode system: {}", field),
                       fmt::format("{} x {}", values.rows(), values.cols()),
                       fmt::format("one row for each of the {} modes", n));
    for (Eigen::Index j = 0; j < values.cols(); ++j)
      for (Eigen::Index i = 0; i < n; ++i)
        if (!std::isfinite(values(i, j)) || (non_negative && values(i, j) < 0))
          throw InputError(fmt::format("mode system: {}[{}]", field, i), values(i, j),
                           non_negative ? "a finite number >= 0" : "a finite number");
  };
  // A sum of several products may have terms of either sign; only the sum is a rate.
  check("weight", system.weight, true);
  check("drift", system.drift, system.drift.cols() == 1);
  check("diffusion", system.diffusion, system.diffusion.cols() == 1);
  check("initial", system.initial, true);
  if (!system.response) throw InputError("mode system: response", "empty", "a function");
  if (system.extra_initial.size() > 0 && !system.extra_rate)
    throw InputError("mode system: extra_rate", "empty", "a function, for the extra states");
}

}  // namespace riskcurve
