#include <pybind11/stl.h>

#include "module.hpp"
#include "riskcurve/analysis/phases.hpp"
#include "riskcurve/analysis/preconditioning.hpp"
#include "riskcurve/analysis/transfer.hpp"
#include "tables.hpp"
#include "work.hpp"

namespace riskcurve::python {
namespace {

using Eigen::ArrayXd;

py::list pairs(const Modes& modes) {
  py::list result;
  for (const auto& [i, j] : modes) result.append(py::make_tuple(i, j));
  return result;
}

py::dict rates_dict(const Experiment& experiment, ModeRates rates) {
  py::dict result;
  result["risk"] = rates.risk;
  result["on_nodes"] = rates.on_nodes;
  result["any_signal"] = rates.any_signal;
  result["squared_update"] = rates.squared_update();
  result["drift_error"] = rates.drift_error;
  result["diffusion_error"] = rates.diffusion_error;
  result["rank"] = rates.rank;
  result["warnings"] = rates.warnings;
  if (rates.noise.lag.size() > 0)
    result["noise"] = py::dict(py::arg("lag") = numpy(std::move(rates.noise.lag)),
                               py::arg("correlation") = numpy(std::move(rates.noise.correlation)),
                               py::arg("sum") = rates.noise.sum);
  else
    result["noise"] = py::none();
  result["modes"] = py::dict(py::arg("h") = numpy(std::move(rates.weight)),
                             py::arg("multiplicity") = numpy(std::move(rates.multiplicity)),
                             py::arg("drift") = numpy(std::move(rates.drift)),
                             py::arg("diffusion") = numpy(std::move(rates.diffusion)),
                             py::arg("exponent_out") = numpy(std::move(rates.exponent.out)),
                             py::arg("exponent_in") = numpy(std::move(rates.exponent.in)));
  const auto spectral = spectral_of(experiment);
  result["spectral"] = spectral.has_value();
  if (experiment.is_matrix() && rates.on_nodes) {
    const bool in = runs_along_in(experiment.matrix());
    result["side"] = in ? "in" : "out";
    result["along"] = pairs(modes_along(experiment.matrix(), in));
    result["diagonal"] = pairs(modes_on_diagonal(experiment.matrix(), in));
  }
  return result;
}

py::dict scan_dict(BatchScan scan) {
  return py::dict(py::arg("batch") = numpy(std::move(scan.batch)),
                  py::arg("eigenvalue") = numpy(std::move(scan.eigenvalue)),
                  py::arg("median") = scan.median,
                  py::arg("exponent") = numpy(std::move(scan.exponent)),
                  py::arg("crossover") = numpy(std::move(scan.crossover)),
                  py::arg("preconditioned_percent") = numpy(ArrayXd(100 * scan.preconditioned)),
                  py::arg("crossover_batch") = scan.crossover_batch);
}

py::dict scaling_dict(Scaling scaling) {
  const auto exponent = [](const Exponent& e) {
    return py::make_tuple(e.value, e.error, e.prefactor);
  };
  return py::dict(
      py::arg("quantity") = scaling.quantity, py::arg("value") = numpy(std::move(scaling.value)),
      py::arg("own") = scaling.own, py::arg("step") = numpy(std::move(scaling.step)),
      py::arg("risk") = numpy(std::move(scaling.risk)), py::arg("untrusted") = scaling.untrusted,
      py::arg("step_exponent") = exponent(scaling.step_exponent),
      py::arg("risk_exponent") = exponent(scaling.risk_exponent),
      py::arg("skipped") = scaling.skipped);
}

py::dict counterpart_dict(const Counterpart& of) {
  return py::dict(
      py::arg("optimizer") = of.optimizer, py::arg("threshold") = of.threshold,
      py::arg("step") = of.step, py::arg("risk") = of.risk, py::arg("ratio") = of.ratio,
      py::arg("trust") = of.skipped.empty() ? py::object(to_dict(of.trust)) : py::none(),
      py::arg("skipped") = of.skipped);
}

struct Transfer {
  std::vector<Scaling> scalings;
  std::vector<Counterpart> counterparts;
};

}  // namespace

void add_rates(py::module_& module) {
  module.def("mode_rates",
             [](const Experiment& experiment, double risk, const py::object& progress) {
               return rates_dict(experiment, interruptible(progress, [&](const Hook&) {
                                   return mode_rates(experiment, risk);
                                 }));
             });
  module.def("scan_batches", [](const Experiment& experiment, double risk,
                                const py::object& batches, const py::object& progress) {
    const auto spectral = spectral_of(experiment);
    if (!spectral)
      throw InputError("optimizer.name", "\"" + name_of(experiment.optimizer) + "\"",
                       "a map of singular values");
    const ArrayXd asked = batches.is_none() ? batches_around(experiment.matrix(), spectral->batch)
                                            : array_from(batches, "batches");
    return scan_dict(interruptible(progress, [&](const Hook&) {
      return scan_batches(experiment.matrix(), spectral->function, risk, asked);
    }));
  });
  module.def("transfer_quantities", &transfer_quantities);
  module.def("transfer",
             [](const Experiment& experiment, const std::vector<std::string>& quantities,
                double rtol, const py::object& progress) {
               Transfer found = interruptible(progress, [&](const Hook& hook) {
                 Transfer result;
                 const double parts = static_cast<double>(quantities.size()) + 1;
                 TransferOptions options;
                 options.rtol = rtol;
                 options.progress = [&](double fraction) {
                   return hook((static_cast<double>(result.scalings.size()) + fraction) / parts);
                 };
                 for (const std::string& quantity : quantities)
                   result.scalings.push_back(step_scaling(experiment, quantity, options));
                 result.counterparts = counterparts(experiment, options);
                 return result;
               });
               py::list scalings, others;
               for (Scaling& scaling : found.scalings)
                 scalings.append(scaling_dict(std::move(scaling)));
               for (const Counterpart& other : found.counterparts)
                 others.append(counterpart_dict(other));
               return py::make_tuple(scalings, others);
             });
}

}  // namespace riskcurve::python
