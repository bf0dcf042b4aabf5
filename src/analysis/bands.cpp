#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "analysis/normal_law.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr Eigen::Index kMostModes = 20000;
constexpr Eigen::Index kMostSweeps = 48, kTable = 48;

/// What is needed along a curve, linear between a few of its nodes: it varies slowly, and its
/// expectations may be costly.
struct Along {
  std::vector<double> time;
  std::vector<SharedNoise> shared;
  std::vector<double> loss;  ///< of drift; empty: none

  SharedNoise shared_at(double t) const {
    const auto [i, x] = between(t);
    const SharedNoise &a = shared[i], &b = shared[std::min(i + 1, time.size() - 1)];
    return {(1 - x) * a.progress_variance + x * b.progress_variance,
            (1 - x) * a.covariance + x * b.covariance,
            (1 - x) * a.size_variance + x * b.size_variance};
  }
  double loss_at(double t) const {
    const auto [i, x] = between(t);
    return (1 - x) * loss[i] + x * loss[std::min(i + 1, time.size() - 1)];
  }
  std::pair<std::size_t, double> between(double t) const {
    const auto after = std::upper_bound(time.begin(), time.end(), t);
    if (after == time.begin()) return {0, 0.0};
    const auto i = static_cast<std::size_t>(after - time.begin()) - 1;
    if (after == time.end()) return {i, 0.0};
    return {i, (t - time[i]) / (time[i + 1] - time[i])};
  }
};

/// dR(T) of a drift that is less by the fraction loss(t): int 2 gamma loss sum p a s dt.
double shift_of(const Sensitivity& s, const Along& along) {
  double sum = 0;
  for (Eigen::Index i = 0; i < s.time.size(); ++i)
    sum += 2 * s.weight[i] * s.step[i] * along.loss_at(s.time[i]) * s.progress[i];
  return sum;
}

/// At about kTable nodes of the sweep from the end of the run.
Along along_run(const ModeSystem& system, const Schedule& step, const Sensitivity& s,
                const SolveOptions& options) {
  Along along;
  const Eigen::Index stride = std::max<Eigen::Index>(1, s.time.size() / kTable);
  for (Eigen::Index i = 0; i < s.time.size(); i += stride) {
    if (!along.time.empty() && s.time[i] <= along.time.back()) continue;
    along.time.push_back(s.time[i]);
    along.shared.push_back(system.shared_noise(system.steady(s.time[i], s.step[i], s.risk_at[i])));
  }
  if (system.drift_loss) {
    SolveOptions keeping = options;
    keeping.keep_modes = true;
    const auto times = static_cast<Eigen::Index>(along.time.size());
    const RiskCurve curve =
        solve(system, step, Eigen::Map<const Eigen::ArrayXd>(along.time.data(), times), keeping);
    for (Eigen::Index i = 0; i < curve.modes.rows(); ++i) {
      const Eigen::ArrayXd modes = curve.modes.row(i).transpose();
      const double t = curve.steps[i];
      along.loss.push_back(
          system.drift_loss(system, Now{t, step(t), curve.risk[i], {}, &modes}, modes));
    }
    along.loss.resize(along.time.size(), along.loss.empty() ? 0 : along.loss.back());
  }
  return along;
}

/// The variance over s.unit^2.
double scaled_variance(const Sensitivity& s,
                       const std::function<SharedNoise(const Now& now)>& shared) {
  if (s.scatter.size() != s.time.size())
    throw InputError("variance", "modes of unknown multiplicity", "an uncompressed mode system");
  double sum = 0;
  for (Eigen::Index i = 0; i < s.time.size(); ++i) {
    const double gamma = s.step[i], beta = s.injected[i] / s.unit;
    const double alpha = s.progress[i] / s.unit;
    double rate = s.scatter[i];
    if (shared) {
      const SharedNoise noise = shared(Now{s.time[i], gamma, s.risk_at[i]});
      rate += 4 * alpha * alpha * noise.progress_variance -
              4 * gamma * alpha * beta * noise.covariance +
              gamma * gamma * beta * beta * noise.size_variance;
    }
    sum += s.weight[i] * gamma * gamma * rate;
  }
  return sum;
}

}  // namespace

