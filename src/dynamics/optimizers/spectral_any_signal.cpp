// Spectral maps of a filtered gradient, signals of any size (docs/theory/signal.md).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <variant>
#include <vector>

#include "dynamics/alike.hpp"
#include "dynamics/filtered_resolvent.hpp"
#include "dynamics/filtered_variance.hpp"
#include "dynamics/folded_pairs.hpp"
#include "dynamics/signal.hpp"
#include "dynamics/two_sided_spectral.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr double kAlike = 4;            // bins an octave of eigenvalues
constexpr double kMostBins = 16;        // of either side, where both are graded
constexpr double kRoughNodeStep = 1.5;  // 1e-4
constexpr double kMirrored = 1e-9;      // of shares: roundoff
constexpr double kAlone = 0.8;          // of |U|_F: more in one direction, and f's ripples show
constexpr double kFewOfRisk = 3;  // singular directions that share the risk: fewer, and they do
constexpr double kManySamples =
    20;                      // seen at once, over a side: more, and singular values of Delta
constexpr double kFlat = 5;  // fall one by one, but for steep spectra (intrinsic dimension)

/// One side's eigenvalues, merged where they are alike.
struct GradedSide {
  ArrayXd value, count;
  std::vector<Index> bin;  // of every node; -1: eigenvalues of 0, which take no part
};

/// So many bins an octave; 0: none are merged.
GradedSide side_of(const ArrayXd& all, const ArrayXd& multiplicity, double bins) {
  GradedSide side{{}, {}, bins_of(all, bins)};
  side.value = side.count = ArrayXd::Zero(*std::max_element(side.bin.begin(), side.bin.end()) + 1);
  for (Index j = 0; j < all.size(); ++j)
    if (const Index at = side.bin[static_cast<std::size_t>(j)]; at >= 0) {
      side.value[at] += all[j] * multiplicity[j];
      side.count[at] += multiplicity[j];
    }
  side.value /= side.count;
  return side;
}

/// The modes of a map that sees any signal.
struct AnySignal {
  ArrayXd weight, multiplicity, initial;
  FilteredMap map;
  /// Variance of a gradient's entry of these errors, over h^2 and 2P.
  std::function<ArrayXd(const ArrayXd& error)> sampled;
  double entries = 1;  // of a mode that stand in one singular direction, where it is large
};

struct Asks {
  double batch;
  const NoiseLaw& noise;
  const SingularFunction& function;
  bool merge, rough;
};

/// Rows alike: `of` the graded side's spectrum, times the other's eigenvalue; s(0) over all rows.
AnySignal one_graded(const Spectrum& rows, const Spectrum& of, const ArrayXd& initial,
                     const Asks& asks) {
  const double n = rows.multiplicity[0];
  const GradedSide side = side_of(rows.value[0] * of.value, of.multiplicity,
                                  asks.merge && of.size() > kMergeAbove ? kAlike : 0);
  AnySignal modes{side.value, n * side.count, ArrayXd::Zero(side.value.size()), {}, {}};
  for (Index j = 0; j < of.size(); ++j)
    if (const Index at = side.bin[static_cast<std::size_t>(j)]; at >= 0)
      modes.initial[at] += rows.value[0] * of.value[j] * initial[j];
  modes.initial /= side.value;  // their share of the risk stays
  modes.map =
      filtered_map(n, asks.batch, asks.noise, asks.function, asks.rough ? kRoughNodeStep : 1);
  modes.sampled = [columns = Columns{n, asks.batch, side.value, side.count}](const ArrayXd& error) {
    return sampled_variance(columns, error);
  };
  modes.entries = n;
  return modes;
}

/// At most so many bins.
GradedSide few_of(const Spectrum& spectrum, bool merge) {
  const double octaves = std::log2(
      spectrum.norm() / (spectrum.value > 0).select(spectrum.value, spectrum.norm()).minCoeff());
  const bool few = static_cast<double>(spectrum.size()) <= kMostBins;
  return side_of(spectrum.value, spectrum.multiplicity,
                 merge && !few ? std::min(kAlike, kMostBins / std::max(octaves, 1e-3)) : 0);
}

