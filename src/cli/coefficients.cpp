#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <set>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/analysis/preconditioning.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

struct CoefficientsArguments {
  std::string file;
  std::optional<double> risk;
  std::string signal;
  bool modes = false;
  Outputs outputs;
};

constexpr Index table_rows = 12;

/// Rows evenly spaced in the log of their number, first and last among them.
std::vector<Index> rows_shown(Index count) {
  std::set<Index> rows;
  for (Index i = 0; i < table_rows && count > 0; ++i)
    rows.insert(static_cast<Index>(std::lround(
        std::pow(static_cast<double>(count), static_cast<double>(i) / (table_rows - 1)) - 1)));
  return {rows.begin(), rows.end()};
}

/// The columns of a record, at these rows.
Record rows_of(const Record& record, const std::vector<Index>& rows) {
  Record chosen;
  for (const Field& field : record.fields())
    if (field.is_column) chosen.column(field.name, ArrayXd(std::get<ArrayXd>(field.value)(rows)));
  return chosen;
}

/// Rates of the modes in a line, one row each.
Record line_record(const MatrixProblem& problem, const ModeRates& rates, const Modes& modes,
                   bool in, bool diagonal, bool spectral) {
  const Spectrum& out_side = problem.covariance_out.spectrum;
  const Spectrum& in_side = problem.covariance_in.spectrum;
  const auto n = static_cast<Index>(modes.size());
  const auto read = [&](auto&& value) {
    ArrayXd column(n);
    for (Index k = 0; k < n; ++k)
      column[k] = value(modes[static_cast<std::size_t>(k)].first,
                        modes[static_cast<std::size_t>(k)].second);
    return column;
  };
  const Exponents& e = rates.exponent;
  Record record;
  record.column("index",
                read([&](Index i, Index j) { return in ? in_side.last[j] : out_side.last[i]; }));
  if (spectral) {  // the modes of SignSGD need not be eigenvectors of the covariances
    record.column("sigma", read([&](Index i, Index) { return out_side.value[i]; }));
    record.column("lambda", read([&](Index, Index j) { return in_side.value[j]; }));
  }
  record.column("h", read([&](Index i, Index j) { return rates.weight(i, j); }));
  record.column("drift", read([&](Index i, Index j) { return rates.drift(i, j); }));
  record.column("diffusion", read([&](Index i, Index j) { return rates.diffusion(i, j); }));
  record.column("exponent", read([&](Index i, Index j) {
                  return diagonal ? 0.5 * (e.out(i, j) + e.in(i, j)) : (in ? e.in : e.out)(i, j);
                }));
  if (spectral) {
    record.column("alpha", read([&](Index i, Index j) { return 1 - e.out(i, j); }));
    record.column("beta", read([&](Index i, Index j) { return 1 - e.in(i, j); }));
  }
  return record;
}

Record nested(const Record& record) {
  Record plain;
  for (const Field& field : record.fields()) plain.set(field.name, field.value);
  return plain;
}

Record modes_record(const ModeRates& rates) {
  Record record;
  record.set("h", rates.weight);
  record.set("multiplicity", rates.multiplicity);
  record.set("drift", rates.drift);
  record.set("diffusion", rates.diffusion);
  record.set("exponent_out", rates.exponent.out);
  record.set("exponent_in", rates.exponent.in);
  return record;
}

/// Where sigma and lambda are shown, their product h is not.
std::vector<Heading> line_headings(bool spectral) {
  std::vector<Heading> headings = {{"j", "index", "{:.10g}"}};
  if (spectral) {
    headings.push_back({"sigma", "sigma"});
    headings.push_back({"lambda", "lambda"});
  } else {
    headings.push_back({"h", "h"});
  }
  headings.insert(headings.end(), {{"drift a", "drift"},
                                   {"noise c", "diffusion"},
                                   {"exponent", "exponent", "{:.4f}"},
                                   {"alpha", "alpha", "{:.4f}"},
                                   {"beta", "beta", "{:.4f}"}});
  return headings;
}

/// Axes, and the two exponents with a name.
Figure exponent_axes(const std::string& title, const std::string& x_name, const ArrayXd& x) {
  Figure figure;
  figure.title = title;
  figure.x_label = "eigenvalue " + x_name;
  figure.y_label = "preconditioning exponent, d log a/d log " + x_name;
  figure.log_x = x.minCoeff() > 0 && x.maxCoeff() > 2 * x.minCoeff();
  ArrayXd ends(2);
  ends << x.minCoeff(), x.maxCoeff();
  for (const double level : {0.5, 1.0})
    figure.series.push_back({Series::Style::faint, "", ends, ArrayXd::Constant(2, level), {}});
  return figure;
}

