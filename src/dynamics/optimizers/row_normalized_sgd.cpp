// Rows of a gradient over their norms, signals of any size (docs/theory/signal.md#rows).
#include <cmath>

#include "dynamics/alike.hpp"
#include "dynamics/seen_gradient.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// Modes (i, j) of rows i; those of one i are the directions of a row.
FilteredMap row_map(const MatrixProblem& problem, const NoisePower& noise) {
  FilteredMap map;
  map.sees_means = true;
  const Index out = problem.covariance_out.spectrum.size(),
              in = problem.covariance_in.spectrum.size();
  const ArrayXd columns = problem.covariance_in.spectrum.multiplicity;
  map.answer = [=](const FilteredGradient& u, const FilteredAnswer*) {
    const double power = noise(u.risk);
    const ArrayXd own = with_own_part(problem, u, noise.noise_variance), of_noise = u.weight * own;
    const Errors y = errors_of(u);
    const ArrayXd gain = u.weight / std::sqrt(power);
    ArrayXXd by_mean(out, in), by_spread(out, in), square(out, in);
    for (Index i = 0; i < out; ++i) {
      const auto row = Eigen::seqN(i, in, out);
      const Normalised of = normalised(
          {columns, (gain * y.mean)(row), of_noise(row) + gain(row).square() * y.spread(row)});
      by_mean.row(i) = of.by_mean.transpose();
      by_spread.row(i) = of.by_spread.transpose();
      square.row(i) = of.square.transpose();
    }
    FilteredAnswer answer;
    const double scale = 1 / std::sqrt(power);
    answer.fresh = answer.held = answer.fresh_noise = scale * by_spread.reshaped();
    answer.fresh_of_mean = answer.held_of_mean = scale * by_mean.reshaped();
    answer.power = square.reshaped();
    answer.sampled = power * (u.weight > 0).select(own / u.weight.max(1e-300), 0.0);
    return answer;
  };
  // No covariance: of a row's norm alone, too little to count.
  return map;
}

}  // namespace

ModeSystem any_signal_system(const MatrixProblem& given, const RowNormalizedSgd& optimizer) {
  const MatrixProblem problem = merged_alike(given, kAlikeSigns);
  const Covariance& out = problem.covariance_out;
  if (out.spectrum.size() > 1 && out.orientation != Orientation::diagonal)
    throw InputError("problem.covariance_out: orientation",
                     out.orientation == Orientation::given ? "\"given\"" : "\"generic\"",
                     "\"diagonal\", or equal eigenvalues: rows are normalised in coordinates");
  MatrixProblem turned = problem;
  if (turned.covariance_in.orientation == Orientation::given)
    turned.covariance_in.orientation = Orientation::generic;  // rows' norms do not see it
  ModeSystem system = mode_system(turned, SignSgd{optimizer.batch});
  const NoisePower noise = noise_power(system, problem.noise.variance);
  system.filtered = row_map(problem, noise);
  system.observable.clear();
  system.drift_loss = nullptr;
  system.correlation = nullptr;
  system.shared_noise = nullptr;
  // What slow observers are told: the slopes of the start.
  FilteredGradient u;
  u.weight = system.weight;
  u.multiplicity = system.multiplicity;
  u.risk = u.memory = std::max(system.risk(system.initial), kVanishedRisk);
  u.error = system.initial / system.multiplicity;
  u.mean = u.error.sqrt();
  const FilteredAnswer answer = system.filtered->answer(u, nullptr);
  system.drift = (system.weight * answer.fresh_of_mean).max(0.0);
  system.diffusion = answer.power * system.multiplicity;
  system.response = [noise, start = noise(u.risk)](const Now& now) {
    return Response{ArrayXd::Constant(1, std::sqrt(start / noise(now.risk))), ArrayXd::Ones(1)};
  };
  return system;
}

}  // namespace riskcurve