/// rows: the side of fewer bins.
AnySignal both_graded(const GradedSide& rows, const GradedSide& columns, const ArrayXXd& share,
                      const Asks& asks) {
  const TwoSides sides{asks.batch,    rows.value,    rows.count,
                       columns.value, columns.count, asks.rough};
  const auto outer = [](const ArrayXd& a, const ArrayXd& b) -> ArrayXd {
    return (a.matrix() * b.matrix().transpose()).reshaped();
  };
  AnySignal modes{outer(rows.value, columns.value), outer(rows.count, columns.count), {}, {}, {}};
  ArrayXXd initial = ArrayXXd::Zero(sides.out(), sides.in());
  for (Index i = 0; i < share.rows(); ++i)
    for (Index j = 0; j < share.cols(); ++j) {
      const Index a = rows.bin[static_cast<std::size_t>(i)],
                  b = columns.bin[static_cast<std::size_t>(j)];
      if (a >= 0 && b >= 0) initial(a, b) += share(i, j);
    }
  modes.initial = initial.reshaped() / modes.weight;
  modes.map = filtered_map(sides, asks.noise, asks.function);
  modes.sampled = [sides, weight = modes.weight](const ArrayXd& error) {
    return sampled_variance(sides, weight, error);
  };
  return modes;
}

/// Of both sides alike, a pair and its mirror image as one.
AnySignal folded(const AnySignal& modes, Index n) {
  const auto pairs = std::make_shared<const FoldedPairs>(n, modes.multiplicity);
  const auto kept = [pairs](const ArrayXd& all) { return ArrayXd(all(pairs->kept)); };
  AnySignal one{kept(modes.weight),
                kept(modes.multiplicity) * pairs->times,
                kept(modes.initial) * pairs->times,
                modes.map,
                {}};
  one.map.answer = [pairs, kept, answer = modes.map.answer](const FilteredGradient& u,
                                                            const FilteredAnswer* last) {
    FilteredAnswer of = answer(pairs->unfolded(u), last);
    for (ArrayXd* all : {&of.fresh, &of.held, &of.fresh_noise, &of.sampled, &of.power})
      *all = kept(*all);
    return of;
  };
  one.map.covariance = [pairs, kept, covariance = modes.map.covariance](
                           const FilteredAnswer& now, const FilteredAnswer& then,
                           const ArrayXd& correlation) -> ArrayXd {
    return kept(covariance(now, then, correlation(pairs->of)));
  };
  one.sampled = [pairs, kept, sampled = modes.sampled](const ArrayXd& error) -> ArrayXd {
    return kept(sampled(error(pairs->of)));
  };
  return one;
}

AnySignal any_signal(const MatrixProblem& problem, const Asks& asks) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  // Of two, the longer one: columns are then no more than rows.
  if (out.size() == 1 && (in.size() > 1 || out.multiplicity[0] >= in.multiplicity[0]))
    return one_graded(out, in, problem.initial.entries().row(0).transpose(), asks);
  if (in.size() == 1) return one_graded(in, out, problem.initial.entries().col(0), asks);
  const SingularFunction& f = asks.function;
  if (f.mixture.exponent != 0 || f.mixture.shift > 0 || f.linear > 0 || f.dropped > 0)
    throw InputError("problem.covariance_out.kind", problem.covariance_out.kind,
                     "one side isotropic: this map of signals that are not small is derived for "
                     "equal eigenvalues on one side");
  const GradedSide rows = few_of(out, asks.merge), columns = few_of(in, asks.merge);
  const ArrayXXd share =
      problem.initial.entries() * (out.value.matrix() * in.value.matrix().transpose()).array();
  const bool square = rows.value.size() == columns.value.size();
  if (asks.rough && square && (rows.value == columns.value).all() &&
      (rows.count == columns.count).all() &&
      ((share - share.transpose()).abs() <= kMirrored * share).all())
    return folded(both_graded(rows, columns, share, asks), columns.value.size());
  if (rows.value.size() <= columns.value.size()) return both_graded(rows, columns, share, asks);
  return both_graded(columns, rows, share.transpose(), asks);
}

