#include <pybind11/stl.h>

#include <cmath>
#include <filesystem>

#include "module.hpp"
#include "riskcurve/analysis/advise.hpp"
#include "riskcurve/analysis/fit.hpp"
#include "riskcurve/analysis/phase_table.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"
#include "riskcurve/run/table.hpp"
#include "src/run/journal.hpp"
#include "tables.hpp"
#include "validation/suite/results.hpp"
#include "work.hpp"

namespace riskcurve::python {
namespace {

namespace fs = std::filesystem;

TableOptions table_options(int threads, bool resume, const Hook& hook) {
  TableOptions options;
  options.threads = threads;
  options.resume = resume;
  options.progress = hook;
  return options;
}

/// Columns by name: numbers where every cell is one, else texts.
py::dict columns_dict(const std::vector<std::string>& columns, const TableOutcome& outcome,
                      const std::string& what, long points) {
  if (!outcome.complete)
    throw Failure("interrupted: " + std::to_string(outcome.done) + " of " + std::to_string(points) +
                  " " + what + " are saved");
  py::dict result;
  const Record record = to_record(columns, outcome.rows);
  for (const Field& field : record.fields())
    std::visit(
        [&](const auto& value) {
          using Of = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Of, Eigen::ArrayXd>)
            result[field.name.c_str()] = numpy(Eigen::ArrayXd(value));
          else if constexpr (std::is_same_v<Of, std::vector<std::string>>)
            result[field.name.c_str()] = value;
        },
        field.value);
  return result;
}

PhasePlan plan_from(const py::dict& first, const py::dict& second, double dimension, int batch,
                    const std::string& sides, const py::object& horizons, bool schedules,
                    bool small) {
  PhasePlan plan;
  plan.optimizers = {read_update(first, {}).optimizer, read_update(second, {}).optimizer};
  plan.dimension = dimension;
  plan.batch = batch;
  if (sides != "one" && sides != "two")
    throw InputError("sides", "\"" + sides + "\"", "one of \"one\", \"two\"");
  plan.sides = sides == "two" ? Sides::both : Sides::in;
  plan.horizon = array_from(horizons, "horizons");
  plan.schedules = schedules;
  plan.small = small;
  return plan;
}

/// As `riskcurve validate --report` leaves it.
void write_report(const validation::Results& results, const std::string& folder) {
  write_file(folder + "/table.md", to_markdown(results));
  write_file(folder + "/results.json", to_json(results));
  for (const validation::Overlay& overlay : results.suite.overlays)
    if (const auto figure = overlay_figure(results, overlay))
      plot(*figure, folder + "/" + overlay.file + ".svg");
  write_file(folder + "/index.html", to_html(results, folder));
}

}  // namespace

void add_runs(py::module_& module) {
  module.def("sweep", [](const std::string& grid, const std::string& out, bool resume, int threads,
                         const py::object& progress) {
    const Sweep sweep = [&] {
      const py::gil_scoped_release unlock;
      return read_sweep(grid);
    }();
    const TableOutcome outcome = interruptible(progress, [&](const Hook& hook) {
      const TableOptions options = table_options(threads, resume, hook);
      if (!out.empty()) return run_sweep(sweep, out, options);
      return fill(
          {sweep.identity, sweep.columns(), sweep.points(), 1,
           [&](long point) { return std::vector<std::vector<Cell>>{sweep_row(sweep, point)}; }},
          "", options);
    });
    return columns_dict(sweep.columns(), outcome, "points", sweep.points());
  });
  module.def(
      "phases", [](const py::dict& first, const py::dict& second, double dimension, int batch,
                   const std::string& sides, const py::object& horizons, bool schedules, bool small,
                   const py::object& alpha, const py::object& beta, const std::string& journal,
                   bool resume, int threads, const py::object& progress) {
        const PhasePlan plan =
            plan_from(first, second, dimension, batch, sides, horizons, schedules, small);
        const Eigen::ArrayXd across = array_from(alpha, "alpha");
        if (across.size() == 0) throw InputError("alpha", "[]", "at least one number");
        for (const double x : across) check_range("alpha", x, Range::positive());
        const Table table = phase_table(plan, across, array_from(beta, "beta"));
        std::vector<std::string> warnings;
        const TableOutcome outcome = interruptible(progress, [&](const Hook& hook) {
          warnings = phase_warnings(plan, across[across.size() - 1]);
          return fill(table, journal, table_options(threads, resume, hook));
        });
        py::dict map = columns_dict(table.columns, outcome,
                                    table.rows_each > 1 ? "columns" : "points", table.points);
        const std::string points =
            untrusted_points(py::cast<std::vector<std::string>>(map["untrusted"]));
        if (!points.empty()) warnings.push_back(points);
        return py::make_tuple(map, warnings);
      });
  module.def("untrusted_points", &untrusted_points);
  // `count` numbers from one to another, evenly or in ratio, as the command lays them out.
  module.def("axis", [](double from, double to, Eigen::Index count, bool ratio) {
    if (!ratio) return numpy(Eigen::ArrayXd(Eigen::ArrayXd::LinSpaced(count, from, to)));
    return numpy(
        Eigen::ArrayXd(Eigen::ArrayXd::LinSpaced(count, std::log(from), std::log(to)).exp()));
  });
  module.def("validate", [](const std::string& cases, const std::string& suite,
                            const std::string& only, const std::string& report, bool resume,
                            std::uint64_t seed, int threads, const py::object& progress) {
    if (suite != "quick" && suite != "full")
      throw InputError("suite", "\"" + suite + "\"", "one of \"quick\", \"full\"");
    validation::RunOptions options;
    options.seed = seed;
    if (!report.empty()) {
      require_gnuplot();
      std::error_code error;
      fs::create_directories(report, error);
      if (!fs::is_directory(report))
        throw InputError("report", report, "a folder, or where one can be made");
      options.journal = report + "/validate.partial";
    }
    return interruptible(progress, [&](const Hook& hook) {
      options.table = table_options(threads, resume, hook);
      const validation::Results results =
          run(suite, validation::read_suite(cases, suite == "full", only), options);
      if (!report.empty()) {
        write_report(results, report);
        remove_journals(options.journal);
      }
      return std::tuple(summary(results).passed(), to_json(results), to_terminal(results));
    });
  });
  module.def("advise", [](const Experiment& experiment, const std::string& title, double rtol,
                          int threads, const py::object& progress) {
    check_rtol(rtol, "rtol");
    const Advice found = interruptible(progress, [&](const Hook& hook) {
      AdviseOptions options;
      options.rtol = rtol;
      options.threads = threads;
      options.progress = hook;
      return advise(experiment, options);
    });
    return py::make_tuple(to_json(to_record(found)), to_text(found), to_html(found, title),
                          to_dict(found.trust));
  });
  module.def("fit", [](const std::string& path, int threads, const py::object& progress) {
    FitPlan plan = read_fit(path);
    plan.threads = threads;
    const Fit found = interruptible(progress, [&](const Hook& hook) {
      plan.progress = hook;
      return fit(plan);
    });
    return std::tuple(to_json(to_record(found)), name_of(plan.curves.front().optimizer),
                      found.floor, found.experiment);
  });
}

}  // namespace riskcurve::python
