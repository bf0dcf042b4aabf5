// SignSGD of a filtered gradient (docs/theory/chain.md#a-filter-before-the-map).
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "dynamics/alike.hpp"
#include "dynamics/filtered_sign.hpp"
#include "dynamics/generic_signs.hpp"
#include "dynamics/given_signs.hpp"
#include "dynamics/gradient_modes.hpp"
#include "dynamics/seen_gradient.hpp"
#include "dynamics/sign_basis.hpp"
#include "dynamics/sign_directions.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using std::numbers::pi;

/// What the sign adds to the noise of its linear part, of every mode.
ArrayXd remainder_between(const VectorProblem& problem, const LagWeights& weights) {
  return between_coordinates(
      sign_basis(problem), [&](double theta) { return sign_remainder(theta, weights); }, 512);
}

struct FilteredSign {
  FilteredNoise noise;
  Filter filter;
  bool per_mode;        ///< the remainder stands in the diffusion itself
  double at_start = 0;  ///< the remainder at filter.momentum

  LagWeights weights(double momentum) const { return {momentum, filter.share_of(momentum)}; }
  /// The drift kappa sqrt(2/pi)/sqrt(V), V of the filtered gradient; its noise before the map, and
  /// what the map adds to it.
  Response response(const Now& now) const {
    const double r = weights(now.momentum).first;
    const SignNoise sign = noise(now.risk, now.momentum, now.time + 1);
    const double slope =
        std::sqrt(2 / pi * sign.felt / sign.seen / (now.filtered + r * r * sign.felt));
    return {ArrayXd::Constant(1, slope),
            Eigen::Array2d(sign.felt, sign.remainder * plain_remainder(now))};
  }
  /// Of single directions: the gain is the slope by the noise over that by its deviation.
  Response at_directions(const Now& now) const {
    const SignNoise sign = noise(now.risk, now.momentum, now.time + 1);
    return {ArrayXd::Constant(1, std::sqrt(sign.felt / sign.seen)),
            Eigen::Array2d(sign.felt, sign.remainder * plain_remainder(now))};
  }
  double plain_remainder(const Now& now) const {
    if (per_mode) return 1;
    if (now.momentum == filter.momentum) return at_start;
    const auto f = [&](double momentum) { return sign_remainder(pi / 2, weights(momentum)); };
    return filter.varying ? between_momenta(now.momentum, f) : f(now.momentum);
  }
};

/// Turns SignSGD's system into that of a filtered gradient: only responses and noise are others.
ModeSystem filtered(ModeSystem system, const NoiseLaw& law, const FilteredNoise& noise,
                    const Filter& filter, const ArrayXd& remainder, bool sees_coordinates) {
  const auto sign = std::make_shared<const FilteredSign>(
      FilteredSign{noise, filter, remainder.size() > 0,
                   sign_remainder(pi / 2, {filter.momentum, filter.share_of(filter.momentum)})});
  ArrayXXd diffusion(system.modes(), 2);
  diffusion.col(0) =
      (system.weight > 0).select(system.multiplicity / system.weight.max(1e-300), 0.0);
  diffusion.col(1) = remainder.size() > 0
                         ? remainder
                         : ArrayXd((system.diffusion.col(0) > 0).select(system.multiplicity, 0.0));
  system.diffusion = diffusion;
  system.response = [sign](const Now& now) { return sign->response(now); };
  if (sees_coordinates)
    system.directions = DirectionMap{[sign](const Now& now) { return sign->at_directions(now); },
                                     SignDirections(filter)};
  system.observable.clear();
  system.observable["effective_learning_rate"] = [sign](const ModeSystem&, const Now& now,
                                                        const ArrayXd&) {
    return now.risk > 0 ? sign->response(now).drift[0] : NAN;
  };
  // Only the linear part of the update is of a size that its batch has a say in.
  const double linear = (system.weight * system.drift.col(0).square() * diffusion.col(0)).sum(),
               rest = (system.weight * diffusion.col(1)).sum();
  system.shared_noise = [sign, linear, rest](const Now& now) {
    const Response response = sign->response(now);
    const double of_linear = linear * response.diffusion[0] * std::pow(response.drift[0], 2);
    const double share = of_linear / (of_linear + rest * response.diffusion[1]);
    SharedNoise shared = sign->noise.shared(now.risk, now.momentum);
    shared.covariance *= share;
    shared.size_variance *= share * share;
    return shared;
  };
  warn_of_memory(system, law, 1 / (1 - filter.momentum));
  system.drift_loss = nullptr;
  system.correlation = nullptr;
  return system;
}

/// Whether each mode is made of coordinates: the basis of a multiple of the identity may be them.
bool coordinates_are_modes(const Covariance& covariance) {
  return covariance.orientation == Orientation::diagonal || covariance.spectrum.size() == 1;
}

/// The same of entries. Nodes of several whose errors are known have no common mean.
bool coordinates_are_modes(const MatrixProblem& problem) {
  const auto alone = [](const Covariance& side) { return (side.spectrum.multiplicity <= 1).all(); };
  return coordinates_are_modes(problem.covariance_out) &&
         coordinates_are_modes(problem.covariance_in) &&
         (!problem.initial_error ||
          (alone(problem.covariance_out) && alone(problem.covariance_in)));
}

