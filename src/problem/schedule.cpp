#include "riskcurve/problem/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

namespace riskcurve {
namespace {

using List = std::vector<double>;

/// Index of the last knot at or before k; the knots start at or before k.
std::size_t knot(const List& from, double k) {
  return static_cast<std::size_t>(std::upper_bound(from.begin(), from.end(), k) - from.begin()) - 1;
}

double value_at(const ConstantSchedule& s, double) {
  return s.step;
}
double value_at(const PiecewiseSchedule& s, double k) {
  return k <= 0 ? s.step.front() : s.step[knot(s.from, k)];
}
double value_at(const PowerDecaySchedule& s, double k) {
  return s.step * std::exp(-s.exponent * std::log1p(k / s.delay));
}
double value_at(const CosineSchedule& s, double k) {
  // (1 + cos x)/2 = cos^2(x/2), without the cancellation near the end.
  const double c = k < s.horizon ? std::cos(0.5 * std::numbers::pi * k / s.horizon) : 0;
  return s.final_step + (s.step - s.final_step) * c * c;
}
double value_at(const LinearSchedule& s, double k) {
  return s.final_step + (s.step - s.final_step) * (k < s.horizon ? 1 - k / s.horizon : 0);
}
double value_at(const PolynomialSchedule& s, double k) {
  if (k >= s.horizon) return 0;
  const double share = k / s.horizon;
  return s.step * (s.share == PolynomialSchedule::Share::remaining
                       ? std::pow(1 - share, s.exponent)
                       : -std::expm1(s.exponent * std::log(share)));
}
double decay_start(const WsdSchedule& s) {
  return s.horizon - s.decay * s.horizon;
}
double value_at(const WsdSchedule& s, double k) {
  const double start = decay_start(s);
  if (k >= s.horizon) return s.final_step;
  if (k <= start) return s.step;
  return s.step + (s.final_step - s.step) * ((k - start) / (s.horizon - start));
}
double value_at(const DanaSchedule& s, double k) {
  return k / (k + s.delta);
}
double value_at(const TabulatedSchedule& s, double k) {
  if (k <= s.at.front()) return s.step.front();
  if (k >= s.at.back()) return s.step.back();
  const std::size_t i = knot(s.at, k);
  const double share = (k - s.at[i]) / (s.at[i + 1] - s.at[i]);
  return s.step[i] + share * (s.step[i + 1] - s.step[i]);
}

double value_at(const CustomSchedule& s, double k) {
  return (*s.at)(k);
}

template <class Shape>
List breaks_of(const Shape&) {
  return {};
}
List breaks_of(const PiecewiseSchedule& s) {
  return s.from;
}
List breaks_of(const CosineSchedule& s) {
  return {s.horizon};
}
List breaks_of(const LinearSchedule& s) {
  return {s.horizon};
}
List breaks_of(const PolynomialSchedule& s) {
  return {s.horizon};
}
List breaks_of(const WsdSchedule& s) {
  return {decay_start(s), s.horizon};
}
List breaks_of(const TabulatedSchedule& s) {
  return s.at;
}

List breaks_of(const CustomSchedule& s) {
  return s.breaks;
}

void check_knots(const char* key, const List& at, const List& step) {
  if (at.empty()) throw InputError(key, "[]", "at least one step");
  if (at.size() != step.size())
    throw InputError(
        key, std::to_string(at.size()) + " entries for " + std::to_string(step.size()) + " values",
        "as many entries as values");
  const auto fall = std::adjacent_find(at.begin(), at.end(), std::greater_equal<>());
  if (fall != at.end())
    throw InputError(std::string(key) + "[" + std::to_string(fall - at.begin() + 1) + "]",
                     *(fall + 1), "increasing steps");
}

template <class Shape>
void check_lists(const Shape&) {}
void check_lists(const PiecewiseSchedule& s) {
  check_knots("from", s.from, s.step);
  if (s.from.front() != 0) throw InputError("from[0]", s.from.front(), "0");
}
void check_lists(const TabulatedSchedule& s) {
  check_knots("at", s.at, s.step);
}

/// Keys whose values are the schedule's own.
struct CheckValues {
  const std::string& field;
  const Range& range;
  const std::string& expected;
  double unit;

