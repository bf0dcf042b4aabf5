#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/problem/fields.hpp"

namespace riskcurve {

/// A positive function of the step count k (real), smooth between `breaks`: the raw step size
/// gamma(k), or a clipping threshold. The limit of (C), (S) is written in t = k/d with the scaled
/// step eta = gamma d; `scaled` converts.
struct Schedule {
  std::string kind;
  std::function<double(double)> at;  ///< value at step k >= 0; between breaks from the right
  std::vector<double> breaks;        ///< steps where `at` or a derivative jumps, increasing, > 0

  double operator()(double k) const { return at(k); }
};

Schedule constant_schedule(double value);
/// value[i] for from[i] <= k < from[i+1]; from[0] = 0.
Schedule piecewise_schedule(std::vector<double> from, std::vector<double> value);
/// value (1 + k/delay)^(-exponent)
Schedule power_decay_schedule(double value, double exponent, double delay);
/// final + (value - final)(1 + cos(pi min(k/horizon, 1)))/2
Schedule cosine_schedule(double value, double final_value, double horizon);
/// Linear between (at[i], value[i]), constant outside.
Schedule tabulated_schedule(std::vector<double> at, std::vector<double> value);
/// min(1, (k+1)/steps) times the schedule: linear warm-up, full after `steps` steps.
Schedule warm_up(Schedule schedule, double steps);
/// The schedule with all values multiplied: raw = scaled / d.
Schedule times(Schedule schedule, double factor);

/// Reads a schedule whose values are named `step` (raw) or `scaled_step` (divided by `dimension`).
/// `horizon` is the default of `cosine`. Throws InputError.
Schedule read_schedule(const Fields& fields, double dimension, double horizon);
/// Reads a threshold: a number, or a table like [schedule] whose values are named `value`.
Schedule read_threshold(const Fields& optimizer, const std::string& key, double horizon);

}  // namespace riskcurve
