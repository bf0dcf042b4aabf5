#include "riskcurve/analysis/predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "analysis/few_modes.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {
/// More modes than these are merged, where no observable needs each of them: always, above the
/// last.
constexpr Eigen::Index kCompressAbove = 256, kCompressAlways = 4096;

/// Whether an observable of the start is lost in merged modes.
bool loses_an_observable(const ModeSystem& full, const ModeSystem& few) {
  const auto at_start = [](const ModeSystem& system, const auto& observe) {
    const Now now{0, 0, system.risk(system.initial), system.extra_initial, &system.initial};
    return observe(system, now, system.initial);
  };
  for (const auto& [name, observe] : full.observable)
    if (std::isnan(at_start(few, observe)) && !std::isnan(at_start(full, observe))) return true;
  return false;
}

/// Step by step, modes are merged where steps times modes are many.
constexpr double kMergeAbove = 2e6;
/// Steps too large for a continuum are taken one by one on runs of at most so many.
constexpr double kStepByStep = 1e7;

RiskCurve solved(const ModeSystem& full, const Experiment& experiment,
                 const SolveOptions& options) {
  const Eigen::ArrayXd& at = experiment.run.at;
  const double horizon = at[at.size() - 1];
  const bool stepped = full.blocks || options.method == Method::recursion;
  const bool merged =
      stepped && horizon * static_cast<double>(full.modes()) > kMergeAbove && horizon > 0;
  if (options.keep_modes) return solve(full, experiment.schedule, at, options);
  if (stepped)
    return merged || full.modes() > kCompressAlways
               ? solve(FewModes(full, horizon).under(experiment.schedule), experiment.schedule, at,
                       options)
               : solve(full, experiment.schedule, at, options);
  const bool always = full.modes() > kCompressAlways;
  if (!always && (full.modes() <= kCompressAbove || options.method != Method::exponential))
    return solve(full, experiment.schedule, at, options);
  FewModes merged_slow(full, horizon);
  const ModeSystem& few = merged_slow.under(experiment.schedule);
  const bool whole = !always && loses_an_observable(full, few);
  return solve(whole ? full : few, experiment.schedule, at, options);
}

/// What is not known of runs as far from the curve as a large signal takes them.
std::string too_large_a_signal(const Trust& trust) {
  if (!(trust.signal > kTrustedSignal) || trust.any_signal) return "";
  return fmt::format(
      "the signal is {:.3g} times the sampling noise, above {:g}: runs part from the curve by more "
      "than they scatter",
      trust.signal, kTrustedSignal);
}

/// Bands around one curve as those around another.
void scale(Bands& bands, const RiskCurve& from, const RiskCurve& to, bool averaged) {
  if (!bands.missing.empty() || from.risk.size() != to.risk.size()) return;
  const Eigen::ArrayXd factor = averaged ? Eigen::ArrayXd(to.averaged_risk / from.averaged_risk)
                                         : Eigen::ArrayXd(to.risk / from.risk);
  for (Eigen::ArrayXd* of : {&bands.deviation, &bands.shift, &bands.low, &bands.high})
    *of = (from.risk > 0).select(*of * factor, *of);
}

/// Where few directions, not a large signal, asked for rates of any: relative bands of the others.
Bands bands_of_small_signal(const Experiment& experiment, const RiskCurve& curve, bool averaged) {
  ModeSystem system = mode_system(experiment);
  system.drift_loss = nullptr;  // the curve has it
  const RiskCurve small = solve(system, experiment.schedule, experiment.run.at);
  Bands result = bands(system, experiment.schedule, small, averaged);
  scale(result, small, curve, averaged);
  return result;
}

/// Steps of rates for any signal, both sides graded, that bands may take.
constexpr double kMostOfBothSides = 2000;

