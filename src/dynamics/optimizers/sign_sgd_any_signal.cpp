// SignSGD, signals of any size (docs/theory/signal.md#signs).
#include <cmath>
#include <memory>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "dynamics/alike.hpp"
#include "dynamics/coherent_law.hpp"
#include "dynamics/folded_pairs.hpp"
#include "dynamics/generic_signs.hpp"
#include "dynamics/given_signs.hpp"
#include "dynamics/seen_gradient.hpp"
#include "dynamics/sign_pairs.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using std::numbers::pi;

/// What is the same for all sign maps that see any signal.
struct SignSetting {
  NoisePower noise;
  SignedRows rows;
};

/// By coordinates: E sign = E_c erf(mu/sqrt(2 V)).
FilteredAnswer diagonal_answer(const Measure& c, const ArrayXd& noise, const FilteredGradient& u) {
  const Errors y = errors_of(u);
  FilteredAnswer answer;
  const Index modes = u.weight.size();
  answer.fresh = answer.fresh_of_mean = ArrayXd::Zero(modes);
  answer.power = (u.weight > 0).select(ArrayXd::Ones(modes), 0.0);
  for (Index i = 0; i < c.point.size(); ++i)
    for (Index k = 0; k < modes; ++k) {
      const double h = u.weight[k], gain = c.point[i] * h;
      if (!(h > 0)) continue;
      const double variance = noise[k] + gain * gain * y.spread[k];
      const double unit = gain / std::sqrt(2 * variance), x = unit * y.mean[k];
      const double w = c.weight[i] * 2 / std::sqrt(pi) * unit / h;
      answer.fresh[k] += w * std::exp(-x * x);
      answer.fresh_of_mean[k] +=
          w * (std::abs(x) < 1e-4 ? 1 - x * x / 3 : std::sqrt(pi) * std::erf(x) / (2 * x));
    }
  answer.held = answer.fresh_noise = answer.fresh;
  answer.held_of_mean = answer.fresh_of_mean;
  return answer;
}

/// The map of gradients around c h y, of noise of variance `noise` in these units.
FilteredMap sign_map(
    const SignSetting& setting, bool diagonal,
    const std::function<std::pair<Measure, ArrayXd>(const FilteredGradient& u)>& law,
    const std::function<ArrayXd(const FilteredGradient& u)>& sampled) {
  FilteredMap map;
  map.sees_means = true;
  map.lasting = !diagonal;
  map.answer = [=](const FilteredGradient& u, const FilteredAnswer*) {
    const auto [c, noise] = law(u);
    FilteredAnswer answer;
    if (diagonal) {
      answer = diagonal_answer(c, noise, u);
    } else {
      const Errors y = errors_of(u);
      answer = generic_signs(setting.rows, u,
                             {c, u.weight * y.mean, u.weight.square() * y.spread, noise});
    }
    answer.sampled = sampled(u);
    return answer;
  };
  if (!diagonal) map.covariance = rest_of_generic_signs;
  return map;
}

/// Of c, whose mean is known exactly.
std::function<CoherentLaw::At(double risk)> coherent_law(const VectorProblem& problem,
                                                         const SignSgd& optimizer,
                                                         const NoisePower& noise) {
  return [noise, drawn = CoherentLaw(problem.noise, optimizer.batch)](double risk) {
    CoherentLaw::At at = drawn.at(risk);
    at.c.point *= noise.phi(risk) * std::sqrt(pi / 2) / (at.c.point * at.c.weight).sum();
    return at;
  };
}

FilteredMap vector_map(const VectorProblem& problem, const SignSgd& optimizer,
                       const SignSetting& setting) {
  const auto coherent = coherent_law(problem, optimizer, setting.noise);
  const auto law = [coherent](const FilteredGradient& u) {
    const CoherentLaw::At at = coherent(u.risk);
    const ArrayXd left = u.weight - u.weight.square() * u.error / at.power;
    return std::pair(at.c, ArrayXd(left.max(1e-12 * u.weight)));
  };
  const auto sampled = [setting](const FilteredGradient& u) -> ArrayXd {
    return (u.weight > 0).select(setting.noise(u.risk) / u.weight.max(1e-300), 0.0);
  };
  return sign_map(setting, problem.covariance.orientation == Orientation::diagonal, law, sampled);
}