Record scan_record(const BatchScan& scan) {
  const Index last = scan.eigenvalue.size() - 1;
  Record record;
  record.column("batch", scan.batch);
  record.column("exponent_largest", ArrayXd(scan.exponent.row(0)));
  record.column("exponent_median", ArrayXd(scan.exponent.row(scan.median)));
  record.column("exponent_smallest", ArrayXd(scan.exponent.row(last)));
  record.column("crossover", scan.crossover);
  record.column("preconditioned_percent", ArrayXd(100 * scan.preconditioned));
  return record;
}

void add_scan(Result& result, const BatchScan& scan, int batch, const std::string& eigenvalue) {
  const Record rows = scan_record(scan);
  result.notes.push_back(
      fmt::format("as the batch grows (exponent at the largest, median and "
                  "smallest {0}; {0} where it passes 3/4):",
                  eigenvalue));
  result.notes.push_back(
      to_table(rows, {{"batch", "batch", "{:.10g}"},
                      {"largest", "exponent_largest", "{:.4f}"},
                      {"median", "exponent_median", "{:.4f}"},
                      {"smallest", "exponent_smallest", "{:.4f}"},
                      {"3/4 at " + eigenvalue, "crossover", "{:.4g}"},
                      {"% of modes below", "preconditioned_percent", "{:.4g}"}}));
  result.notes.back().pop_back();
  result.notes.push_back(
      std::isfinite(scan.crossover_batch)
          ? fmt::format("the median mode passes 3/4 at batch {:.3g}\n", scan.crossover_batch)
          : "the median mode does not pass 3/4 between these batches\n");
  if (scan.exponent.isNaN().any())
    result.notes.insert(result.notes.end() - 1,
                        "- at every eigenvalue: the noise c is infinite at that batch\n");
  Record batches = nested(rows);
  batches.set("eigenvalue", scan.eigenvalue);
  batches.set("exponent", scan.exponent);
  batches.set("crossover_batch", scan.crossover_batch);
  result.record.set("batches", batches);
  for (Index b = 0; b < scan.batch.size(); ++b)
    result.figure.series.push_back({Series::Style::line,
                                    fmt::format("batch {:.10g}{}", scan.batch[b],
                                                scan.batch[b] == batch ? " (the file's)" : ""),
                                    scan.eigenvalue,
                                    scan.exponent.col(b),
                                    {}});
}

void add_matrix(Result& result, const Experiment& experiment, const ModeRates& rates) {
  const MatrixProblem& problem = experiment.matrix();
  const bool in = runs_along_in(problem);
  const auto spectral = spectral_of(experiment);
  const auto line = [&](const Modes& modes, bool diagonal) {
    return line_record(problem, rates, modes, in, diagonal, spectral.has_value());
  };
  const Record side = line(modes_along(problem, in), false);
  const Record diagonal = line(modes_on_diagonal(problem, in), true);
  const std::string name = spectral ? (in ? "lambda" : "sigma") : "h";
  const ArrayXd& x = std::get<ArrayXd>(side.find(name)->value);

  result.record.set("side", in ? "in" : "out");
  for (const Field& field : side.fields()) result.record.column(field.name, field.value);
  result.record.set("diagonal", nested(diagonal));
  const std::string title = result.title;
  result.title += fmt::format("\n\nR = {:.6g}, along the {} side, the other at its median",
                              rates.risk, in ? "input" : "output");
  result.figure = exponent_axes(title, spectral ? (in ? "λ" : "σ") : "h", x);
  const std::vector<Index> shown = rows_shown(x.size());
  result.table = rows_of(side, shown);
  const Spectrum& fixed = (in ? problem.covariance_out : problem.covariance_in).spectrum;
  if ((fixed.value != fixed.value[0]).any()) {
    result.notes.push_back("along the diagonal, both sides at the same quantile\n");
    result.notes.push_back(to_table(rows_of(diagonal, shown), result.headings));
  }
  if (spectral) {
    add_scan(result,
             scan_batches(problem, spectral->function, rates.risk,
                          batches_around(problem, spectral->batch)),
             spectral->batch, name);
  } else {
    result.figure.series.push_back(
        {Series::Style::line, "", x, std::get<ArrayXd>(side.find("exponent")->value), {}});
  }
}

