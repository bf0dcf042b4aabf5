// Adam, RMSprop and AdaGrad in given coordinates, signals of any size
// (docs/theory/adaptive.md#signals-in-given-coordinates).
#include <cmath>
#include <utility>

#include "dynamics/adaptive_response.hpp"
#include "dynamics/given_signs.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

/// Gradients over the roots of their own squares, V_i = E G_i^2/K_ii of coordinate i: with both
/// mean and root of what that coordinate has, its signal stands in its own root alone.
CoordinateRates over_own_roots(const AdaptiveResponse& response, const RootOfSquares& root,
                               bool filtered, const FilteredGradient& u,
                               const CoordinateGradient& gradient) {
  const Now now{u.time, 0, u.risk};
  const double steps = u.time + 1, noise = response.power(now);
  const Response without = response(now);  // a signal
  const double slope = without.drift[0];
  const ArrayXd share = gradient.fresh_square / noise;
  CoordinateRates rates;
  rates.squares = root.keep * u.squares + root.take * (noise + gradient.fresh_square);
  const double grown = root.corrected ? -std::expm1(steps * std::log(root.keep)) : 1;
  const ArrayXd over = (rates.squares / grown).max(1e-300).rsqrt();
  rates.slope = slope * over * response.under(share, steps);
  rates.mean = rates.slope * gradient.mean;
  rates.rest = without.diffusion[1] * over.square();
  // Of a filter that noise passes by the slope; else it has been through the map.
  rates.sampled = without.diffusion[0] / (filtered ? 1 : slope * slope);
  return rates;
}

ModeSystem in_coordinates(const VectorProblem& problem, const Adaptive& of, ModeSystem system) {
  if (problem.covariance.orientation != Orientation::given ||
      problem.covariance.spectrum.size() < 2)
    return system;
  if (std::isinf(problem.noise.variance))
    throw InputError("run.signal", "\"full\"",
                     "\"small\" under noise without a variance: a root that lasts is derived for "
                     "small signals");
  SignBasis basis = sign_basis(problem);
  turn_to_errors(basis);
  const AdaptiveResponse response(problem.noise, of, GradientOf::vector, false, 0);
  const bool filtered = of.filter.momentum > 0;
  system.filtered = given_map(basis, system.diffusion.col(1),
                              [response, root = *system.squares, filtered](
                                  const FilteredGradient& u, const CoordinateGradient& gradient) {
                                return over_own_roots(response, root, filtered, u, gradient);
                              });
  system.initial = with_faint_means(system.initial);
  return system;
}

/// Where the sign of one gradient would see it: the root holds what is new, not what a filter has.
bool matters(const VectorProblem& problem, int batch) {
  return problem.covariance.orientation == Orientation::given &&
         problem.covariance.spectrum.size() > 1 && std::isfinite(problem.noise.variance) &&
         signal_matters(problem, SignSgd{batch});
}

}  // namespace

ModeSystem any_signal_system(const VectorProblem& problem, const Adam& of) {
  return in_coordinates(problem, adaptive(of), mode_system(problem, of));
}
ModeSystem any_signal_system(const VectorProblem& problem, const RmsProp& of) {
  return in_coordinates(problem, adaptive(of), mode_system(problem, of));
}
ModeSystem any_signal_system(const VectorProblem& problem, const AdaGrad& of) {
  return in_coordinates(problem, adaptive(of), mode_system(problem, of));
}
bool signal_matters(const VectorProblem& problem, const Adam& of) {
  return matters(problem, of.batch);
}
bool signal_matters(const VectorProblem& problem, const RmsProp& of) {
  return matters(problem, of.batch);
}
bool signal_matters(const VectorProblem& problem, const AdaGrad& of) {
  return matters(problem, of.batch);
}

}  // namespace riskcurve