ModeSystem fold(const FoldedPairs& pairs, ModeSystem system) {
  for (ArrayXd* sum : {&system.initial, &system.multiplicity})
    *sum = ArrayXd((*sum)(pairs.kept) * pairs.times);
  system.weight = ArrayXd(system.weight(pairs.kept));
  system.drift = ArrayXXd(system.drift(pairs.kept, Eigen::all));
  system.diffusion = ArrayXXd(system.diffusion(pairs.kept, Eigen::all)).colwise() * pairs.times;
  return system;
}

bool alike(const MatrixProblem& problem) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  if (out.size() != in.size()) return false;
  const ArrayXXd initial = problem.initial.entries();
  constexpr double roundoff = 1e-9;
  return (out.value == in.value).all() && (out.multiplicity == in.multiplicity).all() &&
         ((initial - initial.transpose()).abs() <= roundoff * initial).all();
}

/// Of both sides graded and in bases that have nothing to do with the directions.
FilteredMap pair_map(const MatrixProblem& problem, const SignSetting& setting,
                     const std::optional<FoldedPairs>& folded) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const auto sides =
      std::make_shared<const SignSides>(out.multiplicity, in.multiplicity, folded.has_value());
  const auto of_modes = [folded](const ArrayXXd& pairs) -> ArrayXd {
    return folded ? ArrayXd(pairs.reshaped()(folded->kept)) : ArrayXd(pairs.reshaped());
  };
  FilteredMap map;
  map.sees_means = map.lasting = true;
  map.answer = [=](const FilteredGradient& given, const FilteredAnswer*) {
    const FilteredGradient u = folded ? folded->unfolded(given) : given;
    const ArrayXd own = with_own_part(problem, u, setting.noise.noise_variance);
    const double noise = setting.noise(u.risk), c = 1 / std::sqrt(noise);
    const Errors y = errors_of(u);
    const ArrayXd gain = c * u.weight;
    const auto pairs = [&](const ArrayXd& modes) -> ArrayXXd {
      return modes.reshaped(out.size(), in.size());
    };
    const auto signs = std::make_shared<const PairSigns>(signs_of_pairs(
        *sides, {pairs(gain * y.mean), pairs(u.weight * own + gain.square() * y.spread)},
        setting.rows.grid));
    FilteredAnswer answer;
    answer.fresh = c * of_modes(signs->by_spread);
    answer.fresh_of_mean = c * of_modes(signs->by_mean);
    answer.power = of_modes(signs->power);
    answer.held = answer.fresh_noise = answer.fresh;
    answer.held_of_mean = answer.fresh_of_mean;
    answer.sampled =
        noise * of_modes(pairs((u.weight > 0).select(own / u.weight.max(1e-300), 0.0)));
    answer.resolvent = signs;
    return answer;
  };
  map.covariance = [=](const FilteredAnswer& now, const FilteredAnswer& then,
                       const ArrayXd& correlation) -> ArrayXd {
    const auto& a = *static_cast<const PairSigns*>(now.resolvent.get());
    const auto& b = *static_cast<const PairSigns*>(then.resolvent.get());
    const ArrayXd all = folded ? ArrayXd(correlation(folded->of)) : correlation;
    return of_modes(rest_of_pairs(*sides, a, b, all.reshaped(out.size(), in.size())));
  };
  return map;
}

FilteredMap matrix_map(const MatrixProblem& problem, const SignSetting& setting, bool diagonal) {
  const auto own = [problem,
                    variance = setting.noise.noise_variance](const FilteredGradient& u) -> ArrayXd {
    return with_own_part(problem, u, variance);
  };
  const auto law = [setting, own](const FilteredGradient& u) {
    const Measure c{ArrayXd::Constant(1, 1 / std::sqrt(setting.noise(u.risk))), ArrayXd::Ones(1)};
    return std::pair(c, ArrayXd(u.weight * own(u)));
  };
  const auto sampled = [setting, own](const FilteredGradient& u) -> ArrayXd {
    return setting.noise(u.risk) * (u.weight > 0).select(own(u) / u.weight.max(1e-300), 0.0);
  };
  return sign_map(setting, diagonal, law, sampled);
}

/// The system of small signals, with a map that sees any.
ModeSystem sees_any(ModeSystem system, FilteredMap map) {
  system.filtered = std::move(map);
  system.drift_loss = nullptr;
  system.correlation = nullptr;
  return system;
}

bool correlated(const Covariance& side) {
  return side.orientation == Orientation::given && side.spectrum.size() > 1;
}

