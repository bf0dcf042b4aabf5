// What the page asks of the library. Every question takes the text of a problem file and answers
// with the record that `riskcurve COMMAND --json` prints, or with {"error": {"field", "value",
// "expected", "line"}}.
#include "engine.hpp"

#include <emscripten.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/phase_table.hpp"
#include "riskcurve/analysis/preconditioning.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/transfer.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"

// The page is told how far a long answer is.
EM_JS(void, tell_progress, (double fraction), {
  if (Module.onProgress) Module.onProgress(fraction);
});

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

const char* answer(const std::function<std::string()>& question) {
  static std::string text;
  try {
    text = question();
  } catch (const std::exception& error) {
    nlohmann::ordered_json line{{"line", error.what()}};
    if (const auto* input = dynamic_cast<const InputError*>(&error)) {
      line["field"] = input->field();
      line["value"] = input->value();
      line["expected"] = input->expected();
    }
    text = nlohmann::ordered_json{{"error", line}}.dump(
        -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  return text.c_str();
}

/// The problem; what a page asks for with rates of small signals is a first look.
Experiment experiment_of(const char* toml, bool small = false) {
  Experiment experiment = parse_experiment(toml);
  if (small) experiment.signal = Signal::small;
  return experiment;
}

Record predicted(const Experiment& experiment, bool bands) {
  const Prediction prediction = predict(experiment, {}, bands);
  Record record = to_record(prediction);
  record.set("title", describe(experiment));
  if (prediction.curve.status != RiskCurve::Status::ok)
    record.set("failure", std::string("prediction ") + name(prediction.curve.status) + ": " +
                              prediction.curve.message);
  return record;
}

/// The best constant step, and what nine around it cost; of `optimum` without its trust numbers.
Record optimum_of(const Experiment& experiment) {
  ModeSystem full = mode_system(experiment);
  full.observable.clear();
  const ModeSystem system = compress(full);
  OptimumOptions options;
  options.solve.rtol = 1e-10;
  const Optimum best = best_step(system, experiment.run.steps, options);
  if (!best.found) throw Failure(best.message);
  Record record;
  record.set("step", best.step);
  record.set("risk", best.risk);
  record.set("steps", best.steps);
  record.set("slope", best.slope);
  record.set("evaluations", static_cast<long>(best.evaluations));
  record.set("largest_stable_step", largest_stable_step(system));
  record.set("stationary_risk", stationary_risk(system, best.step));
  const Neighbours near = neighbours(system, best, options.solve);
  const ArrayXd above = 100 * (near.risk / best.risk - 1);
  Record around;
  around.column("step", ArrayXd(near.factor * best.step));
  around.column("factor", near.factor);
  around.column("risk", near.risk);
  around.column("above_percent", ArrayXd((above.abs() < 1e-6).select(0, above)));
  record.set("around", around);
  return record;
}

/// At most so many modes are drawn, evenly in the logarithm of their number.
constexpr Index kShownModes = 120;

std::vector<Index> shown(Index count) {
  std::vector<Index> rows;
  for (Index i = 0; i < std::min(count, kShownModes); ++i) {
    const double share = kShownModes < count ? static_cast<double>(i) / (kShownModes - 1) : 0;
    const auto row = kShownModes < count
                         ? static_cast<Index>(std::pow(static_cast<double>(count), share)) - 1
                         : i;
    if (rows.empty() || row > rows.back()) rows.push_back(row);
  }
  return rows;
}

/// Drift and noise of the modes at the start, along the side that `coefficients` chooses.
Record rates_of(const Experiment& experiment) {
  const double start = experiment.initial_risk();
  if (!(start > 0)) throw InputError("problem.target, initial risk", start, "> 0");
  const ModeRates rates = mode_rates(experiment, start);
  const bool matrix = experiment.is_matrix() && rates.on_nodes;
  Modes modes;
  if (matrix)
    modes = modes_along(experiment.matrix(), runs_along_in(experiment.matrix()));
  else
    for (Index j = 0; j < rates.weight.cols(); ++j) modes.emplace_back(0, j);
  const std::vector<Index> rows = shown(std::ssize(modes));
  const auto column = [&](const auto& of) {
    ArrayXd values(std::ssize(rows));
    for (Index r = 0; r < values.size(); ++r) {
      const auto [i, j] = modes[static_cast<std::size_t>(rows[static_cast<std::size_t>(r)])];
      values[r] = of(i, j);
    }
    return values;
  };
  Record record;
  record.set("optimizer", name_of(experiment.optimizer));
  record.set("risk", rates.risk);
  record.column("index", column([&](Index i, Index j) -> double {
                  if (!rates.on_nodes) return static_cast<double>(j + 1);
                  if (!matrix) return experiment.vector().covariance.spectrum.last[j];
                  const MatrixProblem& of = experiment.matrix();
                  return runs_along_in(of) ? of.covariance_in.spectrum.last[j]
                                           : of.covariance_out.spectrum.last[i];
                }));
  record.column("h", column([&](Index i, Index j) { return rates.weight(i, j); }));
  record.column("drift", column([&](Index i, Index j) { return rates.drift(i, j); }));
  record.column("diffusion", column([&](Index i, Index j) { return rates.diffusion(i, j); }));
  record.column("exponent", column([&](Index i, Index j) {
                  const bool in = !matrix || runs_along_in(experiment.matrix());
                  return (in ? rates.exponent.in : rates.exponent.out)(i, j);
                }));
  record.set("step", experiment.schedule(0));
  return record;
}

/// The table "optimizers" of `transfer`.
Record counterparts_of(const Experiment& experiment, double tuned) {
  TransferOptions options;
  options.progress = [](double fraction) {
    tell_progress(fraction);
    return true;
  };
  const std::vector<Counterpart> found = counterparts(experiment, options);
  std::vector<std::string> names, skipped, untrusted_at;
  ArrayXd threshold(std::ssize(found)), step = threshold, ratio = threshold, risk = threshold;
  for (Index i = 0; i < step.size(); ++i) {
    const Counterpart& now = found[static_cast<std::size_t>(i)];
    names.push_back(now.optimizer);
    skipped.push_back(now.skipped);
    untrusted_at.push_back(now.skipped.empty() ? untrusted(now.trust) : "");
    threshold[i] = now.threshold;
    step[i] = now.step;
    ratio[i] = now.ratio;
    risk[i] = now.risk;
  }
  Record table;
  table.set("optimizer", names);
  table.set("threshold", threshold);
  table.set("step", step);
  table.set("ratio", ratio);
  table.set("start", ArrayXd(tuned * ratio));
  table.set("risk", risk);
  table.set("untrusted", untrusted_at);
  table.set("skipped", skipped);
  Record record;
  record.set("optimizers", table);
  record.set("warnings", found.front().skipped.empty() ? warnings(found.front().trust)
                                                       : std::vector<std::string>{});
  return record;
}

Optimizer map_optimizer(const std::string& name) {
  for (const Optimizer& optimizer : map_optimizers())
    if (name_of(optimizer) == name) return optimizer;
  throw InputError("optimizers", name, "one that a map takes");
}

/// A column of the map of `phases --small`, or a point of it.
Record phases_of(const PhasePlan& plan, double alpha, const ArrayXd& beta) {
  if (!(alpha > 0)) throw InputError("alpha", alpha, "a number > 0");
  const Table table = phase_table(plan, ArrayXd::Constant(1, alpha), beta);
  std::vector<std::vector<std::string>> rows;
  TableOptions options;
  options.threads = 1;
  Record record;
  record.set("map", to_record(table.columns, fill(table, "", options).rows));
  record.set("horizons", plan.horizon);
  record.set("warnings", phase_warnings(plan, alpha));
  return record;
}

}  // namespace
}  // namespace riskcurve

