#pragma once
#include <pybind11/pybind11.h>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/report/record.hpp"
#include "riskcurve/run/ensemble.hpp"

namespace riskcurve::python {

// What each file adds to the module `riskcurve._core`, of which the package riskcurve is made.
void add_problems(pybind11::module_& module);
void add_mode_systems(pybind11::module_& module);
void add_predict(pybind11::module_& module);
void add_optima(pybind11::module_& module);
void add_rates(pybind11::module_& module);
void add_runs(pybind11::module_& module);
void add_laws(pybind11::module_& module);

pybind11::dict to_dict(Prediction prediction);
pybind11::dict to_dict(RiskCurve curve);
pybind11::dict to_dict(const Trust& trust);
pybind11::dict to_dict(const Record& record);

}  // namespace riskcurve::python
