#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

/// Of a solve step by step, or by leaps.
std::string steps_taken(const RiskCurve& curve) {
  const double steps = curve.steps[curve.steps.size() - 1];
  if (static_cast<double>(curve.accepted) >= steps)
    return fmt::format("{} steps of the recursion, exact in the step size", curve.accepted);
  return fmt::format("{:.0f} steps of the recursion, many at once: in {}", steps, curve.accepted);
}

struct PredictArguments {
  std::string file;
  SolverChoice solver;
  Outputs outputs;
};

int predict(const PredictArguments& options) {
  check(options.outputs);
  const Loaded loaded = load(options.file, options.solver.signal);
  const Prediction prediction = run_prediction(loaded, options.solver);
  const RiskCurve& curve = prediction.curve;

  Result result;
  result.title = loaded.title;
  result.record = to_record(prediction);
  if (options.solver.modes) {
    result.record.set("mode_weight", mode_system(loaded.experiment, Grids::listed).weight);
  }
  result.headings = {
      {"step", "steps", "{:.10g}"}, {"risk R", "risk"}, {"population risk", "population_risk"}};
  if (curve.averaged_risk.size() > 0) result.headings.push_back({"averaged risk", "averaged_risk"});
  if (prediction.bands && prediction.bands->missing.empty()) {
    for (const char* name : {"deviation", "low", "high"}) result.headings.push_back({name, name});
  }
  for (const auto& [name, values] : curve.observable) {
    result.headings.push_back({name, "observables." + name});
  }
  result.notes = {prediction.stepped
                      ? steps_taken(curve)
                      : fmt::format("{} steps of the {} integrator ({} rejected)", curve.accepted,
                                    options.solver.method, curve.rejected),
                  trust_line(prediction.trust)};
  result.figure = to_figure(curve, loaded.title);
  riskcurve::add_bands(result.figure, prediction);
  if (curve.status != RiskCurve::Status::ok) {
    result.failure = fmt::format("prediction {}: {}", name(curve.status), curve.message);
  }
  return emit(result, options.outputs);
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  auto options = std::make_shared<PredictArguments>();
  CLI::App* command = app.add_subcommand("predict", "the risk curve of the high-dimensional limit");
  add_file(*command, options->file);
  add_solver(*command, options->solver);
  command->add_flag("--modes", options->solver.modes,
                    "record the second moment s_k of every mode (--json, --out)");
  add_bands(*command, options->solver);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return predict(*options); }; });
}

}  // namespace riskcurve::cli
