// Spectral maps of a filtered gradient, signals of any size (docs/theory/signal.md).
#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "dynamics/filtered_spectral.hpp"
#include "dynamics/signal.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr Index kMergeAbove = 48;     // columns; more are merged
constexpr double kFaintOctaves = 24;  // octaves below the largest: one bin each
constexpr double kAlike = 4;          // bins an octave of eigenvalues

/// Modes of the graded side; merged where the eigenvalues are alike.
struct Graded {
  double rows;
  ArrayXd value, count, initial;  // s(0): over all rows
};

Graded graded(const MatrixProblem& problem) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  // Of two, the longer one: columns are then no more than rows.
  if (out.size() == 1 && (in.size() > 1 || out.multiplicity[0] >= in.multiplicity[0]))
    return {out.multiplicity[0], out.value[0] * in.value, in.multiplicity,
            problem.initial.row(0).transpose()};
  if (in.size() == 1)
    return {in.multiplicity[0], in.value[0] * out.value, out.multiplicity, problem.initial.col(0)};
  throw InputError("problem.covariance_out.kind", problem.covariance_out.kind,
                   "one side isotropic: signals that are not small, and momentum before a spectral "
                   "map, are derived for equal eigenvalues on one side");
}

/// Without eigenvalues of 0, which take no part.
Graded merged(const Graded& all, bool alike) {
  Graded few{all.rows, {}, {}, {}};
  std::vector<double> value, count, initial;
  double bin = NAN;
  for (Index j = 0; j < all.value.size(); ++j) {
    if (!(all.value[j] > 0)) continue;
    const double octave = std::log2(all.value[j] / all.value.maxCoeff());
    const double at = std::floor((octave > -kFaintOctaves ? kAlike : 1) * octave);
    if (!alike || !(at == bin)) {
      bin = at;
      for (auto* list : {&value, &count, &initial}) list->push_back(0);
    }
    value.back() += all.value[j] * all.count[j];
    count.back() += all.count[j];
    initial.back() += all.value[j] * all.initial[j];
  }
  const auto array = [](const std::vector<double>& list) -> ArrayXd {
    return Eigen::Map<const ArrayXd>(list.data(), static_cast<Index>(list.size()));
  };
  few.count = array(count);
  few.value = array(value) / few.count;
  few.initial = array(initial) / few.value;  // their share of the risk stays
  return few;
}

ModeSystem filled_any(const MatrixProblem& problem, const Filter& filter, int batch,
                      const SingularFunction& function, Grids grids) {
  if (!std::isfinite(problem.noise.variance))
    throw InputError("problem.noise.variance", "inf",
                     "a finite variance: signals that are not small are derived for it");
  const Graded all = graded(problem),
               modes = merged(all, grids != Grids::whole && all.value.size() > kMergeAbove);
  ModeSystem system;
  system.weight = modes.value;
  system.multiplicity = modes.rows * modes.count;
  system.initial = modes.initial;
  system.noise_variance = problem.noise.variance;
  system.filtered = filtered_map(modes.rows, batch, problem.noise, function);
  // What slow observers are told: slopes at the start, once the memory is full.
  const double beta = filter.momentum, p = filter.share_of(beta), risk = problem.initial_risk();
  FilteredGradient u;
  u.weight = system.weight;
  u.multiplicity = system.multiplicity;
  u.time = 1e6;
  u.risk = u.memory = std::max(risk, kVanishedRisk);
  u.momentum = beta;
  u.fresh = 1 - p;
  u.share = p;
  u.error = u.cross = u.signal = system.initial / system.multiplicity;
  const double power = 2 * u.risk + system.noise_variance;
  u.noise = (1 - beta) / (1 + beta) * (power + 2 * modes.rows * modes.value * u.error) /
            (batch * modes.value);
  const FilteredAnswer answer = system.filtered->answer(u, nullptr);
  system.drift = (modes.value * (u.fresh * answer.fresh + u.share * answer.held)).max(0.0);
  system.diffusion = answer.power * system.multiplicity;
  system.response = [power, degree = function.mixture.exponent,
                     variance = system.noise_variance](const Now& now) {
    const double scale = std::sqrt((2 * now.risk + variance) / power);
    return Response{ArrayXd::Constant(1, std::pow(scale, degree - 1)),
                    ArrayXd::Constant(1, std::pow(scale, 2 * degree))};
  };
  system.signal = [problem, effective = batch * (1 + beta) / (1 - beta)](double at) {
    return signal_ratio(problem, effective, at);
  };
  return system;
}

}  // namespace

bool any_signal_is_derived(const MatrixProblem& problem) {
  return (problem.covariance_out.spectrum.size() == 1 ||
          problem.covariance_in.spectrum.size() == 1) &&
         std::isfinite(problem.noise.variance);
}

ModeSystem mode_system(const MatrixProblem& problem, const SignSvd& optimizer, const Filter& filter,
                       Grids grids) {
  return filled_any(problem, filter, optimizer.batch, {}, grids);
}

ModeSystem mode_system(const MatrixProblem& problem, const Schatten& optimizer,
                       const Filter& filter, Grids grids) {
  SingularFunction function;
  function.mixture.exponent = optimizer.exponent;
  return filled_any(problem, filter, optimizer.batch, function, grids);
}

ModeSystem mode_system(const MatrixProblem& problem, const RegularizedSvd& optimizer,
                       const Filter& filter, Grids grids) {
  SingularFunction function;
  function.mixture.shift = optimizer.epsilon;
  return filled_any(problem, filter, optimizer.batch, function, grids);
}

ModeSystem mode_system(const MatrixProblem& problem, const TruncatedSvd& optimizer,
                       const Filter& filter, Grids grids) {
  SingularFunction function;
  function.dropped = optimizer.share;
  return filled_any(problem, filter, optimizer.batch, function, grids);
}

ModeSystem mode_system(const MatrixProblem& problem, const MixedSvd& optimizer,
                       const Filter& filter, Grids grids) {
  SingularFunction function;
  function.linear = optimizer.share;
  return filled_any(problem, filter, optimizer.batch, function, grids);
}

ModeSystem mode_system(const MatrixProblem& problem, const Kaon& optimizer, const Filter& filter,
                       Grids grids) {
  const auto& values = std::get<UniformValues>(optimizer.spectrum.value());
  SingularFunction function;
  function.scale = values.mean();
  function.spread = values.variance() / (values.mean() * values.mean());
  return filled_any(problem, filter, optimizer.batch, function, grids);
}

bool signal_matters(const MatrixProblem& problem, int batch) {
  const double risk = problem.initial_risk();
  return risk > kVanishedRisk && (risk_rank(problem) < kManyDirections ||
                                  signal_ratio(problem, batch, risk) > kSmallSignal);
}

Filter filter_of(const Muon& optimizer) {
  Filter filter{optimizer.momentum, optimizer.nesterov};
  filter.share = filter.share_of(optimizer.momentum);
  return filter;
}

ModeSystem mode_system(const MatrixProblem& problem, const Muon& optimizer, Grids grids) {
  const double scale =
      optimizer.adjust(problem.covariance_out.dimension(), problem.covariance_in.dimension());
  return filled_any(problem, filter_of(optimizer), optimizer.batch,
                    {[optimizer](double g) { return optimizer.map(g); }, true, scale}, grids);
}

}  // namespace riskcurve
