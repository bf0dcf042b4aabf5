#pragma once
#include <pybind11/pybind11.h>

#include <string>
#include <utility>
#include <variant>

#include "arrays.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve::python {

// Tables of a problem file as dicts of Python, by the keys that their structs list (keys.hpp): what
// is new in a registry of the library is there in Python as well.

/// Where schedules among the keys end that do not say it themselves, and what a scaled step is
/// divided by; nan: not known yet, any will do.
struct Around {
  double horizon = kRequired, dimension = kRequired;
};

/// Reads `table`, {"kind": .., key: value, ..}. Throws InputError about `prefix` + key.
template <class Variant>
Variant read_kind(const py::dict& table, const std::string& prefix, const Around& around = {});

/// {"kind": "cosine", "step": .., "warmup": ..}, a number (constant) or a function of the step.
Schedule read_schedule(const py::handle& value, const std::string& prefix, const Around& around);

struct Update {
  Optimizer optimizer;
  Chain chain;
};
/// {"name": "adam", "batch": .., "betas": .., "weight_decay": ..}
Update read_update(const py::dict& table, const Around& around);

/// {"kind": .., key: value} of the keys that are not at their defaults.
template <class Variant>
py::dict to_dict(const Variant& kind);
py::dict to_dict(const Schedule& schedule, double dimension);
py::dict to_dict(const Optimizer& optimizer, const Chain& chain);

/// {"optimizer": [{"name": .., "title": .., "keys": [{"key": .., "default": .., "expected": ..}]},
/// ..], "covariance": .., ..}: every registry, kind by kind.
py::dict catalogue();

/// A function of a number that Python computes, safe to call from any thread. remembers: what was
/// asked once is not asked again, for integrals that come back to their nodes.
std::function<double(double)> function_of(const py::object& callable, const std::string& field,
                                          bool remembers = false);

}  // namespace riskcurve::python