/// Nodes of several coordinates whose errors are known, split into them.
VectorProblem one_by_one(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  constexpr double most = 1e5;
  if (!problem.initial_error || problem.covariance.eigenvectors ||
      (spectrum.multiplicity <= 1).all() || spectrum.dimension() > most)
    return problem;
  VectorProblem split = problem;
  split.covariance.spectrum.value = spectrum.expand();
  const Eigen::Index d = split.covariance.spectrum.value.size();
  split.covariance.spectrum.multiplicity = ArrayXd::Ones(d);
  split.covariance.spectrum.first = split.covariance.spectrum.last =
      ArrayXd::LinSpaced(d, 1, static_cast<double>(d));
  split.initial = problem.initial_error->array().square();
  return split;
}

ModeSystem of_small_signal(const VectorProblem& given, const SignSgd& optimizer,
                           const Filter& filter, const FilteredNoise& noise) {
  const bool sees_coordinates = coordinates_are_modes(given.covariance);
  const VectorProblem problem = sees_coordinates ? one_by_one(given) : given;
  ArrayXd remainder;
  if (problem.covariance.orientation == Orientation::given) {
    if (filter.varying)
      throw InputError("optimizer.momentum", "a schedule",
                       "a number: the noise of sign_sgd under a covariance matrix in given "
                       "coordinates is computed for one momentum");
    remainder = remainder_between(problem, {filter.momentum, filter.share_of(filter.momentum)});
  }
  return filtered(mode_system(problem, optimizer), problem.noise, noise, filter, remainder,
                  sees_coordinates);
}

}  // namespace

ModeSystem mode_system(const VectorProblem& problem, const SignSgd& optimizer,
                       const Filter& filter) {
  return of_small_signal(problem, optimizer, filter,
                         {problem.noise, optimizer.batch, GradientOf::vector, filter});
}

ModeSystem mode_system(const MatrixProblem& problem, const SignSgd& optimizer,
                       const Filter& filter) {
  const auto correlated = [](const Covariance& side) {
    return side.orientation == Orientation::given && side.spectrum.size() > 1;
  };
  if (correlated(problem.covariance_out) || correlated(problem.covariance_in))
    throw InputError("problem.covariance_out, covariance_in: orientation", "given",
                     "\"generic\" or \"diagonal\": momentum before sign_sgd is not derived for "
                     "correlated coordinates of a matrix");
  ModeSystem system = filtered(mode_system(problem, optimizer), problem.noise,
                               {problem.noise, optimizer.batch, GradientOf::matrix, filter}, filter,
                               {}, coordinates_are_modes(problem));
  warn_of_few_rows(system, problem);
  return system;
}

ModeSystem any_signal_system(const VectorProblem& problem, const SignSgd& optimizer,
                             const Filter& filter) {
  const FilteredNoise sign(problem.noise, optimizer.batch, GradientOf::vector, filter);
  if (dense(problem.covariance)) {
    const VectorProblem merged = merged_alike(problem, kAlikeSigns);
    ModeSystem system = of_small_signal(merged, optimizer, filter, sign);
    system.filtered = filtered_generic_signs({problem.dimension()}, sign);
    observe_signal(system, [sign, filter](const Now& now) {
      const LagWeights weights(now.momentum, filter.share_of(now.momentum));
      return sign(now.risk, now.momentum).seen * weights.squares();
    });
    return system;
  }
  ModeSystem system = of_small_signal(problem, optimizer, filter, sign);
  if (problem.covariance.orientation != Orientation::given) return system;
  SignBasis basis = sign_basis(problem);
  turn_to_errors(basis);
  const auto law = [sign](const FilteredGradient& u) {
    const SignNoise noise = sign(u.risk, u.momentum, u.time + 1);
    const Measure c{ArrayXd::Constant(1, signal_scale(u, noise)), ArrayXd::Ones(1)};
    return GivenNoise{c, HUGE_VAL, noise.felt, noise.remainder};
  };
  system.filtered = given_sign_map(basis, system.diffusion.col(1), law);
  system.initial = with_faint_means(system.initial);
  system.directions.reset();
  return system;
}

bool signal_matters(const VectorProblem& problem, const SignSgd& optimizer, const Filter& filter) {
  const double beta = filter.momentum, batch = optimizer.batch * (1 + beta) / (1 - beta);
  return problem.covariance.orientation == Orientation::given &&
         signal_matters(problem, SignSgd{static_cast<int>(std::min(batch, 1e9))});
}

Filter filter_of(const Lion& lion) {
  return {lion.betas[1], false, false, lion.betas[0], {}};
}

namespace {

template <class Problem>
ModeSystem lion_system(const Problem& problem, const Lion& lion) {
  const SignSgd sign{lion.batch};
  return lion.betas[0] == 0 && lion.betas[1] == 0 ? mode_system(problem, sign)
                                                  : mode_system(problem, sign, filter_of(lion));
}

}  // namespace

ModeSystem mode_system(const VectorProblem& problem, const Lion& lion) {
  return lion_system(problem, lion);
}

ModeSystem mode_system(const MatrixProblem& problem, const Lion& lion) {
  return lion_system(problem, lion);
}

ModeSystem any_signal_system(const VectorProblem& problem, const Lion& lion) {
  return any_signal_system(problem, SignSgd{lion.batch}, filter_of(lion));
}

bool signal_matters(const VectorProblem& problem, const Lion& lion) {
  return signal_matters(problem, SignSgd{lion.batch}, filter_of(lion));
}

}  // namespace riskcurve