  void operator()(const std::string& key, double x, const Range&) const {
    if (key == "step") check(field + ".value", x);
    if (key == "final_step") check(field + ".final_value", x);
  }
  void operator()(const std::string& key, const List& x, const Range&) const {
    if (key != "step") return;
    for (std::size_t i = 0; i < x.size(); ++i)
      check(field + ".value[" + std::to_string(i) + "]", x[i]);
  }
  template <class... Rest>
  void operator()(const std::string&, const Rest&...) const {}

  void check(const std::string& name, double x) const {
    if (!range.contains(unit * x))
      throw InputError(name, unit * x, expected.empty() ? range.expected() : expected);
  }
};

}  // namespace

double Schedule::operator()(double k) const {
  const double value = std::visit([k](const auto& s) { return value_at(s, k); }, shape);
  return unit * (warmup > 1 ? std::min(1.0, (k + 1) / warmup) * value : value);
}

Schedule make_schedule(ScheduleShape shape, double warmup, double unit) {
  if (warmup != 0) check_range("warmup", warmup, Range::positive());
  check_range("factor", unit, Range::positive());
  Schedule schedule;
  std::visit(
      [&](const auto& s) {
        check_keys(s);
        check_lists(s);
        schedule.kind = s.kind;
        schedule.breaks = breaks_of(s);
      },
      shape);
  List& breaks = schedule.breaks;
  if (warmup > 1)
    breaks.insert(std::lower_bound(breaks.begin(), breaks.end(), warmup - 1), warmup - 1);
  breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
  std::erase_if(breaks, [](double k) { return k <= 0; });
  schedule.shape = std::move(shape);
  schedule.warmup = warmup;
  schedule.unit = unit;
  return schedule;
}

Schedule constant_schedule(double value) {
  return make_schedule(ConstantSchedule{value});
}
Schedule piecewise_schedule(List from, List value) {
  return make_schedule(PiecewiseSchedule{std::move(from), std::move(value)});
}
Schedule power_decay_schedule(double value, double exponent, double delay) {
  return make_schedule(PowerDecaySchedule{value, exponent, delay});
}
Schedule cosine_schedule(double value, double final_value, double horizon) {
  return make_schedule(CosineSchedule{value, final_value, horizon});
}
Schedule linear_schedule(double value, double final_value, double horizon) {
  return make_schedule(LinearSchedule{value, final_value, horizon});
}
Schedule polynomial_schedule(double value, double exponent, double horizon,
                             PolynomialSchedule::Share share) {
  return make_schedule(PolynomialSchedule{value, exponent, horizon, share});
}
Schedule wsd_schedule(double value, double final_value, double horizon, double decay) {
  return make_schedule(WsdSchedule{value, final_value, horizon, decay});
}
Schedule dana_schedule(double delta) {
  return make_schedule(DanaSchedule{delta});
}
Schedule tabulated_schedule(List at, List value) {
  return make_schedule(TabulatedSchedule{std::move(at), std::move(value)});
}
Schedule custom_schedule(std::function<double(double)> at, List breaks) {
  return make_schedule(CustomSchedule{
      std::make_shared<const std::function<double(double)>>(std::move(at)), std::move(breaks)});
}
Schedule warm_up(const Schedule& schedule, double steps) {
  check_range("warmup", steps, Range::positive());
  return make_schedule(schedule.shape, steps, schedule.unit);
}
Schedule times(const Schedule& schedule, double factor) {
  check_range("factor", factor, Range::positive());
  return make_schedule(schedule.shape, schedule.warmup, schedule.unit * factor);
}

void check_values(const std::string& field, const Schedule& schedule, const Range& range,
                  const std::string& expected) {
  const CheckValues values{field, range, expected, schedule.unit};
  std::visit(
      [&](const auto& of) {
        using Of = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Of, ConstantSchedule>) {
          values.check(field, of.step);
        } else if constexpr (std::is_same_v<Of, CustomSchedule>) {
          values.check(field, value_at(of, 0));
        } else {
          Of::keys(of, values);
        }
      },
      schedule.shape);
}

}  // namespace riskcurve
