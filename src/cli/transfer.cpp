#include "riskcurve/analysis/transfer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Texts = std::vector<std::string>;

struct TransferArguments {
  std::string file;
  std::optional<double> tuned;
  Outputs outputs;
};

/// One row a quantity, or an optimizer: `of` of each of `items`.
template <class Item, class Of>
ArrayXd gathered(const std::vector<Item>& items, const Of& of) {
  ArrayXd values(static_cast<Index>(items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) values[static_cast<Index>(i)] = of(items[i]);
  return values;
}

void add_exponents(Result& result, const std::vector<Scaling>& scalings) {
  Record table;
  Texts names, skipped;
  for (const Scaling& scaling : scalings) {
    names.push_back(scaling.quantity);
    skipped.push_back(scaling.skipped);
    if (!scaling.skipped.empty())
      result.notes.push_back(fmt::format("{}: skipped: {}", scaling.quantity, scaling.skipped));
  }
  const auto end = [](const ArrayXd& x, Index i) { return x.size() ? x[i] : NAN; };
  table.set("quantity", names);
  table.set("from", gathered(scalings, [&](auto& s) { return end(s.value, 0); }));
  table.set("to", gathered(scalings, [&](auto& s) { return end(s.value, s.value.size() - 1); }));
  table.set("step", gathered(scalings, [](auto& s) { return s.step_exponent.value; }));
  table.set("step_error", gathered(scalings, [](auto& s) { return s.step_exponent.error; }));
  table.set("risk", gathered(scalings, [](auto& s) { return s.risk_exponent.value; }));
  table.set("risk_error", gathered(scalings, [](auto& s) { return s.risk_exponent.error; }));
  result.table = table;
  result.headings = {{"quantity x", "quantity"},
                     {"from", "from"},
                     {"to", "to"},
                     {"best step ~ x^", "step", "{:.4f}"},
                     {"±", "step_error", "{:.4f}"},
                     {"risk ~ x^", "risk", "{:.4f}"},
                     {"±", "risk_error", "{:.4f}"}};
  table.set("skipped", skipped);
  result.record.set("exponents", table);
}

/// Every point, one below the other, and a line of the figure for each quantity. Returns which
/// numbers each point leaves the range with.
Texts add_points(Result& result, const std::vector<Scaling>& scalings) {
  Texts names, untrusted;
  std::vector<double> value, step, risk;
  result.figure.x_label = "factor on the quantity";
  result.figure.y_label = "factor on the best step";
  result.figure.log_x = result.figure.log_y = true;
  for (const Scaling& scaling : scalings) {
    if (scaling.value.size() == 0) continue;
    names.insert(names.end(), static_cast<std::size_t>(scaling.value.size()), scaling.quantity);
    value.insert(value.end(), scaling.value.begin(), scaling.value.end());
    step.insert(step.end(), scaling.step.begin(), scaling.step.end());
    risk.insert(risk.end(), scaling.risk.begin(), scaling.risk.end());
    untrusted.insert(untrusted.end(), scaling.untrusted.begin(), scaling.untrusted.end());
    result.figure.series.push_back({Series::Style::line,
                                    scaling.quantity,
                                    ArrayXd(scaling.value / scaling.value[scaling.own]),
                                    ArrayXd(scaling.step / scaling.step[scaling.own]),
                                    {}});
  }
  const auto column = [&](const char* name, const std::vector<double>& x) {
    result.record.column(name, ArrayXd(ArrayXd::Map(x.data(), static_cast<Index>(x.size()))));
  };
  result.record.column("quantity", names);
  column("value", value);
  column("step", step);
  column("risk", risk);
  result.record.column("untrusted", untrusted);
  return untrusted;
}

void add_counterparts(Result& result, const std::vector<Counterpart>& found,
                      const std::optional<double>& tuned) {
  Record table;
  Texts names, skipped, untrusted_at;
  for (const Counterpart& now : found) {
    names.push_back(now.optimizer);
    untrusted_at.push_back(now.skipped.empty() ? untrusted(now.trust) : "");
    skipped.push_back(now.skipped);
    if (!now.skipped.empty())
      result.notes.push_back(fmt::format("{}: skipped: {}", now.optimizer, now.skipped));
  }
  table.set("optimizer", names);
  const ArrayXd ratio = gathered(found, [](auto& c) { return c.ratio; });
  const ArrayXd threshold = gathered(found, [](auto& c) { return c.threshold; });
  table.set("threshold", threshold);
  table.set("step", gathered(found, [](auto& c) { return c.step; }));
  table.set("ratio", ratio);
  if (tuned) table.set("start", ArrayXd(*tuned * ratio));
  table.set("risk", gathered(found, [](auto& c) { return c.risk; }));
  std::vector<Heading> headings = {{"optimizer", "optimizer"}};
  if (!threshold.isNaN().all()) headings.push_back({"threshold", "threshold"});
  headings.insert(headings.end(), {{"best step", "step"},
                                   {fmt::format("of that of {}", names[0]), "ratio"},
                                   {"start with", "start"},
                                   {"risk", "risk"}});
  std::string text = "\n" + to_table(table, headings);
  text.pop_back();  // a note ends its own line
  result.notes.push_back(text);
  table.set("untrusted", untrusted_at);
  table.set("skipped", skipped);
  result.record.set("optimizers", table);
}

/// Of the file's own problem at its best step; the points of the scan are counted.
void add_trust(Result& result, const Experiment& experiment, const Counterpart& own,
               const Texts& untrusted_at) {
  Texts lines;
  if (own.skipped.empty()) {
    result.record.set("trust", to_record(own.trust));
    result.notes.push_back("\n" + trust_line(own.trust));
    lines = warnings(own.trust);
    if (own.trust.signal > kTrustedSignal && !own.trust.any_signal &&
        mode_system(experiment).filtered)
      lines.emplace_back(
          "between two graded sides these searches take small signals; run.signal = \"full\" "
          "allows for any, in minutes");
  }
  if (const std::string points = untrusted_points(untrusted_at); !points.empty())
    lines.push_back(points);
  result.record.set("warnings", lines);
}

int run(const TransferArguments& options) {
  check(options.outputs);
  if (options.tuned && !(*options.tuned > 0 && std::isfinite(*options.tuned)))
    throw InputError("--tuned", *options.tuned, "a finite step size > 0");
  const Loaded loaded = load(options.file);
  const std::vector<std::string> quantities = transfer_quantities(loaded.experiment.is_matrix());
  const double parts = static_cast<double>(quantities.size()) + 1;

  Result result;
  result.title = result.figure.title = loaded.title;
  std::vector<Scaling> scalings;
  std::vector<Counterpart> found;
  {
    Progress progress("optimising");
    TransferOptions transfer;
    transfer.progress = [&](double fraction) {
      return progress((static_cast<double>(scalings.size()) + fraction) / parts);
    };
    for (const std::string& quantity : quantities)
      scalings.push_back(step_scaling(loaded.experiment, quantity, transfer));
    found = counterparts(loaded.experiment, transfer);
  }
  const Texts untrusted_at = add_points(result, scalings);
  add_exponents(result, scalings);
  add_counterparts(result, found, options.tuned);
  add_trust(result, loaded.experiment, found.front(), untrusted_at);
  return emit(result, options.outputs);
}

}  // namespace

void add_transfer(CLI::App& app, Action& action) {
  auto options = std::make_shared<TransferArguments>();
  CLI::App* command = app.add_subcommand(
      "transfer", "how the best step moves with batch, size, horizon, noise, optimizer");
  add_file(*command, options->file);
  command->add_option("--tuned", options->tuned,
                      "step tuned in practice for the file's optimizer: where to start the others");
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
