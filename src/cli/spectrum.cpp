#include <fmt/format.h>

#include <memory>

#include "analysis/spectrum_rows.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/input/input.hpp"

namespace riskcurve::cli {
namespace {

struct SpectrumArguments {
  std::string file;
  Outputs outputs;
};

constexpr int shown_rows = 16;

Record to_table(const SpectrumRows& rows) {
  Record table;
  table.column("index", rows.index);
  table.column("eigenvalue", rows.value);
  table.column("trace_percent", rows.trace_percent);
  return table;
}

Record facts_of(const Covariance& covariance, const std::optional<PowerLawFit>& fit) {
  const Spectrum& spectrum = covariance.spectrum;
  Record record;
  record.set("kind", covariance.kind);
  record.set("dimension", spectrum.dimension());
  record.set("trace", spectrum.trace());
  record.set("norm", spectrum.norm());
  record.set("mean", spectrum.mean());
  record.set("intrinsic_dimension", spectrum.intrinsic_dimension());
  if (fit) {
    Record law;
    law.set("alpha", fit->alpha);
    law.set("prefactor", fit->prefactor);
    law.set("first", fit->first);
    law.set("last", fit->last);
    law.set("deviation", fit->deviation);
    record.set("power_law", law);
  } else {
    record.set("power_law", nullptr);
  }
  record.column("first", spectrum.first);
  record.column("last", spectrum.last);
  record.column("eigenvalue", spectrum.value);
  record.column("multiplicity", spectrum.multiplicity);
  std::vector<std::string> warnings;
  if (!covariance.remark.empty()) warnings.push_back(covariance.remark);
  record.set("warnings", warnings);
  return record;
}

Figure to_figure(const Spectrum& spectrum, const std::optional<PowerLawFit>& fit,
                 const std::string& title) {
  Figure figure;
  figure.title = title;
  figure.x_label = "index j";
  figure.y_label = "eigenvalue λ";
  figure.log_x = true;
  figure.log_y = true;
  // A run of equal eigenvalues is drawn from its first to its last index.
  Eigen::ArrayXd x(2 * spectrum.size()), y(2 * spectrum.size());
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    x.segment(2 * k, 2) << spectrum.first(k), spectrum.last(k);
    y.segment(2 * k, 2) = spectrum.value(k);
  }
  figure.series.push_back({Series::Style::points, "eigenvalues", x, y, {}});
  if (fit) {
    Eigen::ArrayXd ends(2);
    ends << fit->first, fit->last;
    figure.series.push_back({Series::Style::dashes,
                             fmt::format("{:.3g} j^(-2 · {:.3f})", fit->prefactor, fit->alpha),
                             ends,
                             Eigen::ArrayXd(fit->prefactor * ends.pow(-2 * fit->alpha)),
                             {}});
  }
  return figure;
}

int run(const SpectrumArguments& options) {
  check(options.outputs);
  const Covariance covariance = read_covariance(options.file);
  const Spectrum& spectrum = covariance.spectrum;
  const auto fit = fit_power_law(spectrum);

  Result result;
  result.title = fmt::format("{} covariance, d = {:.10g}", covariance.kind, spectrum.dimension());
  result.record = facts_of(covariance, fit);
  result.notes = {
      fmt::format("trace                {:.6g}", spectrum.trace()),
      fmt::format("largest eigenvalue   {:.6g}", spectrum.norm()),
      fmt::format("mean eigenvalue      {:.6g}", spectrum.mean()),
      fmt::format("intrinsic dimension  {:.6g}", spectrum.intrinsic_dimension()),
      fit ? fmt::format(
                "power law            {:.4g} j^(-2 alpha), alpha = {:.4f}, for j = {:.10g} to "
                "{:.10g} (within {:.2g} %, root mean square)",
                fit->prefactor, fit->alpha, fit->first, fit->last, 100 * fit->deviation)
          : "power law            none over a factor of ten in j"};
  result.figure = to_figure(spectrum, fit, result.title);
  result.table = to_table(spectrum_rows(spectrum, shown_rows));
  result.headings = {{"index j", "index", "{:.10g}"},
                     {"eigenvalue", "eigenvalue"},
                     {"% of trace up to j", "trace_percent", "{:.4g}"}};
  return emit(result, options.outputs);
}

}  // namespace

void add_spectrum(CLI::App& app, Action& action) {
  auto options = std::make_shared<SpectrumArguments>();
  CLI::App* command = app.add_subcommand("spectrum", "what the covariance looks like");
  add_file(*command, options->file);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
