#include "tables.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "read_keys.hpp"

namespace riskcurve::python {
namespace {

/// Calls Python, from whatever thread; the last copy is destroyed under the interpreter's lock.
struct PythonFunction {
  std::shared_ptr<py::object> callable;
  std::string field;
  struct Memory {
    std::mutex mutex;
    std::unordered_map<double, double> at;
  };
  std::shared_ptr<Memory> memory;  ///< nullptr: none

  double operator()(double x) const {
    if (!memory) return ask(x);
    {
      const std::lock_guard guard(memory->mutex);
      const auto known = memory->at.find(x);
      if (known != memory->at.end()) return known->second;
    }
    const double value = ask(x);
    const std::lock_guard guard(memory->mutex);
    if (memory->at.size() < 1000000) memory->at.emplace(x, value);
    return value;
  }
  double ask(double x) const {
    const py::gil_scoped_acquire lock;
    const py::object value = (*callable)(x);
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      throw InputError(field, text_of(value) + " at " + number_text(x),
                       "a function of a number that returns a number");
    }
    return number;
  }
};

/// The keys of a dict that stand for `step` and `final_step`: a schedule's values have other names
/// where they are scaled, or no step sizes.
struct StepNames {
  std::string step = "step", final_step = "final_step";
  bool scaled = false;
};

StepNames use_plain_names(py::dict& table) {
  StepNames names;
  for (const char* own : {"value", "scaled_step"})
    if (table.contains(own)) {
      names = {own, own == std::string("value") ? "final_value" : "final_scaled_step",
               own == std::string("scaled_step")};
      table["step"] = table.attr("pop")(own);
    }
  if (table.contains(names.final_step.c_str()) && names.final_step != "final_step")
    table["final_step"] = table.attr("pop")(names.final_step);
  return names;
}

std::string own_name(const std::string& key, const StepNames& names) {
  for (const auto& [plain, own] :
       {std::pair<std::string, std::string>("final_step", names.final_step), {"step", names.step}})
    if (key.compare(0, plain.size(), plain) == 0) return own + key.substr(plain.size());
  return key;
}

}  // namespace

std::function<double(double)> function_of(const py::object& callable, const std::string& field,
                                          bool remembers) {
  if (!PyCallable_Check(callable.ptr()))
    throw InputError(field, text_of(callable), "a function of a number");
  return PythonFunction{{new py::object(callable),
                         [](py::object* held) {
                           if (!Py_IsInitialized()) return;
                           const py::gil_scoped_acquire lock;
                           delete held;
                         }},
                        field,
                        remembers ? std::make_shared<PythonFunction::Memory>() : nullptr};
}

Schedule read_schedule(const py::handle& value, const std::string& prefix, const Around& around) {
  if (PyCallable_Check(value.ptr()))
    return custom_schedule(function_of(py::reinterpret_borrow<py::object>(value), prefix), {});
  if (!py::isinstance<py::dict>(value))
    return constant_schedule(number_from(value, prefix, Range::positive()));
  py::dict table(py::reinterpret_borrow<py::dict>(value).attr("copy")());
  const std::string kind = table.contains("kind") ? py::cast<std::string>(table["kind"]) : "";
  if (kind == CustomSchedule::kind) {
    const Eigen::ArrayXd breaks = table.contains("breaks")
                                      ? array_from(table["breaks"], prefix + ".breaks")
                                      : Eigen::ArrayXd();
    return custom_schedule(function_of(table["at"], prefix), {breaks.begin(), breaks.end()});
  }
  const StepNames names = use_plain_names(table);
  double warmup = 0;
  if (table.contains("warmup")) {
    const py::object steps = table.attr("pop")("warmup");
    warmup = number_from(steps, prefix + ".warmup", Range::non_negative());
  }
  const double unit = names.scaled && around.dimension > 0 ? 1 / around.dimension : 1;
  try {
    ScheduleShape shape;
    if (!with_kind<ScheduleShape>(kind, [&](auto of) {
          // A horizon that is not known yet: any will do to look at the other numbers.
          if constexpr (requires { of.horizon; })
            of.horizon = around.horizon > 0 ? around.horizon : 1;
          ReadKeys reader(table, "", around);
          decltype(of)::keys(of, reader);
          reader.refuse_others();
          shape = std::move(of);
        }))
      throw InputError("kind", "\"" + kind + "\"", kinds_text<ScheduleShape>());
    return make_schedule(shape, warmup, unit);
  } catch (const InputError& error) {
    if (error.field().empty()) throw;
    throw InputError(prefix + "." + own_name(error.field(), names), error.value(),
                     error.expected());
  }
}

Update read_update(const py::dict& table, const Around& around) {
  const std::string name = table.contains("name") ? py::cast<std::string>(table["name"]) : "";
  Update update;
  ReadKeys reader(table, "optimizer.", around);
  Chain::keys(update.chain, reader);
  const bool found = with_kind<Optimizer>(name, [&](auto of) {
    decltype(of)::keys(of, reader);
    // Keys of the optimizer's own are not the chain's.
    if constexpr (requires { of.nesterov; }) update.chain.nesterov = false;
    if constexpr (requires { of.momentum + 1.0; }) update.chain.momentum.reset();
    if constexpr (requires { of.weight_decay; })
      if (!table.contains("weight_decay") || table["weight_decay"].is_none())
        update.chain.weight_decay = constant_schedule(of.weight_decay);
    update.optimizer = std::move(of);
  });
  if (!found) throw InputError("optimizer.name", "\"" + name + "\"", kinds_text<Optimizer>());
  reader.refuse_others();
  const py::object batch = table.contains("batch") ? py::object(table["batch"]) : py::none();
  if (py::isinstance<py::dict>(batch) || PyCallable_Check(batch.ptr())) {
    update.chain.batch = read_schedule(batch, "optimizer.batch", around);
    check_values("optimizer.batch", *update.chain.batch, {1});
  }
  validate(update.optimizer);
  return update;
}

template CovarianceKind read_kind(const py::dict&, const std::string&, const Around&);
template NoiseKind read_kind(const py::dict&, const std::string&, const Around&);
template VectorTarget read_kind(const py::dict&, const std::string&, const Around&);
template MatrixTarget read_kind(const py::dict&, const std::string&, const Around&);

}  // namespace riskcurve::python
