#include "riskcurve/dynamics/mode_system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

double ModeSystem::settled(double t) const {
  constexpr double late = 1e9;
  return squares && squares->keep < 1 ? std::max(t, late) : t;
}

Now ModeSystem::steady(double t, double gamma, double risk) const {
  t = settled(t);
  Now now{t, gamma, risk, extra_initial};
  if (!blocks) return now;
  const ChainNow chain = blocks->at(t, gamma);
  now.momentum = chain.momentum;
  if (blocks->filtered_total > 0 && blocks->momentum) {
    const double p = blocks->step(chain).read[1];
    now.filtered = response(now).diffusion[0] * p * p * (1 - chain.momentum) / (1 + chain.momentum);
  }
  return now;
}

Response ModeSystem::steady_response(const Now& now) const {
  Response factors = response(now);
  if (!squares) return factors;
  const double kept = squares->keep < 1 ? squares->take / (1 - squares->keep) : 1 + now.time;
  const double floor = squares->floor / (squares->each ? std::sqrt(weight.maxCoeff()) : 1);
  const double gain = 1 / (std::sqrt(kept * squares->power(now)) + floor);
  factors.drift *= gain;
  factors.diffusion.tail(factors.diffusion.size() - (blocks ? blocks->before : 0)) *= gain * gain;
  return factors;
}

Rates ModeSystem::steady_rates(double t, double gamma, double risk) const {
  const Response factors = steady_response(steady(t, gamma, risk));
  if (!blocks) return rates(factors);
  const double gain = blocks->amplification;
  Rates result{gain * (drift.matrix() * factors.drift.matrix()).array(), {}};
  // Noise before the map answers to a as the error does, and the lag weights add to one.
  const Eigen::Index before = blocks->before;
  result.diffusion = gain * gain *
                     (diffusion.rightCols(diffusion.cols() - before).matrix() *
                      factors.diffusion.tail(diffusion.cols() - before).matrix())
                         .array();
  for (Eigen::Index r = 0; r < before; ++r)
    result.diffusion += result.drift.square() * factors.diffusion[r] * diffusion.col(r);
  return result;
}

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