/// Both of unequal eigenvalues, one dense.
bool mixed(const Covariance& out, const Covariance& in) {
  return dense(out) != dense(in) && out.spectrum.size() > 1 && in.spectrum.size() > 1;
}

ModeSystem in_coordinates(const VectorProblem& problem, const SignSgd& optimizer) {
  SignBasis basis = sign_basis(problem);
  turn_to_errors(basis);
  ModeSystem small = mode_system(problem, optimizer);
  const NoisePower noise = noise_power(small, problem.noise.variance);
  const auto law = [noise,
                    coherent = coherent_law(problem, optimizer, noise)](const FilteredGradient& u) {
    const CoherentLaw::At at = coherent(u.risk);
    return GivenNoise{at.c, at.power, noise(u.risk)};
  };
  FilteredMap map = given_sign_map(basis, (basis.diffusion - 2 / pi * basis.value).max(0.0), law);
  small.initial = with_faint_means(small.initial);
  return sees_any(std::move(small), std::move(map));
}

void check_coordinates(const MatrixProblem& problem) {
  for (const Covariance* side : {&problem.covariance_out, &problem.covariance_in})
    if (correlated(*side))
      throw InputError("problem.covariance_out, covariance_in: orientation", "given",
                       "\"generic\" or \"diagonal\": signals that are not small are not derived "
                       "for matrices of correlated coordinates");
}

}  // namespace

ModeSystem any_signal_system(const VectorProblem& given, const SignSgd& optimizer) {
  if (correlated(given.covariance)) return in_coordinates(given, optimizer);
  const VectorProblem problem = merged_alike(given, kAlikeSigns);
  const ModeSystem small = mode_system(problem, optimizer);
  const SignSetting setting{noise_power(small, problem.noise.variance), {problem.dimension()}};
  ModeSystem system = sees_any(small, vector_map(problem, optimizer, setting));
  if (dense(problem.covariance))
    observe_signal(system, [noise = setting.noise](const Now& now) { return noise(now.risk); });
  return system;
}

ModeSystem any_signal_system(const MatrixProblem& given, const SignSgd& optimizer, Grids grids) {
  const bool rough = grids == Grids::rough;
  const MatrixProblem problem = rough ? given : merged_alike(given, kAlikeSigns);
  const Covariance &out = problem.covariance_out, &in = problem.covariance_in;
  check_coordinates(problem);
  if (mixed(out, in))
    throw InputError("problem.covariance_out, covariance_in: orientation",
                     "one \"generic\", one \"diagonal\"",
                     "the same: signals that are not small are not derived for signs of both");
  const ModeSystem small = mode_system(problem, optimizer);
  SignSetting setting{noise_power(small, problem.noise.variance),
                      {out.dimension() * in.dimension()}};
  if (out.spectrum.size() == 1 || in.spectrum.size() == 1) {
    setting.rows.rows = out.spectrum.size() == 1 ? out.dimension() : in.dimension();
    setting.rows.coordinates /= setting.rows.rows;
  }
  const bool diagonal = !dense(out) && !dense(in), graded = dense(out) && dense(in);
  std::optional<FoldedPairs> folded;
  if (rough) setting.rows.grid = kRoughly;
  if (few_pairs(grids) && graded && alike(problem))
    folded.emplace(in.spectrum.size(), small.multiplicity);
  ModeSystem system = sees_any(
      folded ? fold(*folded, small) : small,
      graded ? pair_map(problem, setting, folded) : matrix_map(problem, setting, diagonal));
  if (!diagonal)
    observe_signal(system, [noise = setting.noise](const Now& now) { return noise(now.risk); });
  return system;
}

namespace {

/// At the start, where it is largest.
double lost_drift(const ModeSystem& small) {
  const Now start = small.start();
  return small.drift_loss && start.risk > kVanishedRisk
             ? small.drift_loss(small, start, small.initial)
             : 0;
}

}  // namespace

bool signal_matters(const VectorProblem& problem, const SignSgd& optimizer) {
  return lost_drift(mode_system(problem, optimizer)) > kSmallLoss;
}

bool signal_matters(const MatrixProblem& problem, const SignSgd& optimizer) {
  const Covariance &out = problem.covariance_out, &in = problem.covariance_in;
  return !correlated(out) && !correlated(in) && !mixed(out, in) &&
         lost_drift(mode_system(problem, optimizer)) > kSmallLoss;
}

}  // namespace riskcurve
