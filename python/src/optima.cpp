#include <pybind11/stl.h>

#include <cmath>

#include "module.hpp"
#include "riskcurve/analysis/budget.hpp"
#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/report/results.hpp"
#include "tables.hpp"
#include "work.hpp"

namespace riskcurve::python {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

struct Search {
  double horizon, reach, rtol;  ///< nan: not asked for
  std::string schedule;
  int points;
  bool best_threshold, averaged;
};

/// What a search has found, before Python sees it.
struct Found {
  Optimum best;
  double largest_stable_step = 0, stationary_risk = 0;
  Neighbours around;
  std::optional<ScheduleOptimum> schedule;
  ArrayXd mesh;
  RiskCurve curve;
  Trust trust;
  std::optional<ClippingCurve> clipping;
  Schedule step;
};

SolveOptions solve_options(const Search& asked, const Hook& hook) {
  SolveOptions options;
  options.rtol = asked.rtol;
  options.averaged = asked.averaged;
  options.progress = [&hook](double) { return hook(0); };
  return options;
}

Found search(const ModeSystem& full, const std::optional<Experiment>& experiment,
             const Search& asked, const Hook& hook) {
  const ModeSystem system = compress(full);
  OptimumOptions options;
  options.solve = solve_options(asked, hook);
  Found found;
  found.best = std::isnan(asked.reach) ? best_step(system, asked.horizon, options)
                                       : fastest_step(system, asked.reach, 1e12, options);
  if (!found.best.found) throw Failure(found.best.message);
  found.largest_stable_step = largest_stable_step(system);
  found.stationary_risk = stationary_risk(system, found.best.step);
  found.mesh = schedule_mesh(found.best.steps, asked.points);
  found.step = constant_schedule(found.best.step);
  if (asked.schedule == "constant") {
    found.around = neighbours(system, found.best, options.solve);
  } else {
    ScheduleOptions schedule_options;
    schedule_options.solve = options.solve;
    found.schedule =
        schedule_of_kind(asked.schedule, system, found.best, found.mesh, schedule_options);
    if (!found.schedule->found) throw Failure(found.schedule->message);
    found.step = found.schedule->schedule;
  }
  found.curve = solve(system, found.step, found.mesh, options.solve);
  if (found.curve.status != RiskCurve::Status::ok) throw Failure(found.curve.message);
  if (experiment) {
    Experiment now = *experiment;
    now.schedule = found.step;
    found.trust = trust(now, full, found.curve);
    found.clipping = optimal_clipping(now, found.curve.risk);
  }
  return found;
}

py::dict found_dict(Found found, double dimension, bool with_trust) {
  py::dict result;
  result["step"] = found.best.step;
  result["risk"] = found.best.risk;
  result["steps"] = found.best.steps;
  result["slope"] = found.best.slope;
  result["evaluations"] = found.best.evaluations;
  result["largest_stable_step"] = found.largest_stable_step;
  result["stationary_risk"] = found.stationary_risk;
  if (found.around.factor.size() > 0) {
    const ArrayXd above = 100 * (found.around.risk / found.best.risk - 1);
    result["neighbours"] = py::dict(
        py::arg("step") = numpy(ArrayXd(found.around.factor * found.best.step)),
        py::arg("factor") = numpy(found.around.factor), py::arg("risk") = numpy(found.around.risk),
        py::arg("above_percent") = numpy(ArrayXd((above.abs() < 1e-6).select(0, above))));
  }
  result["schedule"] = to_dict(found.step, dimension);
  std::vector<std::string> lines = found.curve.warnings;
  if (!found.around.failure.empty()) lines.push_back(found.around.failure);
  if (found.schedule) {
    result["constant"] =
        py::dict(py::arg("step") = found.best.step, py::arg("risk") = found.best.risk);
    result["risk"] = found.schedule->risk;
    result["gradient"] = found.schedule->gradient;
    result["evaluations"] = found.schedule->evaluations;
  }
  if (with_trust) {
    result["trust"] = to_dict(found.trust);
    for (const std::string& line : warnings(found.trust)) lines.push_back(line);
  }
  result["warnings"] = lines;
  if (found.clipping)
    result["clipping"] = py::dict(py::arg("steps") = numpy(found.curve.steps),
                                  py::arg("risk") = numpy(found.curve.risk),
                                  py::arg("threshold") = numpy(found.clipping->threshold),
                                  py::arg("comparison") = numpy(found.clipping->comparison),
                                  py::arg("stability") = numpy(found.clipping->stability));
  result["curve"] = to_dict(std::move(found.curve));
  return result;
}

/// The experiment's system, or the one that clips at the best threshold of the moment.
ModeSystem system_of(const Experiment& experiment, const Search& asked) {
  if (asked.best_threshold) return optimally_clipped_sgd(experiment);
  return mode_system(searched_for(asked.schedule, experiment));
}

JointOptions joint_options(const std::vector<std::string>& over, bool averaged, double rtol) {
  JointOptions options;
  options.over = over;
  options.averaged = averaged;
  options.solve.rtol = rtol;
  return options;
}

py::dict joint_dict(const JointOptimum& best, bool averaged) {
  if (!best.found) throw Failure(best.message);
  py::dict result;
  result["over"] = best.value;
  result[averaged ? "averaged_risk" : "risk"] = best.risk;
  result["gradient"] = best.gradient;
  result["evaluations"] = best.evaluations;
  result["message"] = best.message;
  result["experiment"] = best.experiment;
  return result;
}

py::dict budget_dict(const BudgetOptimum& found, const JointOptions& options) {
  if (!found.found) throw Failure(found.message);
  py::dict result = joint_dict(found.best.best, options.averaged);
  result["batch"] = found.best.batch;
  result["steps"] = found.best.steps;
  result["evaluations"] = found.evaluations;
  result["batches"] = to_dict(to_record(found.scan, options));
  return result;
}

py::dict ramp_dict(const BatchRamp& found) {
  if (!found.found) throw Failure(found.message);
  py::dict result;
  result["step"] = found.step;
  result["at"] = numpy(found.at);
  result["batch"] = numpy(found.batch);
  result["risk"] = found.risk;
  result["constant_risk"] = found.constant_risk;
  result["evaluations"] = found.evaluations;
  return result;
}

py::dict critical_dict(const CriticalBatch& found) {
  py::dict result;
  result["risk"] = found.risk;
  result["critical_batch"] = found.found ? found.batch : NAN;
  result["message"] = found.message;
  result["batch"] = numpy(found.at);
  result["step"] = numpy(found.step);
  result["steps"] = numpy(found.steps);
  result["samples"] = numpy(found.samples);
  result["saving"] = numpy(found.saving);
  result["evaluations"] = found.evaluations;
  return result;
}

}  // namespace

