#include "riskcurve/analysis/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

Trust trust(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve) {
  Trust numbers;
  numbers.intrinsic_dimension =
      experiment.is_matrix()
          ? std::min(experiment.matrix().covariance_out.spectrum.intrinsic_dimension(),
                     experiment.matrix().covariance_in.spectrum.intrinsic_dimension())
          : experiment.vector().covariance.spectrum.intrinsic_dimension();

  // A mode of multiplicity m holds m directions with a share s/m each.
  const Eigen::ArrayXd share = system.weight * system.initial;
  const double total = share.sum();
  double squares = 0;
  for (Eigen::Index k = 0; k < std::min(share.size(), system.multiplicity.size()); ++k)
    if (share[k] > 0) squares += share[k] * share[k] / std::max(1.0, system.multiplicity[k]);
  numbers.participation = squares > 0 ? total * total / squares : 0;

  for (Eigen::Index i = 0; i < curve.risk.size(); ++i) {
    if (!(curve.risk[i] > 0) || system.extra_initial.size() > 0) continue;
    const Response response = system.response(curve.steps[i], curve.risk[i], system.extra_initial);
    const double fastest = (system.drift.matrix() * response.drift.matrix()).maxCoeff();
    numbers.step_rate = std::max(numbers.step_rate, experiment.schedule(curve.steps[i]) * fastest);
  }
  if (experiment.is_matrix()) {
    numbers.rank = risk_rank(experiment.matrix());
    const std::string name = experiment.optimizer.text("name");
    const bool spectral = name == "sign_svd" || name == "schatten" || name == "regularized_svd";
    double largest = 0;  // sqrt(R)/||G - E G|| increases with R
    for (const double risk : curve.risk)
      if (std::isfinite(risk)) largest = std::max(largest, risk);
    if (spectral)
      numbers.signal =
          signal_ratio(experiment.matrix(), read_spectral(experiment.optimizer).batch, largest);
  }
  return numbers;
}

std::vector<std::string> warnings(const Trust& trust) {
  std::vector<std::string> lines;
  if (trust.intrinsic_dimension < kTrustedIntrinsicDimension)
    lines.push_back(fmt::format(
        "intrinsic dimension tr K/||K|| = {:.3g} is below {:g}: runs will scatter around the curve",
        trust.intrinsic_dimension, kTrustedIntrinsicDimension));
  if (trust.participation > 0 && trust.participation < kTrustedParticipation)
    lines.push_back(fmt::format(
        "only {:.3g} directions share the initial risk (participation ratio, below {:g}): runs "
        "will scatter around the curve",
        trust.participation, kTrustedParticipation));
  if (trust.step_rate > kTrustedStepRate)
    lines.push_back(fmt::format(
        "the fastest mode decays at rate {:.3g} a step, above {:g}: steps are too large for a "
        "continuous-time limit",
        trust.step_rate, kTrustedStepRate));
  if (trust.signal > kTrustedSignal)
    lines.push_back(fmt::format(
        "the signal ||K_out Delta K_in|| is {:.3g} times the sampling noise of the gradient in "
        "operator norm, above {:g}: batch too large or target of too low rank; runs decay more "
        "slowly than the curve",
        trust.signal, kTrustedSignal));
  if (trust.rank > 0 && trust.rank < kTrustedRank)
    lines.push_back(fmt::format(
        "the initial risk has only {:.3g} singular directions (effective rank, below {:g}): "
        "residuals are not Gaussian, and runs part from the curve",
        trust.rank, kTrustedRank));
  return lines;
}

double largest_stable_step(const ModeSystem& system) {
  if (system.drift.cols() != 1 || system.diffusion.cols() != 1 || system.extra_initial.size() > 0)
    return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (Eigen::Index k = 0; k < system.modes(); ++k)
    if (system.drift(k, 0) > 0)
      sum += system.weight[k] * system.diffusion(k, 0) / system.drift(k, 0);
  // n/(g R) tends to a constant (SGD) or to zero as R grows.
  const auto pull = [&](double risk) {
    const Response r = system.response(0, risk, system.extra_initial);
    return r.diffusion[0] / (r.drift[0] * risk);
  };
  const double scale = 1 + (std::isfinite(system.noise_variance) ? system.noise_variance : 0.0);
  const double far = pull(1e20 * scale), farther = pull(1e24 * scale);
  if (farther < 0.5 * far) return std::numeric_limits<double>::infinity();
  return 4 / (farther * sum);
}

}  // namespace riskcurve
