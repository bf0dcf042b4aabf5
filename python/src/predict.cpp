#include "riskcurve/analysis/predict.hpp"

#include <pybind11/stl.h>

#include <cmath>

#include "module.hpp"
#include "riskcurve/integrate/sde.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/simulate/simulate.hpp"
#include "tables.hpp"
#include "work.hpp"

namespace riskcurve::python {

SolveOptions solve_options(const std::string& method, double rtol);

namespace {

py::object value_of(const Record::Value& value) {
  return std::visit(
      [](const auto& x) -> py::object {
        using Of = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<Of, std::nullptr_t>)
          return py::none();
        else if constexpr (std::is_same_v<Of, Record>)
          return to_dict(x);
        else if constexpr (std::is_same_v<Of, Eigen::ArrayXd> ||
                           std::is_same_v<Of, Eigen::ArrayXXd>)
          return numpy(Of(x));
        else
          return py::cast(x);
      },
      value);
}

void add_bands(py::dict& result, Bands bands, const std::string& before) {
  if (!bands.missing.empty()) return;
  result[(before + "deviation").c_str()] = numpy(std::move(bands.deviation));
  result[(before + "shift").c_str()] = numpy(std::move(bands.shift));
  result[(before + "low").c_str()] = numpy(std::move(bands.low));
  result[(before + "high").c_str()] = numpy(std::move(bands.high));
}

py::dict ensemble_dict(Ensemble ensemble, int runs) {
  // Runs that agree to roundoff, as at step 0, have no spread.
  ensemble.error = (ensemble.error <= 1e-12 * ensemble.mean).select(0, ensemble.error);
  py::dict result;
  result["steps"] = numpy(std::move(ensemble.steps));
  result["mean"] = numpy(std::move(ensemble.mean));
  result["standard_error"] = numpy(std::move(ensemble.error));
  result["risk_of_run"] = numpy(std::move(ensemble.risk));
  if (ensemble.averaged_mean.size() > 0) {
    result["averaged_mean"] = numpy(std::move(ensemble.averaged_mean));
    result["averaged_standard_error"] = numpy(std::move(ensemble.averaged_error));
    result["averaged_risk_of_run"] = numpy(std::move(ensemble.averaged_risk));
  }
  result["runs"] = runs;
  result["diverged_runs"] = ensemble.diverged;
  result["status"] = ensemble.diverged > 0 ? "diverged" : "ok";
  result["message"] = ensemble.diverged > 0 ? std::to_string(ensemble.diverged) + " of " +
                                                  std::to_string(runs) + " runs diverged"
                                            : "all runs finished";
  return result;
}

}  // namespace

py::dict to_dict(const Record& record) {
  py::dict result;
  for (const Field& field : record.fields()) result[field.name.c_str()] = value_of(field.value);
  return result;
}

py::dict to_dict(const Trust& trust) {
  py::dict result = to_dict(to_record(trust));
  result["line"] = trust_line(trust);
  result["warnings"] = warnings(trust);
  result["untrusted"] = untrusted(trust);
  return result;
}

py::dict to_dict(RiskCurve curve) {
  py::dict result, observables, counters;
  result["steps"] = numpy(std::move(curve.steps));
  result["risk"] = numpy(std::move(curve.risk));
  if (curve.averaged_risk.size() > 0)
    result["averaged_risk"] = numpy(std::move(curve.averaged_risk));
  for (auto& [name, values] : curve.observable)
    observables[name.c_str()] = numpy(std::move(values));
  result["observables"] = observables;
  if (curve.modes.size() > 0) result["modes"] = numpy(std::move(curve.modes));
  result["status"] = name(curve.status);
  result["message"] = curve.message;
  result["warnings"] = curve.warnings;
  counters["accepted"] = curve.accepted;
  counters["rejected"] = curve.rejected;
  counters["evaluations"] = curve.evaluations;
  result["counters"] = counters;
  if (std::isfinite(curve.reached)) result["reached"] = curve.reached;
  return result;
}

py::dict to_dict(Prediction prediction) {
  const bool varies = std::isfinite(prediction.noise_variance);
  Eigen::ArrayXd population;
  if (varies) population = prediction.curve.risk + prediction.noise_variance / 2;
  py::dict result = to_dict(std::move(prediction.curve));
  result["population_risk"] = varies ? py::object(numpy(std::move(population))) : py::none();
  if (prediction.bands) add_bands(result, std::move(*prediction.bands), "");
  if (prediction.averaged_bands)
    add_bands(result, std::move(*prediction.averaged_bands), "averaged_");
  result["trust"] = to_dict(prediction.trust);
  result["noise_variance"] = prediction.noise_variance;
  result["largest_stable_step"] = prediction.largest_stable_step;
  result["step_by_step"] = prediction.stepped;
  return result;
}

void add_predict(py::module_& module) {
  module.def("predict", [](const Experiment& experiment, const std::string& method, double rtol,
                           bool modes, bool bands, const py::object& progress) {
    SolveOptions options = solve_options(method, rtol);
    options.keep_modes = modes;
    Eigen::ArrayXd mode_weight;
    py::dict result = to_dict(interruptible(progress, [&](const Hook& hook) {
      options.progress = hook;
      if (modes) mode_weight = mode_system(experiment, Grids::listed).weight;
      return predict(experiment, options, bands);
    }));
    if (modes) result["mode_weight"] = numpy(std::move(mode_weight));
    return result;
  });
  module.def("simulate", [](const Experiment& experiment, int runs, std::uint64_t seed, int threads,
                            bool sde, const py::object& progress) {
    check_range("runs", runs, Range::wholes(1, 1e6));
    check_range("threads", threads, Range::wholes(0, 4096));
    const auto with_choice = [&](auto options, const Hook& hook) {
      options.runs = runs;
      options.seed = seed;
      options.threads = threads;
      options.progress = hook;
      return options;
    };
    py::dict result = ensemble_dict(
        interruptible(progress,
                      [&](const Hook& hook) {
                        if (!sde) return simulate(experiment, with_choice(SimulateOptions{}, hook));
                        return solve_sde(mode_system(experiment, Grids::whole), experiment.schedule,
                                         experiment.run.at, with_choice(SdeOptions{}, hook));
                      }),
        runs);
    result["seed"] = seed;
    return result;
  });
  module.def("compare_curves",
             [](const py::object& predicted, const py::object& mean, const py::object& error) {
               Comparison c = compare(array_from(predicted, "predicted"), array_from(mean, "mean"),
                                      array_from(error, "standard_error"));
               return py::dict(py::arg("difference_in_standard_errors") =
                                   numpy(std::move(c.in_standard_errors)),
                               py::arg("difference_percent") = numpy(std::move(c.in_percent)),
                               py::arg("worst_in_standard_errors") = c.worst_in_standard_errors,
                               py::arg("worst_in_percent") = c.worst_in_percent);
             });
  module.def("cover", [](const py::object& low, const py::object& high, const py::object& risk) {
    Coverage c =
        cover(array_from(low, "low"), array_from(high, "high"), matrix_from(risk, "risk").array());
    return py::make_tuple(numpy(std::move(c.percent)), c.mean);
  });
  module.def("trust_at", [](const Experiment& experiment, double risk, bool any_signal) {
    return to_dict(trust(experiment, risk, any_signal));
  });
}

}  // namespace riskcurve::python