void add_optima(py::module_& module) {
  py::class_<Search>(module, "Search")
      .def(py::init([](double horizon, double reach, const std::string& schedule, int points,
                       bool best_threshold, bool averaged, double rtol) {
        check_rtol(rtol, "rtol");
        check_range("points", points, Range::wholes(5, 1001));
        if (std::isnan(reach)) check_range("steps", horizon, Range::positive());
        if (!std::isnan(reach)) check_range("reach", reach, Range::positive());
        return Search{horizon, reach, rtol, schedule, points, best_threshold, averaged};
      }));
  module.def("optimum",
             [](const Experiment& experiment, const Search& asked, const py::object& progress) {
               return found_dict(interruptible(progress,
                                               [&](const Hook& hook) {
                                                 return search(system_of(experiment, asked),
                                                               experiment, asked, hook);
                                               }),
                                 experiment.dimension(), true);
             });
  module.def("optimum_of_system", [](const ModeSystem& system, const Search& asked,
                                     const py::object& progress) {
    return found_dict(
        interruptible(progress, [&](const Hook& hook) { return search(system, {}, asked, hook); }),
        kRequired, false);
  });
  module.def("compare_shapes",
             [](const Experiment& experiment, const Search& asked, const py::object& progress) {
               return to_dict(to_record(interruptible(progress, [&](const Hook& hook) {
                 const ModeSystem system = compress(system_of(experiment, asked));
                 OptimumOptions constant;
                 constant.solve = solve_options(asked, hook);
                 ScheduleOptions options;
                 options.solve = constant.solve;
                 const Optimum best = best_step(system, asked.horizon, constant);
                 if (!best.found) throw Failure(best.message);
                 return compare_shapes(system, best, options);
               })));
             });
  module.def("best_together", [](const Experiment& experiment, double horizon,
                                 const std::vector<std::string>& over, bool averaged, double rtol,
                                 const py::object& progress) {
    JointOptions options = joint_options(over, averaged, rtol);
    return joint_dict(interruptible(progress,
                                    [&](const Hook& hook) {
                                      options.solve.progress = [&](double) { return hook(0); };
                                      return best_together(experiment, horizon, options);
                                    }),
                      averaged);
  });
  module.def("best_batch", [](const Experiment& experiment, double samples,
                              const std::vector<std::string>& over, bool averaged, double rtol,
                              const py::object& progress) {
    JointOptions options = joint_options(over, averaged, rtol);
    return budget_dict(interruptible(progress,
                                     [&](const Hook& hook) {
                                       options.solve.progress = [&](double) { return hook(0); };
                                       return best_batch(experiment, samples, options);
                                     }),
                       options);
  });
  module.def("best_batch_ramp", [](const Experiment& experiment, double samples, double steps,
                                   int points, double rtol, const py::object& progress) {
    ScheduleOptions options;
    options.solve.rtol = rtol;
    return ramp_dict(interruptible(progress, [&](const Hook& hook) {
      options.solve.progress = [&](double) { return hook(0); };
      return best_batch_ramp(experiment, samples, steps, points, options);
    }));
  });
  module.def("critical_batch", [](const Experiment& experiment, double risk, double rtol,
                                  const py::object& progress) {
    OptimumOptions options;
    options.solve.rtol = rtol;
    return critical_dict(interruptible(progress, [&](const Hook& hook) {
      options.solve.progress = [&](double) { return hook(0); };
      return critical_batch(experiment, risk, options);
    }));
  });
  module.def(
      "stationary_risk",
      [](const ModeSystem& s, double step, double t) { return stationary_risk(s, step, t); },
      py::call_guard<py::gil_scoped_release>());
  module.def(
      "guessed_step", [](const ModeSystem& s, double horizon) { return guessed_step(s, horizon); },
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace riskcurve::python
