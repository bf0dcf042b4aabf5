#include "riskcurve/problem/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

void check(const std::string& field, double value, const Range& range) {
  if (std::isfinite(value) && range.contains(value)) return;
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  throw InputError(field, text, range.text());
}

void check_knots(const std::string& field, const std::vector<double>& at,
                 const std::vector<double>& value) {
  if (at.empty() || at.size() != value.size())
    throw InputError(
        field,
        std::to_string(at.size()) + " entries for " + std::to_string(value.size()) + " values",
        "as many entries as values, and at least one");
  for (const double k : at) check(field, k, Range::non_negative());
  if (std::adjacent_find(at.begin(), at.end(), std::greater_equal<>()) != at.end())
    throw InputError(field, "not increasing", "increasing steps");
}

std::vector<double> positive_only(std::vector<double> breaks) {
  std::erase_if(breaks, [](double k) { return k <= 0; });
  return breaks;
}

// Index of the last knot at or before k; the knots start at or before k.
std::size_t knot(const std::vector<double>& from, double k) {
  return static_cast<std::size_t>(std::upper_bound(from.begin(), from.end(), k) - from.begin()) - 1;
}

// How the values of a schedule are named in its table.
struct Names {
  std::string value, final_value;
};

Schedule read_shape(const Fields& fields, const Names& names, double horizon) {
  const auto value = [&] { return fields.number(names.value, Range::positive()); };
  const std::string kind =
      fields.one_of("kind", {"constant", "piecewise", "power_decay", "cosine", "tabulated"});
  if (kind == "constant") return constant_schedule(value());
  if (kind == "power_decay")
    return power_decay_schedule(value(), fields.number("exponent", Range::non_negative()),
                                fields.number_or("delay", 1, Range::positive()));
  if (kind == "cosine")
    return cosine_schedule(
        value(), fields.number_or(names.final_value, 0, Range::non_negative()),
        fields.has("horizon") ? fields.number("horizon", Range::positive()) : horizon);
  if (kind == "piecewise")
    return piecewise_schedule(fields.numbers("from", Range::non_negative()),
                              fields.numbers(names.value, Range::positive()));
  if (fields.has("file")) {
    const Eigen::MatrixXd table = read_matrix(fields.path("file"), fields.name("file"));
    if (table.cols() != 2) fields.fail("file", "two columns: steps and values");
    return tabulated_schedule({table.col(0).begin(), table.col(0).end()},
                              {table.col(1).begin(), table.col(1).end()});
  }
  return tabulated_schedule(fields.numbers("at", Range::non_negative()),
                            fields.numbers(names.value, Range::non_negative()));
}

Schedule read_named(const Fields& fields, const Names& names, double horizon) {
  Schedule schedule = read_shape(fields, names, horizon);
  if (!fields.has("warmup")) return schedule;
  return warm_up(std::move(schedule), fields.number("warmup", Range::positive()));
}

}  // namespace

Schedule constant_schedule(double value) {
  check("step", value, Range::positive());
  return {"constant", [value](double) { return value; }, {}};
}

Schedule piecewise_schedule(std::vector<double> from, std::vector<double> value) {
  check_knots("from", from, value);
  if (from.front() != 0) check("from", from.front(), Range::within(0, 0));
  for (const double v : value) check("step", v, Range::positive());
  std::vector<double> breaks = positive_only(from);
  return {"piecewise",
          [from = std::move(from), value = std::move(value)](double k) {
            return k <= 0 ? value.front() : value[knot(from, k)];
          },
          std::move(breaks)};
}

Schedule power_decay_schedule(double value, double exponent, double delay) {
  check("step", value, Range::positive());
  check("exponent", exponent, Range::non_negative());
  check("delay", delay, Range::positive());
  return {"power_decay",
          [=](double k) { return value * std::exp(-exponent * std::log1p(k / delay)); },
          {}};
}

Schedule cosine_schedule(double value, double final_value, double horizon) {
  check("step", value, Range::positive());
  check("final_step", final_value, Range::non_negative());
  check("horizon", horizon, Range::positive());
  return {"cosine",
          [=](double k) {
            // (1 + cos x)/2 = cos^2(x/2), without the cancellation near the end.
            const double c = k < horizon ? std::cos(0.5 * std::numbers::pi * k / horizon) : 0;
            return final_value + (value - final_value) * c * c;
          },
          {horizon}};
}

Schedule tabulated_schedule(std::vector<double> at, std::vector<double> value) {
  check_knots("at", at, value);
  for (std::size_t i = 0; i < value.size(); ++i) {
    // A zero may only open or close the table, where it lasts for an instant of the training.
    const bool opens = i == 0 && at[i] == 0 && value.size() > 1 && value[1] > 0;
    const bool closes = i > 0 && i + 1 == value.size() && value[i - 1] > 0;
    check("step", value[i], opens || closes ? Range::non_negative() : Range::positive());
  }
  std::vector<double> breaks = positive_only(at);
  return {"tabulated",
          [at = std::move(at), value = std::move(value)](double k) {
            if (k <= at.front()) return value.front();
            if (k >= at.back()) return value.back();
            const std::size_t i = knot(at, k);
            const double share = (k - at[i]) / (at[i + 1] - at[i]);
            return value[i] + share * (value[i + 1] - value[i]);
          },
          std::move(breaks)};
}

Schedule warm_up(Schedule schedule, double steps) {
  check("warmup", steps, Range::positive());
  if (steps <= 1) return schedule;  // full from step 0 on
  schedule.at = [inner = std::move(schedule.at), steps](double k) {
    return std::min(1.0, (k + 1) / steps) * inner(k);
  };
  auto& breaks = schedule.breaks;
  const auto place = std::lower_bound(breaks.begin(), breaks.end(), steps - 1);
  if (place == breaks.end() || *place != steps - 1) breaks.insert(place, steps - 1);
  return schedule;
}

Schedule times(Schedule schedule, double factor) {
  check("factor", factor, Range::positive());
  schedule.at = [inner = std::move(schedule.at), factor](double k) { return factor * inner(k); };
  return schedule;
}

Schedule read_schedule(const Fields& fields, double dimension, double horizon) {
  const bool raw = fields.has("step") || fields.has("file"), scaled = fields.has("scaled_step");
  if (raw && scaled) fields.fail("scaled_step", "either step or scaled_step, not both");
  if (!raw && !scaled) throw InputError(fields.name("step"), "missing", "step or scaled_step");
  if (raw) return read_named(fields, {"step", "final_step"}, horizon);
  return times(read_named(fields, {"scaled_step", "final_scaled_step"}, horizon), 1 / dimension);
}

Schedule read_threshold(const Fields& optimizer, const std::string& key, double horizon) {
  if (optimizer.is_table(key))
    return read_named(optimizer.table(key), {"value", "final_value"}, horizon);
  return constant_schedule(optimizer.number(key, Range::positive()));
}

}  // namespace riskcurve
