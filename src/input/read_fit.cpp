// The file of a fit: the curves, and what they were trained with.
#include <fmt/format.h>

#include "input/loss_file.hpp"
#include "input/read.hpp"
#include "input/read_keys.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

/// The optimizer of [fit], unless the curve has its own.
void read_trained_with(const Fields& curve, const Fields& fit, double horizon, LossCurve& result) {
  const Fields& from = curve.has("optimizer") ? curve : fit;
  if (!from.has("optimizer"))
    throw InputError(fit.name("optimizer"), "missing",
                     "what the curves were trained with: { name = \"sgd\", batch = 1 }");
  Experiment update;
  read_update(from.table("optimizer"), horizon, update);
  result.optimizer = update.optimizer;
  result.chain = update.chain;
}

Schedule read_step_sizes(const Fields& curve, const LossFile& file, double horizon) {
  const int ways = int(curve.has("step")) + int(curve.has("schedule")) + int(file.has_step_size);
  if (ways == 0)
    throw InputError(curve.name("step"), "missing",
                     "a step size, a schedule, or a column lr in the file");
  if (ways > 1)
    curve.fail(curve.has("step") ? "step" : "schedule",
               "one of step, schedule and a column lr in the file");
  if (curve.has("step")) return constant_schedule(curve.number("step", Range::positive()));
  if (curve.has("schedule")) return read_schedule(curve.table("schedule"), 1, horizon);
  return file.curve.schedule;
}

LossCurve read_curve(const Fields& fields, const Fields& fit, bool fitted) {
  LossFile file;
  if (fitted || fields.has("path")) {
    file = read_loss_file(fields.path("path"), fields.name("path"));
    file.curve.name = fields.text("path");
  } else {
    const double steps = fields.integer("steps", Range::within(1, 1e15));
    file.curve.step = run_for(steps).at;
    file.curve.name = fmt::format("{:g} steps", steps);
  }
  LossCurve curve = file.curve;
  if (fitted && curve.loss.size() == 0) fields.fail("path", "a file with a column loss");
  const double horizon = curve.step[curve.step.size() - 1];
  curve.schedule = read_step_sizes(fields, file, horizon);
  const Fields& warm = fields.has("warmup") ? fields : fit;
  if (const double steps = warm.number_or("warmup", 0, Range::non_negative()); steps > 0)
    curve.schedule = warm_up(curve.schedule, steps);
  if (fields.has("kind")) curve.evaluated = fields.one_of("kind", {"batch", "eval"}) == "eval";
  read_trained_with(fields, fit, horizon, curve);
  return curve;
}

void read_prior(const Fields& priors, const char* key, bool logarithm, Prior& prior) {
  if (!priors.has(key)) return;
  const std::vector<double> pair = priors.numbers(key);
  if (pair.size() != 2 || !(pair[1] > 0) || (logarithm && !(pair[0] > 0)))
    priors.fail(key, logarithm ? "a median > 0, and a deviation > 0 of the logarithm"
                               : "a mean, and a deviation > 0");
  prior = {logarithm ? std::log(pair[0]) : pair[0], pair[1]};
}

}  // namespace

FitPlan read_fit(const std::string& path) {
  const Fields file = Fields::from_file(path);
  const Fields fit = file.table("fit");
  FitPlan plan;
  ReadKeys keys(fit);
  if (!fit.has("model"))
    throw InputError(fit.name("model"), "missing", "\"logs\" or \"least_squares\"");
  keys("model", plan.model, kFitModels);
  plan.priors = priors_of(plan.model);
  keys("from", plan.from, Range::non_negative());
  keys("starts", plan.starts, Range::wholes(10, 1e5));
  plan.seed = static_cast<std::uint64_t>(fit.integer_or("seed", 1, Range::within(0, 9e15)));
  if (fit.has("priors")) {
    const Fields priors = fit.table("priors");
    read_prior(priors, "alpha", false, plan.priors.alpha);
    read_prior(priors, "beta", false, plan.priors.beta);
    read_prior(priors, "dimension", true, plan.priors.log_dimension);
    read_prior(priors, "noise", true, plan.priors.log_noise);
    read_prior(priors, "spike_share", true, plan.priors.log_spike_share);
    read_prior(priors, "spike_rate", true, plan.priors.log_spike_rate);
  }
  for (const char* key : {"optimizer", "warmup"}) fit.has(key);
  for (const Fields& curve : file.tables("curve"))
    plan.curves.push_back(read_curve(curve, fit, true));
  if (file.has("predict"))
    for (const Fields& curve : file.tables("predict"))
      plan.predict.push_back(read_curve(curve, fit, false));
  if (file.has("best"))
    for (const Fields& goal : file.tables("best")) {
      FitGoal& added = plan.goals.emplace_back();
      added.steps = goal.integer("steps", Range::within(1, 1e15));
      added.batch = static_cast<int>(goal.integer_or(
          "batch", plan.curves.empty() ? 1 : batch_of(plan.curves.front().optimizer), kBatch));
    }
  file.reject_unknown();
  return plan;
}

}  // namespace riskcurve