extern "C" {

EMSCRIPTEN_KEEPALIVE const char* ask_catalogue() {
  return riskcurve::answer([] { return riskcurve::catalogue(); });
}
/// `small`: a first look by the rates of small signals, which are quick.
EMSCRIPTEN_KEEPALIVE const char* ask_predict(const char* toml, int bands, int small) {
  return riskcurve::answer(
      [=] { return to_json(riskcurve::predicted(riskcurve::experiment_of(toml, small), bands)); });
}
EMSCRIPTEN_KEEPALIVE const char* ask_optimum(const char* toml, int small) {
  return riskcurve::answer(
      [=] { return to_json(riskcurve::optimum_of(riskcurve::experiment_of(toml, small))); });
}
EMSCRIPTEN_KEEPALIVE const char* ask_rates(const char* toml) {
  return riskcurve::answer(
      [=] { return to_json(riskcurve::rates_of(riskcurve::experiment_of(toml))); });
}
EMSCRIPTEN_KEEPALIVE const char* ask_counterparts(const char* toml, double tuned) {
  return riskcurve::answer([=] {
    if (!(tuned > 0 && std::isfinite(tuned)))
      throw riskcurve::InputError("tuned", tuned, "a finite step size > 0");
    return to_json(riskcurve::counterparts_of(riskcurve::experiment_of(toml), tuned));
  });
}
/// One-sided: a point of two sides takes ten seconds. `beta`: numbers between blanks.
EMSCRIPTEN_KEEPALIVE const char* ask_phases(const char* first, const char* second, double dimension,
                                            double batch, double alpha, const char* beta) {
  return riskcurve::answer([=] {
    riskcurve::check_range("batch", batch, riskcurve::Range::wholes(1, 2147483647));
    riskcurve::PhasePlan plan;
    plan.optimizers = {riskcurve::map_optimizer(first), riskcurve::map_optimizer(second)};
    plan.dimension = dimension;
    plan.batch = static_cast<int>(batch);
    plan.small = true;
    // As `phases` has them: from 10 to 10^6 steps, one in a decade.
    plan.horizon = Eigen::ArrayXd::LinSpaced(6, std::log(10.0), std::log(1e6)).exp();
    std::vector<double> values;
    std::istringstream text(beta);
    for (double x = 0; text >> x;) values.push_back(x);
    return to_json(
        riskcurve::phases_of(plan, alpha, Eigen::ArrayXd::Map(values.data(), std::ssize(values))));
  });
}

}  // extern "C"