/// Of |U|_F, the largest share of one singular direction.
double head_of(const AnySignal& modes, const FilteredGradient& u, const ArrayXd& sampled) {
  const ArrayXd variance = variance_of(u, sampled);
  return std::sqrt(modes.entries * variance.maxCoeff() / (u.multiplicity * variance).sum());
}

ModeSystem filled_any(const MatrixProblem& problem, const Filter& filter, int batch,
                      const SingularFunction& function, Grids grids) {
  if (!std::isfinite(problem.noise.variance))
    throw InputError("problem.noise.variance", "inf",
                     "a finite variance: signals that are not small are derived for it");
  const AnySignal modes =
      any_signal(problem, {static_cast<double>(batch), problem.noise, function,
                           grids != Grids::whole && grids != Grids::rough, grids == Grids::rough});
  ModeSystem system;
  system.weight = modes.weight;
  system.multiplicity = modes.multiplicity;
  system.initial = modes.initial;
  system.noise_variance = problem.noise.variance;
  system.filtered = modes.map;
  // What slow observers are told: slopes at the start, once the memory is full.
  const double beta = filter.momentum, p = filter.share_of(beta), risk = problem.initial_risk();
  FilteredGradient u = long_held(system, beta, 1 - p, p);
  u.risk = u.memory = std::max(risk, kVanishedRisk);
  const double power = 2 * u.risk + system.noise_variance;
  const ArrayXd sampled = power * modes.sampled(u.error / power);
  u.noise = (1 - beta) / (1 + beta) * sampled;
  if (function.normalised) {
    const double head = head_of(modes, u, sampled), rank = risk_rank(problem);
    const bool few = rank > 0 && rank < kFewOfRisk;  // 0: there is no risk
    if (head > kAlone || few)
      system.warnings.push_back(
          (few ? fmt::format("the risk sits on {:.2g} singular directions, below {:g}", rank,
                             kFewOfRisk)
               : fmt::format("one singular direction has {:.2f} of |U|_F, above {:g}", head,
                             kAlone)) +
          ": Newton-Schulz ripples there, and runs may be off the curve by a tenth of the time or "
          "a quarter of the risk");
  }
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const double held =
      batch / std::min(out.dimension(), in.dimension()) * std::sqrt((1 + beta) / (1 - beta));
  if (held > kManySamples && std::min(out.intrinsic_dimension(), in.intrinsic_dimension()) > kFlat)
    system.warnings.push_back(
        fmt::format("the batch over the lesser side, times the root of (1 + momentum)/(1 - "
                    "momentum), is {:.3g}, above {:g}: singular values of the error shrink one by "
                    "one, and runs may fall up to a tenth later than the curve",
                    held, kManySamples));
  const FilteredAnswer answer = system.filtered->answer(u, nullptr);
  system.drift = (modes.weight * (u.fresh * answer.fresh + u.share * answer.held)).max(0.0);
  system.diffusion = answer.power * system.multiplicity;
  system.response = [power, degree = function.mixture.exponent,
                     variance = system.noise_variance](const Now& now) {
    const double scale = std::sqrt((2 * now.risk + variance) / power);
    return Response{ArrayXd::Constant(1, std::pow(scale, degree - 1)),
                    ArrayXd::Constant(1, std::pow(scale, 2 * degree))};
  };
  system.signal = signal_of(problem, batch * (1 + beta) / (1 - beta));
  return system;
}

bool one_side_alike(const MatrixProblem& problem) {
  return std::isfinite(problem.noise.variance) && (problem.covariance_out.spectrum.size() == 1 ||
                                                   problem.covariance_in.spectrum.size() == 1);
}

}  // namespace

bool any_signal_is_derived(const MatrixProblem& problem, const SignSvd&) {
  return std::isfinite(problem.noise.variance);
}
bool any_signal_is_derived(const MatrixProblem& problem, const Schatten&) {
  return one_side_alike(problem);
}
bool any_signal_is_derived(const MatrixProblem& problem, const RegularizedSvd&) {
  return one_side_alike(problem);
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
