#include "riskcurve/analysis/predict.hpp"

#include <fmt/format.h>

#include "analysis/few_modes.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {
/// Orientation::given is at most this large, and keeps its mode-by-mode observables.
constexpr Eigen::Index kCompressAbove = 4096;

/// Blocks are solved step by step: modes are merged where steps times modes are many.
constexpr double kMergeAbove = 2e6;

RiskCurve solved(const ModeSystem& full, const Experiment& experiment,
                 const SolveOptions& options) {
  const Eigen::ArrayXd& at = experiment.run.at;
  const double horizon = at[at.size() - 1];
  const bool stepped = full.blocks || options.method == Method::recursion;
  const bool merged =
      stepped && horizon * static_cast<double>(full.modes()) > kMergeAbove && horizon > 0;
  if (options.keep_modes || !(merged || full.modes() > kCompressAbove))
    return solve(full, experiment.schedule, at, options);
  if (!stepped) return solve(compress(full), experiment.schedule, at, options);
  return solve(FewModes(full, horizon).under(experiment.schedule), experiment.schedule, at,
               options);
}

}  // namespace

Prediction predict(const Experiment& experiment, const SolveOptions& options, bool with_bands) {
  const ModeSystem full = mode_system(experiment);
  Prediction prediction;
  prediction.curve = solved(full, experiment, options);
  RiskCurve& curve = prediction.curve;
  prediction.noise_variance = full.noise_variance;
  prediction.trust = trust(experiment, full, curve);
  for (const std::string& line : warnings(prediction.trust)) curve.warnings.push_back(line);
  if (!experiment.is_matrix() && experiment.vector().covariance.sample_rows)
    curve.warnings.emplace_back(
        "runs draw rows of the data, the prediction assumes Gaussian x of the same covariance");

  prediction.largest_stable_step = largest_stable_step(full);
  double largest = 0;
  for (Eigen::Index i = 0; i < experiment.run.at.size(); ++i)
    largest = std::max(largest, experiment.schedule(experiment.run.at[i]));
  if (largest > prediction.largest_stable_step)
    curve.warnings.push_back(
        fmt::format("step size {:.4g} exceeds the largest stable step {:.4g}: the risk grows",
                    largest, prediction.largest_stable_step));
  if (with_bands) {
    if (prediction.trust.signal > kTrustedSignal) {
      prediction.bands.emplace().missing = fmt::format(
          "the signal is {:.3g} times the sampling noise, above {:g}: runs part from the curve by "
          "more "
          "than they scatter",
          prediction.trust.signal, kTrustedSignal);
    } else {
      prediction.bands = bands(full, experiment.schedule, curve);
    }
    if (!prediction.bands->missing.empty())
      curve.warnings.push_back("no bands: " + prediction.bands->missing);
  }
  return prediction;
}

}  // namespace riskcurve
