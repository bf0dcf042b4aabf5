#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <memory>

#include "module.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "tables.hpp"
#include "work.hpp"

namespace riskcurve::python {
namespace {

using Eigen::Index;

/// Factors of the rates as Python computes them from (t, gamma, R): two numbers, or two arrays.
struct PythonResponse {
  std::shared_ptr<py::object> callable;
  Response operator()(const Now& now) const {
    const py::gil_scoped_acquire lock;
    const py::object answer = (*callable)(now.time, now.gamma, now.risk);
    if (!py::isinstance<py::sequence>(answer) || py::len(answer) != 2)
      throw InputError("response", text_of(answer), "a pair (drift factors, diffusion factors)");
    const py::sequence pair(answer);
    return {array_from(pair[0], "response[0]"), array_from(pair[1], "response[1]")};
  }
};

ModeSystem by_hand(const py::object& weight, const py::object& drift, const py::object& diffusion,
                   const py::object& initial, const py::object& response,
                   const py::object& multiplicity, double noise_variance, const std::string& name) {
  ModeSystem system;
  system.weight = array_from(weight, "weight");
  system.drift = matrix_from(drift, "drift").array();
  system.diffusion = matrix_from(diffusion, "diffusion").array();
  system.initial = array_from(initial, "initial");
  if (!multiplicity.is_none()) system.multiplicity = array_from(multiplicity, "multiplicity");
  if (!PyCallable_Check(response.ptr()))
    throw InputError("response", text_of(response), "a function of (t, gamma, risk)");
  system.response = PythonResponse{{new py::object(response), [](py::object* held) {
                                      if (!Py_IsInitialized()) return;
                                      const py::gil_scoped_acquire lock;
                                      delete held;
                                    }}};
  system.noise_variance = noise_variance;
  system.optimizer = name;
  validate(system);
  return system;
}

Now instant(const ModeSystem& system, double t, double gamma, double risk) {
  Now now = system.start();
  now.time = t, now.gamma = gamma, now.risk = risk;
  return now;
}

py::dict sensitivity_dict(Sensitivity s) {
  py::dict result;
  result["risk"] = s.risk;
  result["rate"] = s.rate;
  result["time"] = numpy(std::move(s.time));
  result["step"] = numpy(std::move(s.step));
  result["weight"] = numpy(std::move(s.weight));
  result["risk_at"] = numpy(std::move(s.risk_at));
  result["gradient"] = numpy(std::move(s.gradient));
  result["curvature"] = numpy(std::move(s.curvature));
  result["greedy"] = numpy(std::move(s.greedy));
  result["initial"] = numpy(std::move(s.initial));
  result["momentum"] = numpy(std::move(s.momentum));
  result["weight_decay"] = numpy(std::move(s.weight_decay));
  result["status"] = name(s.curve.status);
  result["message"] = s.curve.message;
  return result;
}

}  // namespace

SolveOptions solve_options(const std::string& method, double rtol) {
  SolveOptions options;
  for (const auto& [text, value] : {std::pair("exponential", Method::exponential),
                                    {"dopri5", Method::dopri5},
                                    {"rosenbrock4", Method::rosenbrock4},
                                    {"recursion", Method::recursion}})
    if (method == text) {
      options.method = value;
      check_rtol(rtol, "rtol");
      options.rtol = rtol;
      return options;
    }
  throw InputError("method", "\"" + method + "\"",
                   "one of \"exponential\", \"dopri5\", \"rosenbrock4\", \"recursion\"");
}

void add_mode_systems(py::module_& module) {
  py::class_<ModeSystem>(module, "ModeSystem")
      .def(py::init(&by_hand), py::arg("weight"), py::arg("drift"), py::arg("diffusion"),
           py::arg("initial"), py::arg("response"), py::arg("multiplicity") = py::none(),
           py::arg("noise_variance") = 0.0, py::arg("name") = "")
      .def_property_readonly("weight",
                             [](const py::object& self) {
                               return view(py::cast<const ModeSystem&>(self).weight, self);
                             })
      .def_property_readonly("drift",
                             [](const py::object& self) {
                               return view(py::cast<const ModeSystem&>(self).drift, self);
                             })
      .def_property_readonly("diffusion",
                             [](const py::object& self) {
                               return view(py::cast<const ModeSystem&>(self).diffusion, self);
                             })
      .def_property_readonly("initial",
                             [](const py::object& self) {
                               return view(py::cast<const ModeSystem&>(self).initial, self);
                             })
      .def_property_readonly("multiplicity",
                             [](const py::object& self) {
                               return view(py::cast<const ModeSystem&>(self).multiplicity, self);
                             })
      .def_property_readonly("modes", &ModeSystem::modes)
      .def_readonly("noise_variance", &ModeSystem::noise_variance)
      .def_readonly("warnings", &ModeSystem::warnings)
      .def_readonly("optimizer", &ModeSystem::optimizer)
      .def_property_readonly("initial_risk", [](const ModeSystem& s) { return s.risk(s.initial); })
      .def(
          "rates",
          [](const ModeSystem& system, double risk, double t, double gamma) {
            Rates rates;
            {
              const py::gil_scoped_release unlock;
              rates = system.rates(instant(system, t, gamma, risk));
            }
            return py::make_tuple(numpy(std::move(rates.drift)), numpy(std::move(rates.diffusion)));
          },
          py::arg("risk"), py::arg("t") = 0.0, py::arg("gamma") = 0.0)
      .def(
          "largest_stable_step", [](const ModeSystem& s) { return largest_stable_step(s); },
          py::call_guard<py::gil_scoped_release>())
      .def(
          "participation", [](const ModeSystem& s) { return participation(s); },
          py::call_guard<py::gil_scoped_release>())
      .def(
          "step_rate",
          [](const ModeSystem& s, double step, double t, double risk) {
            return step_rate(s, step, t, risk);
          },
          py::arg("step"), py::arg("t"), py::arg("risk"), py::call_guard<py::gil_scoped_release>())
      .def(
          "compress", [](const ModeSystem& s, int nodes) { return compress(s, nodes); },
          py::arg("nodes") = 8, py::call_guard<py::gil_scoped_release>());
  module.def(
      "mode_system",
      [](const Experiment& experiment, bool whole, const py::object& progress) {
        return interruptible(progress, [&](const Hook&) {
          return mode_system(experiment, whole ? Grids::whole : Grids::compressed);
        });
      },
      py::arg("experiment"), py::arg("whole"), py::arg("progress"));
  module.def("solve", [](const ModeSystem& system, const py::object& schedule, const py::object& at,
                         const std::string& method, double rtol, double until_risk, bool modes,
                         const py::object& progress) {
    const Eigen::ArrayXd times = array_from(at, "at");
    const Around around{times.size() ? times[times.size() - 1] : kRequired, kRequired};
    const Schedule step = read_schedule(schedule, "schedule", around);
    SolveOptions options = solve_options(method, rtol);
    options.until_risk = until_risk;
    options.keep_modes = modes;
    return to_dict(interruptible(progress, [&](const Hook& hook) {
      options.progress = hook;
      return solve(system, step, times, options);
    }));
  });
  module.def("sensitivity", [](const ModeSystem& system, const py::object& schedule, double horizon,
                               double rtol, const py::object& progress) {
    const Schedule step = read_schedule(schedule, "schedule", {horizon, kRequired});
    SolveOptions options = solve_options("exponential", rtol);
    return sensitivity_dict(interruptible(progress, [&](const Hook& hook) {
      options.progress = hook;
      return sensitivity(system, step, horizon, options);
    }));
  });
}

}  // namespace riskcurve::python
