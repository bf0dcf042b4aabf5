#include "module.hpp"

#include <pybind11/stl.h>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/version.hpp"
#include "tables.hpp"

namespace py = pybind11;

namespace {

/// The errors of riskcurve are classes of the package's own (riskcurve/_errors.py).
void translate(std::exception_ptr raised) {
  const auto raise = [](const char* name, const auto&... arguments) {
    const py::object type = py::module_::import("riskcurve._errors").attr(name);
    const py::object error = type(arguments...);
    PyErr_SetObject(type.ptr(), error.ptr());
  };
  try {
    std::rethrow_exception(raised);
  } catch (const riskcurve::InputError& error) {
    raise("InputError", error.what(), error.field(), error.value(), error.expected());
  } catch (const riskcurve::Failure& error) {
    raise("Failure", error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  using namespace riskcurve::python;
  module.doc() = "The library riskcurve as the package calls it; use the package.";
  module.attr("version") = RISKCURVE_VERSION;
  py::register_exception_translator(translate);
  module.def("catalogue", &catalogue);
  add_problems(module);
  add_mode_systems(module);
  add_predict(module);
  add_optima(module);
  add_rates(module);
  add_runs(module);
  add_laws(module);
}
