#include "analysis/joint_quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr Scale kLog = {[](double x) { return std::exp(x); }, [](double v) { return std::log(v); },
                        [](double v) { return v; }};
constexpr Scale kLogRest = {[](double x) { return -std::expm1(x); },  // x = log(1 - value)
                            [](double v) { return std::log1p(-v); },
                            [](double v) { return v - 1; }};
constexpr Scale kItself = {[](double x) { return x; }, [](double v) { return v; },
                           [](double) { return 1.0; }};

double constant_of(const std::optional<Schedule>& schedule, double otherwise) {
  return schedule && (*schedule)(0) > 0 ? (*schedule)(0) : otherwise;
}
double largest_early(const Experiment& e, double horizon) {
  return std::max(e.schedule(0), e.schedule(0.5 * horizon));
}

/// A number that the optimizer has for its own, by its key (of "betas": beta1, beta2).
class OwnNumber {
 public:
  OwnNumber(Optimizer& optimizer, const std::string& name) : name_(name) {
    std::visit([this](auto& of) { of.keys(of, *this); }, optimizer);
  }
  explicit operator bool() const { return number_ || schedule_; }
  double get() const { return number_ ? *number_ : (*schedule_)(0); }
  void set(double value) const {
    if (number_)
      *number_ = value;
    else
      *schedule_ = constant_schedule(value);
  }
  const Range& range() const { return range_; }
  /// Of all that there are.
  const std::vector<std::string>& names() const { return names_; }

  void operator()(const char* key, double& x, const Range& range) { take(key, &x, range); }
  void operator()(const char* key, Betas& x, const Range& range) {
    if (std::string(key) != "betas") return;
    take("beta1", &x[0], range);
    take("beta2", &x[1], range);
  }
  void operator()(const char* key, Schedule& x, const Range& range) {
    names_.push_back(key);
    if (name_ == key) schedule_ = &x, range_ = range;
  }
  template <class... Rest>
  void operator()(const char*, const Rest&...) {}

 private:
  void take(const char* key, double* x, const Range& range) {
    names_.push_back(key);
    if (name_ == key) number_ = x, range_ = range;
  }
  std::string name_;
  double* number_ = nullptr;
  Schedule* schedule_ = nullptr;
  Range range_;
  std::vector<std::string> names_;
};

/// Logarithms of what is positive, and of what is left to a range's open end at 1.
Quantity own_quantity(const std::string& name, const Range& range) {
  const auto value_of = [name](const Experiment& e) {
    Optimizer optimizer = e.optimizer;
    return OwnNumber(optimizer, name).get();
  };
  const auto set = [name](Experiment& e, double value) { OwnNumber(e.optimizer, name).set(value); };
  if (!std::isfinite(range.high))
    return {name,
            kLog,
            -40,
            40,
            [=](const Experiment& e, double) { return std::max(value_of(e), 1e-12); },
            set,
            {}};
  if (range.open_high && range.high == 1)
    return {name,
            kLogRest,
            -14,
            -1e-3,
            [=](const Experiment& e, double) { return std::clamp(value_of(e), 0.05, 0.9999); },
            set,
            {}};
  return {name,
          kItself,
          range.low,
          range.high,
          [=](const Experiment& e, double) { return value_of(e); },
          set,
          {}};
}

std::vector<Quantity> around_any_optimizer() {
  return {{"step", kLog, -300, 100, largest_early,
           [](Experiment& e, double v) { e.schedule = constant_schedule(v); },
           [](const Sensitivity& s) { return (s.weight * s.gradient).sum(); }},
          {"momentum", kLogRest, -14, -1e-12,
           [](const Experiment& e, double) {
             Optimizer optimizer = e.optimizer;
             if (const OwnNumber own(optimizer, "momentum"); own)
               return own.get() > 0 ? own.get() : 0.5;
             return constant_of(e.chain.momentum, 0.5);
           },
           [](Experiment& e, double v) {
             if (const OwnNumber own(e.optimizer, "momentum"); own)
               own.set(v);
             else
               e.chain.momentum = constant_schedule(v);
           },
           [](const Sensitivity& s) { return s.momentum.sum(); }},
          {"weight_decay", kLog, -100, 100,
           [](const Experiment& e, double horizon) {
             return constant_of(e.chain.weight_decay, 0.1 / (largest_early(e, horizon) * horizon));
           },
           [](Experiment& e, double v) { e.chain.weight_decay = constant_schedule(v); },
           [](const Sensitivity& s) { return s.weight_decay.sum(); }},
          {"decay", kLogRest, -30, -1e-12,
           [](const Experiment& e, double) {
             return std::clamp(std::get<EmaAverage>(*e.chain.average).decay, 1e-3, 1 - 1e-9);
           },
           [](Experiment& e, double v) { e.chain.average = EmaAverage{v}; },
           [](const Sensitivity& s) { return s.average_decay; }}};
}

}  // namespace

Quantity quantity(const std::string& name, const Experiment& e, bool averaged) {
  if (name == "decay" && !(e.chain.average && std::holds_alternative<EmaAverage>(*e.chain.average)))
    throw InputError("over", name, "an exponential average: optimizer.average of kind \"ema\"");
  if (name == "decay" && !averaged)
    throw InputError("over", name, "the averaged risk: the risk itself does not know the average");
  std::vector<std::string> names;
  for (Quantity& q : around_any_optimizer()) {
    if (name == q.name) return std::move(q);
    names.push_back(q.name);
  }
  Optimizer optimizer = e.optimizer;
  const OwnNumber own(optimizer, name);
  if (own) return own_quantity(name, own.range());
  for (const std::string& its : own.names())
    if (its != "momentum") names.push_back(its);
  throw InputError("over", name,
                   fmt::format("for {} one of {}", name_of(e.optimizer), fmt::join(names, ", ")));
}

}  // namespace riskcurve