/// One row of modes: a vector problem, or modes that are not those of the covariances.
void add_row(Result& result, const Experiment& experiment, const ModeRates& rates) {
  Record& record = result.record;
  record.column("index", rates.on_nodes
                             ? experiment.vector().covariance.spectrum.last
                             : ArrayXd::LinSpaced(rates.weight.size(), 1,
                                                  static_cast<double>(rates.weight.size())));
  record.column("h", ArrayXd(rates.weight.row(0)));
  record.column("drift", ArrayXd(rates.drift.row(0)));
  record.column("diffusion", ArrayXd(rates.diffusion.row(0)));
  record.column("exponent", ArrayXd(rates.exponent.in.row(0)));
  const std::string title = result.title;
  result.title += fmt::format("\n\nR = {:.6g}", rates.risk);
  result.table = rows_of(record, rows_shown(rates.weight.size()));
  const ArrayXd h = rates.weight.row(0), a = rates.drift.row(0),
                exponent = rates.exponent.in.row(0);
  if (!exponent.isNaN().all()) {
    result.figure = exponent_axes(title, "h", h);
    result.figure.series.push_back({Series::Style::line, "", h, exponent, {}});
    return;
  }
  // Where a is no function of h it is seen as it is.
  result.figure = {title, "eigenvalue h", "drift a", spans_a_decade(h), spans_a_decade(a), {}, {}};
  result.figure.series.push_back({Series::Style::points, "", h, a, {}});
}

/// The power of ten above x, from 1e-12 on: digits further down are roundoff.
double bound(double x) {
  return std::pow(10.0, std::ceil(std::log10(std::max(x, 1e-12)) - 1e-9));
}

/// What the coefficients must satisfy, and how far they are from it.
void add_checks(Result& result, const ModeRates& rates) {
  Record& record = result.record;
  record.set("squared_update", rates.squared_update());
  record.set("drift_error", rates.drift_error);
  record.set("diffusion_error", rates.diffusion_error);
  if (rates.rank) {
    record.set("rank", *rates.rank);
    result.notes.push_back(fmt::format("sum of c {:.10g} = min(N_out, N_in, B) to {:.0e}",
                                       rates.squared_update(),
                                       bound(std::abs(rates.squared_update() / *rates.rank - 1))));
  } else {
    record.set("rank", nullptr);
    if (rates.orthonormal)
      result.notes.push_back(
          fmt::format("E ||update||^2 = sum of c = {:.6g}", rates.squared_update()));
  }
  if (const NoiseMemory& noise = rates.noise; noise.lag.size() > 0) {
    Record memory;
    memory.set("lag", noise.lag);
    memory.set("correlation", noise.correlation);
    memory.set("sum", noise.sum);
    record.set("noise", memory);
    std::string lags;
    for (Index i = 0; i < noise.lag.size(); ++i)
      lags +=
          fmt::format("{}{:.3g} at lag {:g}", i ? ", " : "", noise.correlation[i], noise.lag[i]);
    result.notes.push_back(
        fmt::format("noise of steps is correlated: {}; over all lags {:.4g} times that of one step",
                    lags, noise.sum));
  } else {
    record.set("noise", nullptr);
  }
  if (rates.drift_error > 0)
    result.notes.push_back(fmt::format("estimated relative errors below {:.0e} of a, {:.0e} of c",
                                       bound(rates.drift_error), bound(rates.diffusion_error)));
}

int run(const CoefficientsArguments& options) {
  check(options.outputs);
  const Loaded loaded = load(options.file, options.signal);
  const Experiment& experiment = loaded.experiment;
  const double start = experiment.initial_risk();
  if (!options.risk && !(start > 0))
    throw InputError("problem.target, initial risk", start, "> 0; choose another by --risk");
  const ModeRates rates = mode_rates(experiment, options.risk.value_or(start));

  Result result;
  result.title = loaded.title;
  result.headings = line_headings(rates.on_nodes && spectral_of(experiment).has_value());
  result.record.set("optimizer", name_of(experiment.optimizer));
  result.record.set("batch", static_cast<double>(batch_of(experiment.optimizer)));
  result.record.set("risk", rates.risk);
  if (experiment.is_matrix() && rates.on_nodes) {
    add_matrix(result, experiment, rates);
  } else {
    add_row(result, experiment, rates);
  }
  add_checks(result, rates);
  if (options.modes) result.record.set("modes", modes_record(rates));
  const Trust numbers = trust(experiment, rates.risk, rates.any_signal);
  result.record.set("trust", to_record(numbers));
  result.notes.push_back(trust_line(numbers));
  std::vector<std::string> lines = rates.warnings;
  for (const std::string& line : warnings(numbers)) lines.push_back(line);
  result.record.set("warnings", lines);
  return emit(result, options.outputs);
}

}  // namespace

void add_coefficients(CLI::App& app, Action& action) {
  auto options = std::make_shared<CoefficientsArguments>();
  CLI::App* command = app.add_subcommand(
      "coefficients", "drift and noise of every mode, and how the optimizer preconditions them");
  add_file(*command, options->file);
  command->add_option("--risk", options->risk, "the excess risk R (default: that of the start)")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--signal", options->signal,
                   "spectral maps: small beside the noise, or full (of any size: the start's)")
      ->check(CLI::IsMember({"small", "full"}));
  command->add_flag("--modes", options->modes, "record the rates of all modes (--json, --out)");
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
