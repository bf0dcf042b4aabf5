#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <utility>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

/// The best schedule of a shape, given the best constant step of the horizon.
struct Shape {
  const char* name;
  std::function<ScheduleOptimum(const ModeSystem&, const Optimum& constant, const ScheduleOptions&)>
      best;
};

ScheduleOptimum best_peak(const ModeSystem& system, const Optimum& constant, const Schedule& shape,
                          const ScheduleOptions& options) {
  return best_schedule(system, constant.steps, peak_family(shape),
                       ArrayXd::Constant(1, 1.5 * constant.step), options);
}

std::vector<Shape> all_shapes() {
  const auto of = [](Schedule (*unit)(double horizon)) {
    return
        [unit](const ModeSystem& system, const Optimum& constant, const ScheduleOptions& options) {
          return best_peak(system, constant, unit(constant.steps), options);
        };
  };
  const auto kind = [](const char* name) {
    return
        [name](const ModeSystem& system, const Optimum& constant, const ScheduleOptions& options) {
          return schedule_of_kind(name, system, constant, schedule_mesh(constant.steps), options);
        };
  };
  using Share = PolynomialSchedule::Share;
  return {{"constant",
           [](const ModeSystem&, const Optimum& constant, const ScheduleOptions&) {
             ScheduleOptimum best;
             best.found = constant.found;
             best.message = constant.message;
             best.parameters = ArrayXd::Constant(1, constant.step);
             best.schedule = constant_schedule(constant.step);
             best.risk = constant.risk;
             best.gradient = std::abs(constant.slope);
             best.evaluations = constant.evaluations;
             return best;
           }},
          {"wsd", of([](double T) { return wsd_schedule(1, 0, T); })},
          {"1 - sqrt", of([](double T) { return polynomial_schedule(1, 0.5, T, Share::elapsed); })},
          {"linear", of([](double T) { return linear_schedule(1, 0, T); })},
          {"cosine", of([](double T) { return cosine_schedule(1, 0, T); })},
          {"polynomial", kind("polynomial")},
          {"power_decay", kind("power_decay")},
          {"optimal", kind("optimal")}};
}

}  // namespace

std::vector<std::string> schedule_shapes() {
  std::vector<std::string> names;
  for (const Shape& shape : all_shapes()) names.emplace_back(shape.name);
  return names;
}

ScheduleOptimum best_of_shape(const std::string& name, const ModeSystem& system,
                              const Optimum& constant, const ScheduleOptions& options) {
  for (const Shape& shape : all_shapes())
    if (name == shape.name) return shape.best(system, constant, options);
  throw InputError("shape", name, fmt::format("one of {}", fmt::join(schedule_shapes(), ", ")));
}

std::vector<ShapeOptimum> compare_shapes(const ModeSystem& system, const Optimum& constant,
                                         const ScheduleOptions& options,
                                         const std::vector<std::string>& shapes) {
  OptimumOptions sooner;
  sooner.solve = options.solve;
  sooner.start = constant.step;
  const Optimum half = best_step(system, 0.5 * constant.steps, sooner);
  std::vector<ShapeOptimum> found;
  for (const std::string& shape : shapes) {
    ShapeOptimum at{shape, best_of_shape(shape, system, constant, options), 0, NAN};
    if (at.best.found) {
      at.step = at.best.schedule(0);
      if (half.found) {
        const ScheduleOptimum before = best_of_shape(shape, system, half, options);
        at.best.evaluations += before.evaluations;
        if (before.found) at.horizon_exponent = std::log2(before.risk / at.best.risk);
      }
    }
    found.push_back(std::move(at));
  }
  return found;
}

}  // namespace riskcurve
