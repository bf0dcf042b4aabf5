#pragma once
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/keys.hpp"

namespace riskcurve {

// Schedules by their parameters, as problem files state them; `step` is a step size or, in a
// threshold, its value. A step of zero freezes: nothing moves.

/// step
struct ConstantSchedule {
  static constexpr const char* kind = "constant";
  double step = kRequired;
  bool operator==(const ConstantSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::positive());
  }
};
/// step[i] for from[i] <= k < from[i+1]; from[0] = 0.
struct PiecewiseSchedule {
  static constexpr const char* kind = "piecewise";
  std::vector<double> from, step;
  bool operator==(const PiecewiseSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("from", self.from, Range::non_negative());
    key("step", self.step, Range::non_negative());
  }
};
/// step (1 + k/delay)^(-exponent)
struct PowerDecaySchedule {
  static constexpr const char* kind = "power_decay";
  double step = kRequired, exponent = kRequired, delay = 1;
  bool operator==(const PowerDecaySchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::positive());
    key("exponent", self.exponent, Range::non_negative());
    key("delay", self.delay, Range::positive());
  }
};
/// final_step + (step - final_step)(1 + cos(pi min(k/horizon, 1)))/2
struct CosineSchedule {
  static constexpr const char* kind = "cosine";
  double step = kRequired, final_step = 0, horizon = kRequired;
  bool operator==(const CosineSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::positive());
    key("final_step", self.final_step, Range::non_negative());
    key("horizon", self.horizon, Range::positive());
  }
};
/// final_step + (step - final_step)(1 - min(k/horizon, 1))
struct LinearSchedule {
  static constexpr const char* kind = "linear";
  double step = kRequired, final_step = 0, horizon = kRequired;
  bool operator==(const LinearSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::non_negative());
    key("final_step", self.final_step, Range::non_negative());
    key("horizon", self.horizon, Range::positive());
  }
};
/// A power of a share of the horizon T; 0 after it:
///   remaining: step (1 - k/T)^exponent
///   elapsed:   step (1 - (k/T)^exponent)
struct PolynomialSchedule {
  static constexpr const char* kind = "polynomial";
  enum class Share { remaining, elapsed };
  static constexpr Choice<Share> shares[] = {{"remaining", Share::remaining},
                                             {"elapsed", Share::elapsed}};
  double step = kRequired, exponent = kRequired, horizon = kRequired;
  Share share = Share::remaining;
  bool operator==(const PolynomialSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::positive());
    key("exponent", self.exponent, Range::positive());
    key("horizon", self.horizon, Range::positive());
    key("share", self.share, shares);
  }
};
/// Warm-up, stable, decay: `step`, then over the last share `decay` of the horizon linear to
/// final_step, and that after it. The warm-up is every schedule's.
struct WsdSchedule {
  static constexpr const char* kind = "wsd";
  double step = kRequired, final_step = 0, horizon = kRequired, decay = 0.2;
  bool operator==(const WsdSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("step", self.step, Range::positive());
    key("final_step", self.final_step, Range::non_negative());
    key("horizon", self.horizon, Range::positive());
    key("decay", self.decay, Range{0, 1, true});
  }
};
/// 1 - delta/(k + delta): a momentum, of no step.
struct DanaSchedule {
  static constexpr const char* kind = "dana";
  double delta = kRequired;
  bool operator==(const DanaSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("delta", self.delta, Range::positive());
  }
};
/// Linear between (at[i], step[i]), constant outside.
struct TabulatedSchedule {
  static constexpr const char* kind = "tabulated";
  std::vector<double> at, step;
  bool operator==(const TabulatedSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("at", self.at, Range::non_negative());
    key("step", self.step, Range::non_negative());
  }
};

/// Any function, smooth between `breaks`. No problem file can state it, and two are equal only
/// where they share it.
struct CustomSchedule {
  static constexpr const char* kind = "custom";
  std::shared_ptr<const std::function<double(double k)>> at;
  std::vector<double> breaks;
  bool operator==(const CustomSchedule&) const = default;
  template <class Self, class Keys>
  static void keys(Self&, Keys&&) {}
};

/// What [schedule] of a problem file can state, a table of optimizer.momentum, and all there is.
using StatedShape =
    std::variant<ConstantSchedule, PiecewiseSchedule, PowerDecaySchedule, CosineSchedule,
                 LinearSchedule, PolynomialSchedule, WsdSchedule, TabulatedSchedule>;
using MomentumShape =
    std::variant<ConstantSchedule, PiecewiseSchedule, PowerDecaySchedule, CosineSchedule,
                 LinearSchedule, PolynomialSchedule, WsdSchedule, TabulatedSchedule, DanaSchedule>;
using ScheduleShape = std::variant<ConstantSchedule, PiecewiseSchedule, PowerDecaySchedule,
                                   CosineSchedule, LinearSchedule, PolynomialSchedule, WsdSchedule,
                                   TabulatedSchedule, DanaSchedule, CustomSchedule>;

/// A function of the step count k (real), smooth between `breaks`: the raw step size gamma(k), a
/// clipping threshold, or what else changes along a run. Made by the functions below:
///     unit min(1, (k+1)/warmup) shape(k).
/// The limit of (C), (S) is written in t = k/d with the scaled step eta = gamma d: unit = 1/d then.
struct Schedule {
  std::string kind = ConstantSchedule::kind;
  std::vector<double> breaks;  ///< steps where it or a derivative jumps, increasing, > 0
  ScheduleShape shape;
  double warmup = 0;  ///< steps of linear warm-up; full after them
  double unit = 1;

  /// The value at step k >= 0; at breaks from the right.
  double operator()(double k) const;
  bool operator==(const Schedule& other) const {
    return shape == other.shape && warmup == other.warmup && unit == other.unit;
  }
};

/// Throws InputError for numbers out of the range of their keys (naming key and index), for lists
/// that differ in length or whose steps do not increase.
Schedule make_schedule(ScheduleShape shape, double warmup = 0, double unit = 1);

Schedule constant_schedule(double value);
Schedule piecewise_schedule(std::vector<double> from, std::vector<double> value);
Schedule power_decay_schedule(double value, double exponent, double delay);
Schedule cosine_schedule(double value, double final_value, double horizon);
Schedule linear_schedule(double value, double final_value, double horizon);
Schedule polynomial_schedule(double value, double exponent, double horizon,
                             PolynomialSchedule::Share share = {});
Schedule wsd_schedule(double value, double final_value, double horizon, double decay = 0.2);
Schedule dana_schedule(double delta);
Schedule tabulated_schedule(std::vector<double> at, std::vector<double> value);
Schedule custom_schedule(std::function<double(double k)> at, std::vector<double> breaks);
/// min(1, (k+1)/steps) times the schedule.
Schedule warm_up(const Schedule& schedule, double steps);
/// The schedule with all values multiplied: raw = scaled / d.
Schedule times(const Schedule& schedule, double factor);

/// Throws InputError about `field`, or `field`.value, .final_value, .value[i] in a table, unless
/// the values that the schedule is stated by are in the range; all others lie between them and 0.
/// Of a function only the value at step 0 is looked at. `expected`: in place of the range's text.
void check_values(const std::string& field, const Schedule& schedule, const Range& range,
                  const std::string& expected = "");

}  // namespace riskcurve