double variance(const Sensitivity& sensitivity,
                const std::function<SharedNoise(const Now& now)>& shared) {
  return scaled_variance(sensitivity, shared) * sensitivity.unit * sensitivity.unit;
}

Bands bands(const ModeSystem& system, const Schedule& step, const RiskCurve& curve, bool averaged) {
  Bands result;
  const auto none = [&](const std::string& why) {
    result.missing = why;
    return result;
  };
  if (curve.status != RiskCurve::Status::ok) return none("the prediction stopped early");
  const Eigen::ArrayXd& center = averaged ? curve.averaged_risk : curve.risk;
  if (center.size() == 0) return none("there is no average of the iterates");
  if (system.filtered) return none("the spread of runs is not derived for a signal of any size");
  if (system.extra_initial.size() > 0) return none("the optimizer has states of its own");
  if (system.blocks && system.blocks->workers > 1)
    return none("the spread of workers that meet is not derived");
  if (system.multiplicity.size() != system.modes() ||
      (system.multiplicity <= 0 && system.initial > 0).any())
    return none("the modes that hold the spectra do not say how many directions they stand for");
  if (system.modes() > kMostModes)
    return none(fmt::format("{} modes, of at most {}", system.modes(), kMostModes));
  if (!system.shared_noise)
    return none(fmt::format("the noise that all directions share is not known for {}",
                            system.optimizer.empty() ? "this system" : system.optimizer));

  const Eigen::Index times = curve.steps.size();
  std::vector<Eigen::Index> swept;
  for (Eigen::Index i = 0; i < times; ++i)
    if (curve.steps[i] > 0 && center[i] > 0) swept.push_back(i);  // at rest in 0: no spread
  const auto all = static_cast<Eigen::Index>(swept.size());
  if (all > kMostSweeps) {
    std::vector<Eigen::Index> few;
    for (Eigen::Index i = 0; i < kMostSweeps; ++i)
      few.push_back(swept[static_cast<std::size_t>(i * (all - 1) / (kMostSweeps - 1))]);
    swept = few;
  }

  SolveOptions options;
  options.rtol = 1e-6;
  options.averaged = averaged;
  Along along;
  Eigen::ArrayXd relative = Eigen::ArrayXd::Zero(times), shift = relative;
  for (auto at = swept.rbegin(); at != swept.rend(); ++at) {
    const Sensitivity s = sensitivity(system, step, curve.steps[*at], options);
    if (s.curve.status != RiskCurve::Status::ok) return none("the sweep back: " + s.curve.message);
    if (at == swept.rbegin()) {
      along = along_run(system, step, s, options);
      for (const SharedNoise& noise : along.shared)
        if (!std::isfinite(noise.size_variance))
          return none("the label noise has no fourth moment, and single steps of sgd no variance");
    }
    const double sum =
        scaled_variance(s, [&](const Now& now) { return along.shared_at(now.time); });
    relative[*at] = std::sqrt(std::max(0.0, sum)) / (s.risk / s.unit);
    if (!along.loss.empty()) shift[*at] = shift_of(s, along) / s.risk;
  }
  for (std::size_t j = 0; j + 1 < swept.size(); ++j)
    for (Eigen::Index i = swept[j] + 1; i < swept[j + 1]; ++i) {
      const double x = (curve.steps[i] - curve.steps[swept[j]]) /
                       (curve.steps[swept[j + 1]] - curve.steps[swept[j]]);
      for (Eigen::ArrayXd* values : {&relative, &shift})
        (*values)[i] = (1 - x) * (*values)[swept[j]] + x * (*values)[swept[j + 1]];
    }
  result.missing.clear();
  result.deviation = center * relative;
  result.shift = center * shift;
  result.low = center * (shift - kQuantile95 * relative).exp();
  result.high = center * (shift + kQuantile95 * relative).exp();
  return result;
}

}  // namespace riskcurve
