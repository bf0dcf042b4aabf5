#include <pybind11/functional.h>
#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include <cmath>

#include "module.hpp"
#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/input/input.hpp"
#include "tables.hpp"

namespace riskcurve::python {
namespace {

using Eigen::Index;

constexpr const char* custom_kind = "custom";

Covariance covariance_from(const py::dict& table) {
  const auto kind = read_kind<CovarianceKind>(table, "covariance.");
  const py::gil_scoped_release unlock;
  return about("covariance.", [&] { return make_covariance(kind); });
}

/// Rows to be filled from Python, then handed over whole.
struct Rows {
  std::shared_ptr<DataRows> held;
};

/// `centered`: the rows came less their means already, as those of a covariance that was made
/// before.
Covariance covariance_of_rows(Rows& rows, bool center, double scale, bool sample_rows,
                              Index dense_limit, bool centered) {
  const auto held = std::exchange(rows.held, nullptr);
  if (!held) throw InputError("covariance.rows", "(used)", "rows that were not handed over before");
  const py::gil_scoped_release unlock;
  if (scale != 1) held->x *= scale;
  if (center) held->x.rowwise() -= held->x.colwise().mean().eval();
  return about("covariance.", [&] {
    Covariance result = from_rows(held, dense_limit);
    result.sample_rows = sample_rows;
    auto kind = std::get<DataCovariance>(result.made_from);
    kind.center = center || centered;  // labels that are fitted go less their mean too
    if (!sample_rows) kind.sample = DataCovariance::Sample::gaussian;
    result.made_from = kind;
    return result;
  });
}

const char* orientation_of(const Covariance& covariance) {
  switch (covariance.orientation) {
    case Orientation::diagonal:
      return "diagonal";
    case Orientation::generic:
      return "generic";
    default:
      return "given";
  }
}

NoiseLaw noise_from(const py::dict& table) {
  const auto kind = read_kind<NoiseKind>(table, "noise.");
  return noise_law(kind);
}

/// A symmetric law of density p, survival function and quantile function that Python computes.
NoiseLaw custom_noise(const py::object& density, const py::object& tail, const py::object& quantile,
                      double variance, double scale, const std::vector<double>& breaks) {
  check_range("noise.scale", scale, Range::positive());
  if (!(variance >= 0)) throw InputError("noise.variance", variance, "a number >= 0, or inf");
  NoisePart part;
  part.density = function_of(density, "noise.pdf", true);
  part.tail = function_of(tail, "noise.sf", true);
  part.scale = scale;
  part.breaks = breaks;
  // The uniform law's draws, through the quantile function.
  const auto quantile_of = function_of(quantile, "noise.ppf");
  const auto uniform = uniform_noise(1).sample;
  NoiseLaw law;
  law.kind = custom_kind;
  law.variance = variance;
  law.parts = {part};
  law.sample = [quantile_of, uniform](Random& random) {
    const double u = uniform(random);
    return std::copysign(quantile_of(std::abs(u)), u);
  };
  return law;
}

VectorProblem vector_problem(const Covariance& covariance, const py::dict& target,
                             const std::optional<NoiseLaw>& noise, const std::string& start) {
  const auto kind = read_kind<VectorTarget>(target, "target.");
  const py::gil_scoped_release unlock;
  VectorProblem problem = make_problem(covariance, kind, noise, {{start}});
  validate(problem);
  return problem;
}

MatrixProblem matrix_problem(const Covariance& out, const Covariance& in, const py::dict& target,
                             const NoiseLaw& noise) {
  const auto kind = read_kind<MatrixTarget>(target, "target.");
  const py::gil_scoped_release unlock;
  MatrixProblem problem = make_problem(out, in, kind, noise);
  validate(problem);
  return problem;
}

Run run_from(const py::dict& run) {
  const auto get = [&](const char* key) {
    return run.contains(key) ? py::object(run[key]) : py::none();
  };
  const std::string field = "run.steps";
  if (get("steps").is_none())
    throw InputError(field, "(missing)", Range::wholes(1, 1e15).expected());
  const double steps = number_from(get("steps"), field, Range::wholes(1, 1e15));
  if (get("at").is_none()) {
    double points = 50;
    if (!get("points").is_none())
      points = number_from(get("points"), "run.points", Range::wholes(1, 1e6));
    const std::string spacing =
        get("spacing").is_none() ? "linear" : py::cast<std::string>(py::str(get("spacing")));
    if (spacing != "linear" && spacing != "log")
      throw InputError("run.spacing", "\"" + spacing + "\"", "one of \"linear\", \"log\"");
    return run_for(steps, static_cast<int>(points),
                   spacing == "log" ? Spacing::log : Spacing::linear);
  }
  for (const char* key : {"points", "spacing"})
    if (!get(key).is_none())
      throw InputError(std::string("run.") + key, text_of(get(key)), "no such key beside `at`");
  const Eigen::ArrayXd at = array_from(get("at"), "run.at");
  if (at.size() == 0) throw InputError("run.at", "[]", "at least one step");
  for (Index i = 0; i < at.size(); ++i) {
    const std::string name = "run.at[" + std::to_string(i) + "]";
    check_range(name, at[i], Range::wholes(0, steps));
    if (i > 0 && at[i] <= at[i - 1]) throw InputError(name, at[i], "increasing whole numbers");
  }
  return {steps, at};
}

Signal signal_from(const std::string& text) {
  for (const auto& choice : kSignals)
    if (text == choice.text) return choice.value;
  throw InputError("run.signal", "\"" + text + "\"", "one of \"auto\", \"small\", \"full\"");
}

Experiment experiment_from(const std::variant<VectorProblem, MatrixProblem>& problem,
                           const py::dict& optimizer, const py::object& schedule,
                           const py::dict& run, const std::string& signal) {
  Experiment experiment{problem, {}, {}, run_from(run), {}, signal_from(signal)};
  const Around around{experiment.run.steps, experiment.dimension()};
  Update update = read_update(optimizer, around);
  experiment.optimizer = std::move(update.optimizer);
  experiment.chain = std::move(update.chain);
  experiment.schedule = read_schedule(schedule, "schedule", around);
  if (std::holds_alternative<DanaSchedule>(experiment.schedule.shape))
    throw InputError("schedule.kind", "\"dana\"", "a kind with a step: this is a momentum");
  check_values("schedule.step", experiment.schedule, Range::non_negative());
  const py::gil_scoped_release unlock;
  validate(experiment);
  return experiment;
}

std::string toml_of(const Experiment& experiment) {
  if (experiment.noise().kind == custom_kind)
    throw InputError("problem.noise.kind", "a law of your own",
                     "a kind that a problem file can state");
  const py::gil_scoped_release unlock;
  return to_toml(experiment);
}

const char* signal_text(Signal signal) {
  for (const auto& choice : kSignals)
    if (choice.value == signal) return choice.text;
  return "auto";
}

py::object optional_view(const auto& value, const py::handle& self) {
  return value ? py::object(view(*value, self)) : py::none();
}

}  // namespace

void add_problems(py::module_& module) {
  py::class_<Covariance>(module, "Covariance")
      .def_readonly("kind", &Covariance::kind)
      .def_property_readonly("orientation", &orientation_of)
      .def_property_readonly("dimension", &Covariance::dimension)
      .def_property_readonly("trace", [](const Covariance& c) { return c.spectrum.trace(); })
      .def_property_readonly("norm", [](const Covariance& c) { return c.spectrum.norm(); })
      .def_property_readonly("mean", [](const Covariance& c) { return c.spectrum.mean(); })
      .def_property_readonly("intrinsic_dimension",
                             [](const Covariance& c) { return c.spectrum.intrinsic_dimension(); })
      .def_readonly("remark", &Covariance::remark)
      .def_readonly("sample_rows", &Covariance::sample_rows)
      .def_property_readonly("centered",
                             [](const Covariance& of) {
                               const auto* data = std::get_if<DataCovariance>(&of.made_from);
                               return data && data->center;
                             })
      .def_property_readonly("nodes",
                             [](const py::object& self) {
                               const Spectrum& s = py::cast<const Covariance&>(self).spectrum;
                               return py::make_tuple(view(s.value, self),
                                                     view(s.multiplicity, self),
                                                     view(s.first, self), view(s.last, self));
                             })
      .def_property_readonly("matrix",
                             [](const py::object& self) {
                               return optional_view(py::cast<const Covariance&>(self).matrix, self);
                             })
      .def_property_readonly("eigenvectors",
                             [](const py::object& self) {
                               return optional_view(py::cast<const Covariance&>(self).eigenvectors,
                                                    self);
                             })
      .def_property_readonly("rows",
                             [](const py::object& self) -> py::object {
                               const auto& rows = py::cast<const Covariance&>(self).rows;
                               return rows ? py::object(view(rows->x, self)) : py::none();
                             })
      .def("expand", [](const Covariance& c) { return numpy(c.spectrum.expand()); })
      .def("table", [](const Covariance& c) { return to_dict(c.made_from); })
      .def("with_dimension", [](const Covariance& c, double d) { return with_dimension(c, d); })
      .def("power_law_fit",
           [](const Covariance& c, double tolerance) -> py::object {
             const auto fit = fit_power_law(c.spectrum, tolerance);
             if (!fit) return py::none();
             return py::dict(py::arg("alpha") = fit->alpha, py::arg("prefactor") = fit->prefactor,
                             py::arg("first") = fit->first, py::arg("last") = fit->last,
                             py::arg("deviation") = fit->deviation);
           })
      .def(py::self == py::self);
  module.def("covariance", &covariance_from);
  py::class_<Rows>(module, "Rows")
      .def(py::init([](Index n, Index d) {
        auto held = std::make_shared<DataRows>();
        held->x.resize(n, d);
        held->source = "array";
        return Rows{held};
      }))
      .def_property_readonly("array", [](const py::object& self) {
        const auto& held = py::cast<const Rows&>(self).held;
        if (!held)
          throw InputError("covariance.rows", "(used)", "rows that are still to be filled");
        return view(held->x, self, true);
      });
  module.def("covariance_of_rows", &covariance_of_rows);

  py::class_<NoiseLaw>(module, "NoiseLaw")
      .def_readonly("kind", &NoiseLaw::kind)
      .def_readonly("variance", &NoiseLaw::variance)
      .def_property_readonly("size", [](const NoiseLaw& law) { return noise_size(law); })
      .def("with_size", [](const NoiseLaw& law, double size) { return with_size(law, size); })
      .def("table", [](const NoiseLaw& law) { return to_dict(law.made_from); })
      .def(py::self == py::self);
  module.def("noise", &noise_from);
  module.def("custom_noise", &custom_noise);

  py::class_<VectorProblem>(module, "VectorProblem")
      .def(py::init(&vector_problem))
      .def_readonly("covariance", &VectorProblem::covariance)
      .def_readonly("noise", &VectorProblem::noise)
      .def_property_readonly("dimension", &VectorProblem::dimension)
      .def_property_readonly("initial_risk", &VectorProblem::initial_risk)
      .def_property_readonly("has_residuals",
                             [](const VectorProblem& p) { return p.row_residuals.has_value(); })
      .def_property_readonly("initial",
                             [](const py::object& self) {
                               return view(py::cast<const VectorProblem&>(self).initial, self);
                             })
      .def_property_readonly("initial_error",
                             [](const py::object& self) {
                               return optional_view(
                                   py::cast<const VectorProblem&>(self).initial_error, self);
                             })
      .def_property_readonly("start", [](const VectorProblem& p) { return p.start.path.path; })
      .def("target", [](const VectorProblem& p) { return to_dict(p.target); })
      .def(py::self == py::self);
  py::class_<MatrixProblem>(module, "MatrixProblem")
      .def(py::init(&matrix_problem))
      .def_readonly("covariance_out", &MatrixProblem::covariance_out)
      .def_readonly("covariance_in", &MatrixProblem::covariance_in)
      .def_readonly("noise", &MatrixProblem::noise)
      .def_property_readonly("dimension", &MatrixProblem::dimension)
      .def_property_readonly("initial_risk", &MatrixProblem::initial_risk)
      .def_property_readonly("initial",
                             [](const MatrixProblem& p) { return numpy(p.initial.entries()); })
      .def_property_readonly("initial_error",
                             [](const py::object& self) {
                               return optional_view(
                                   py::cast<const MatrixProblem&>(self).initial_error, self);
                             })
      .def("target", [](const MatrixProblem& p) { return to_dict(p.target); })
      .def(py::self == py::self);

  py::class_<Experiment>(module, "Experiment")
      .def(py::init(&experiment_from))
      .def_readonly("problem", &Experiment::problem)
      .def_property_readonly("is_matrix", &Experiment::is_matrix)
      .def_property_readonly("title", [](const Experiment& e) { return describe(e); })
      .def_property_readonly("steps", [](const Experiment& e) { return e.run.steps; })
      .def_property_readonly("at", [](const Experiment& e) { return numpy(e.run.at); })
      .def_property_readonly("signal", [](const Experiment& e) { return signal_text(e.signal); })
      .def("optimizer", [](const Experiment& e) { return to_dict(e.optimizer, e.chain); })
      .def("schedule", [](const Experiment& e) { return to_dict(e.schedule, e.dimension()); })
      .def("with_signal",
           [](Experiment e, const std::string& signal) {
             e.signal = signal_from(signal);
             return e;
           })
      .def("to_toml", &toml_of)
      .def(py::self == py::self);
  module.def(
      "read_experiment", [](const std::string& path) { return read_experiment(path); },
      py::call_guard<py::gil_scoped_release>());
  module.def("parse_experiment", &parse_experiment, py::call_guard<py::gil_scoped_release>());
  module.def(
      "read_covariance", [](const std::string& path) { return read_covariance(path); },
      py::call_guard<py::gil_scoped_release>());
  module.def("check_update", [](const py::dict& table) { read_update(table, {}); });
  module.def("check_schedule", [](const py::object& value, const std::string& field) {
    read_schedule(value, field, {});
  });
  module.def("check_target", [](const py::dict& table, bool matrix) {
    if (matrix)
      read_kind<MatrixTarget>(table, "target.");
    else
      read_kind<VectorTarget>(table, "target.");
  });
  // step k -> value, for a run of so many steps in so many dimensions
  module.def("schedule_values", [](const py::object& value, const py::object& steps, double horizon,
                                   double dimension) {
    const Schedule schedule = read_schedule(value, "schedule", {horizon, dimension});
    Eigen::ArrayXd at = array_from(steps, "steps");
    for (double& k : at) k = schedule(k);
    return numpy(std::move(at));
  });
}

}  // namespace riskcurve::python
