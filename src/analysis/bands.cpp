#include "riskcurve/analysis/bands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr Eigen::Index kMostModes = 20000;
constexpr Eigen::Index kMostSweeps = 48, kTable = 48;
constexpr double kQuantile95 = 1.959963984540054;

/// Shared noise along a curve, linear between a few of its nodes: it varies slowly, and its
/// expectations may be costly.
struct Interpolated {
  std::vector<double> time;
  std::vector<SharedNoise> value;

  SharedNoise operator()(double t) const {
    const auto after = std::upper_bound(time.begin(), time.end(), t);
    if (after == time.begin()) return value.front();
    if (after == time.end()) return value.back();
    const auto i = static_cast<std::size_t>(after - time.begin());
    const double x = (t - time[i - 1]) / (time[i] - time[i - 1]);
    const SharedNoise &a = value[i - 1], &b = value[i];
    return {(1 - x) * a.progress + x * b.progress, (1 - x) * a.both + x * b.both,
            (1 - x) * a.size + x * b.size};
  }
};

}  // namespace

double variance(const Sensitivity& sensitivity,
                const std::function<SharedNoise(double t, double risk)>& shared) {
  const Sensitivity& s = sensitivity;
  if (s.scatter.size() != s.time.size())
    throw InputError("variance", "modes of unknown multiplicity", "an uncompressed mode system");
  double sum = 0;
  for (Eigen::Index i = 0; i < s.time.size(); ++i) {
    const double gamma = s.step[i], beta = 0.5 * s.curvature[i];
    const double alpha = gamma * beta - 0.5 * s.gradient[i];
    double rate = s.scatter[i];
    if (shared) {
      const SharedNoise noise = shared(s.time[i], s.risk_at[i]);
      rate += 4 * alpha * alpha * noise.progress - 4 * gamma * alpha * beta * noise.both +
              gamma * gamma * beta * beta * noise.size;
    }
    sum += s.weight[i] * gamma * gamma * rate;
  }
  return sum;
}

Bands bands(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve) {
  Bands result;
  const auto none = [&](const std::string& why) {
    result.missing = why;
    return result;
  };
  if (curve.status != RiskCurve::Status::ok) return none("the prediction stopped early");
  if (system.extra_initial.size() > 0) return none("the optimizer has states of its own");
  if (system.multiplicity.size() != system.modes() ||
      (system.multiplicity <= 0 && system.initial > 0).any())
    return none("the modes that hold the spectra do not say how many directions they stand for");
  if (system.modes() > kMostModes)
    return none(fmt::format("{} modes, of at most {}", system.modes(), kMostModes));

  const Eigen::Index times = curve.steps.size();
  std::vector<Eigen::Index> swept;
  for (Eigen::Index i = 0; i < times; ++i)
    if (curve.steps[i] > 0 && curve.risk[i] > 0) swept.push_back(i);  // at rest in 0: no spread
  const auto all = static_cast<Eigen::Index>(swept.size());
  if (all > kMostSweeps) {
    std::vector<Eigen::Index> few;
    for (Eigen::Index i = 0; i < kMostSweeps; ++i)
      few.push_back(swept[static_cast<std::size_t>(i * (all - 1) / (kMostSweeps - 1))]);
    swept = few;
  }

  SolveOptions options;
  options.rtol = 1e-6;
  Interpolated table;
  Eigen::ArrayXd relative = Eigen::ArrayXd::Zero(times);
  for (auto at = swept.rbegin(); at != swept.rend(); ++at) {
    const Sensitivity s = sensitivity(system, experiment.schedule, curve.steps[*at], options);
    if (s.curve.status != RiskCurve::Status::ok) return none("the sweep back: " + s.curve.message);
    if (at == swept.rbegin()) {
      const auto shared = shared_noise(experiment);
      const Eigen::Index nodes = s.time.size(), stride = std::max<Eigen::Index>(1, nodes / kTable);
      for (Eigen::Index i = 0; shared && i < nodes; i += stride) {
        if (!table.time.empty() && s.time[i] <= table.time.back()) continue;
        table.time.push_back(s.time[i]);
        table.value.push_back(shared(s.time[i], s.risk_at[i]));
        if (!std::isfinite(table.value.back().size))
          return none("the label noise has no fourth moment, and single steps of sgd no variance");
      }
    }
    const double sum =
        table.time.empty() ? variance(s) : variance(s, [&](double t, double) { return table(t); });
    relative[*at] = std::sqrt(std::max(0.0, sum)) / s.risk;
  }
  for (std::size_t j = 0; j + 1 < swept.size(); ++j)
    for (Eigen::Index i = swept[j] + 1; i < swept[j + 1]; ++i) {
      const double x = (curve.steps[i] - curve.steps[swept[j]]) /
                       (curve.steps[swept[j + 1]] - curve.steps[swept[j]]);
      relative[i] = (1 - x) * relative[swept[j]] + x * relative[swept[j + 1]];
    }
  result.missing.clear();
  result.deviation = curve.risk * relative;
  result.low = curve.risk * (-kQuantile95 * relative).exp();
  result.high = curve.risk * (kQuantile95 * relative).exp();
  return result;
}

}  // namespace riskcurve