/// The mean of runs of a map of singular values, which differs from the curve of a small signal by
/// O(1/N): the rates for any know what residuals know of their own rows and columns.
std::optional<RiskCurve> mean_of_runs(const Experiment& experiment) {
  const auto spectral = spectral_of(experiment);
  if (!spectral || experiment.chain.batch || experiment.chain.local) return {};
  // What grows towards g = 0 hangs on the smallest singular values, which those rates do not know.
  if (spectral->function.low_power < 0) return {};
  const MatrixProblem& problem = experiment.matrix();
  const bool both =
      std::min(problem.covariance_out.spectrum.size(), problem.covariance_in.spectrum.size()) > 1;
  const Eigen::ArrayXd& at = experiment.run.at;
  if (!any_signal_is_known(problem, experiment.optimizer) ||
      (both && at[at.size() - 1] > kMostOfBothSides))
    return {};
  Experiment of = experiment;
  of.signal = Signal::full;
  RiskCurve mean = solve(mode_system(of), of.schedule, at);
  if (mean.status != RiskCurve::Status::ok) return {};
  return mean;
}

/// Bands around the curve, around the mean of runs.
void move_to_mean(Bands& bands, const RiskCurve& curve, const RiskCurve& mean, bool averaged) {
  scale(bands, curve, mean, averaged);
  bands.shift += averaged ? Eigen::ArrayXd(mean.averaged_risk - curve.averaged_risk)
                          : Eigen::ArrayXd(mean.risk - curve.risk);
}

double largest_step(const Experiment& experiment) {
  double largest = 0;
  for (const double t : experiment.run.at) largest = std::max(largest, experiment.schedule(t));
  return largest;
}

}  // namespace

Prediction predict(const Experiment& experiment, const SolveOptions& options, bool with_bands) {
  const ModeSystem full =
      mode_system(experiment, options.keep_modes ? Grids::listed : Grids::compressed);
  Prediction prediction;
  prediction.stepped =
      (full.blocks && options.method != Method::dopri5) || options.method == Method::recursion;
  prediction.curve = solved(full, experiment, options);
  prediction.noise_variance = full.noise_variance;
  prediction.trust = trust(experiment, full, prediction.curve);
  const double rate = prediction.trust.step_rate;
  if (!prediction.stepped && options.method == Method::exponential && rate > kTrustedStepRate &&
      experiment.run.at[experiment.run.at.size() - 1] <= kStepByStep &&
      full.extra_initial.size() == 0) {
    SolveOptions stepping = options;
    stepping.method = Method::recursion;
    prediction.curve = solved(full, experiment, stepping);
    prediction.stepped = true;
    prediction.curve.warnings.push_back(
        fmt::format("the fastest mode decays at rate {:.3g} a step, above {:g}: too large for a "
                    "continuous-time limit, solved step by step",
                    rate, kTrustedStepRate));
  }
  if (prediction.stepped) prediction.trust.step_rate = NAN;
  RiskCurve& curve = prediction.curve;
  for (const std::string& line : warnings(prediction.trust)) curve.warnings.push_back(line);
  if (!experiment.is_matrix() && experiment.vector().covariance.sample_rows)
    curve.warnings.emplace_back(
        "runs draw rows of the data, the prediction assumes Gaussian x of the same covariance");

  prediction.largest_stable_step = largest_stable_step(full);
  const double largest = largest_step(experiment);
  if (largest > prediction.largest_stable_step)
    curve.warnings.push_back(
        fmt::format("step size {:.4g} exceeds the largest stable step {:.4g}: the risk grows",
                    largest, prediction.largest_stable_step));
  if (!with_bands) return prediction;
  const std::string missing = too_large_a_signal(prediction.trust);
  const Experiment small = with_small_signal(experiment);
  std::optional<std::optional<RiskCurve>> mean;  // of both bands, once it is asked for
  const auto bands_of = [&](bool averaged) {
    Bands result;
    if (missing.empty() && full.filtered && prediction.trust.signal <= kTrustedSignal &&
        small.signal != experiment.signal)
      result = bands_of_small_signal(small, curve, averaged);
    else if (missing.empty()) {
      result = bands(full, experiment.schedule, curve, averaged);
      if (full.filtered || !result.missing.empty()) return result;
      if (!mean) mean = mean_of_runs(experiment);
      if (*mean) move_to_mean(result, curve, **mean, averaged);
    } else
      result.missing = missing;
    return result;
  };
  prediction.bands = bands_of(false);
  if (curve.averaged_risk.size() > 0) prediction.averaged_bands = bands_of(true);
  if (!prediction.bands->missing.empty())
    curve.warnings.push_back("no bands: " + prediction.bands->missing);
  return prediction;
}

}  // namespace riskcurve
