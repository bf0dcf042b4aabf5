#include <pybind11/stl.h>

#include "module.hpp"
#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/analysis/phases.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/spectrum.hpp"
#include "tables.hpp"
#include "work.hpp"

namespace riskcurve::python {
namespace {

using Eigen::ArrayXd;

/// A function of the risk at every number of an array, or at one.
template <class F>
py::object at_each(const py::object& risk, const F& f) {
  ArrayXd x = array_from(risk, "risk");
  for (const double r : x) check_range("risk", r, Range::positive());
  {
    const py::gil_scoped_release unlock;
    for (double& r : x) r = f(r);
  }
  const bool single = py::len(py::module_::import("numpy").attr("shape")(risk)) == 0;
  return single ? py::object(py::float_(x[0])) : py::object(numpy(std::move(x)));
}

Sides sides_from(const std::string& sides) {
  if (sides == "one") return Sides::in;
  if (sides == "two") return Sides::both;
  throw InputError("sides", "\"" + sides + "\"", "one of \"one\", \"two\"");
}

}  // namespace

void add_laws(py::module_& module) {
  py::class_<ResidualLaw>(module, "ResidualLaw")
      .def(py::init<const NoiseLaw&>(), py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("noise_variance", &ResidualLaw::noise_variance)
      .def_property_readonly("gaussian", &ResidualLaw::gaussian)
      .def("laplace",
           [](const ResidualLaw& law, const py::object& risk, double s) {
             return at_each(risk, [&](double r) { return law.laplace(r, s); });
           })
      .def("phi",
           [](const ResidualLaw& law, const py::object& risk, int batch) {
             return at_each(risk, [&](double r) { return law.phi(r, batch); });
           })
      .def("matrix_phi",
           [](const ResidualLaw& law, const py::object& risk, int batch) {
             return at_each(risk, [&](double r) { return law.matrix_phi(r, batch); });
           })
      .def("within",
           [](const ResidualLaw& law, const py::object& risk, double c) {
             return at_each(risk, [&](double r) { return law.within(r, c); });
           })
      .def("clipped_square",
           [](const ResidualLaw& law, const py::object& risk, double c) {
             return at_each(risk, [&](double r) { return law.clipped_square(r, c); });
           })
      .def("inverse_norm",
           [](const ResidualLaw& law, const py::object& risk, int batch) {
             return at_each(risk, [&](double r) { return law.inverse_norm(r, batch); });
           })
      .def("batch_clip",
           [](const ResidualLaw& law, double risk, double c, int batch) {
             const auto clip = law.batch_clip(risk, c, batch);
             return py::make_tuple(clip.mu, clip.nu);
           })
      .def("optimal_threshold",
           [](const ResidualLaw& law, const py::object& risk) {
             return at_each(risk, [&](double r) { return optimal_threshold(law, r); });
           })
      .def("clipping", [](const ResidualLaw& law, double risk, double threshold) {
        const Clipping of = clipping(law, risk, threshold);
        return py::dict(py::arg("threshold") = of.threshold, py::arg("reduction") = of.reduction,
                        py::arg("variance") = of.variance, py::arg("comparison") = of.comparison,
                        py::arg("stability") = of.stability);
      });
  module.def("chi_mean", &chi_mean);
  module.def("fit_exponent", [](const py::object& x, const py::object& y) {
    const Exponent fit = fit_exponent(array_from(x, "x"), array_from(y, "y"));
    return py::make_tuple(fit.value, fit.error, fit.prefactor);
  });
  module.def("power_sum", &power_sum);
  module.def("derived_exponent", [](const py::dict& optimizer, double alpha, double beta,
                                    const std::string& sides) {
    return derived_exponent(read_update(optimizer, {}).optimizer, alpha, beta, sides_from(sides));
  });
  module.def(
      "phase_border", [](const py::dict& first, const py::dict& second, std::array<double, 2> alpha,
                         std::array<double, 2> beta, const std::string& sides) {
        PhaseBorder border =
            phase_border({read_update(first, {}).optimizer, read_update(second, {}).optimizer},
                         {alpha[0], alpha[1]}, {beta[0], beta[1]}, sides_from(sides));
        return py::make_tuple(numpy(std::move(border.alpha)), numpy(std::move(border.beta)));
      });
}

}  // namespace riskcurve::python
