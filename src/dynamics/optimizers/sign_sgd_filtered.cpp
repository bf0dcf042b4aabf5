// SignSGD of a filtered gradient (docs/theory/chain.md#a-filter-before-the-map).
#include <cmath>
#include <memory>
#include <numbers>

#include "dynamics/filtered_sign.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using std::numbers::pi;

/// w_i^T F w_i, F of the correlations between coordinates, by a table over theta = arcsin rho.
ArrayXd remainder_between(const VectorProblem& problem, const LagWeights& weights) {
  const SignBasis basis = sign_basis(problem);
  constexpr int points = 512;
  constexpr double step = pi / 2 / points;
  ArrayXd table(points + 3);  // smooth past pi/2, where the last cubics end
  for (int i = 0; i < table.size(); ++i) table[i] = sign_remainder(i * step, weights);
  const auto f = [&](double theta) {
    const double at = between_wholes(std::abs(theta) / step, [&](double whole) {
      return table[static_cast<Eigen::Index>(whole)];
    });
    return std::copysign(at, theta);
  };
  const Eigen::MatrixXd between =
      basis.noise.unaryExpr([&](double noise) { return f(pi / 2 * noise); });
  return basis.w.cwiseProduct(between * basis.w).colwise().sum().transpose().array().max(0.0);
}

struct FilteredSign {
  FilteredNoise noise;
  Filter filter;
  bool per_mode;        ///< the remainder stands in the diffusion itself
  double at_start = 0;  ///< the remainder at filter.momentum

  LagWeights weights(double momentum) const { return {momentum, filter.nesterov}; }
  /// The drift kappa sqrt(2/pi)/sqrt(V), V of the filtered gradient; its noise before the map, and
  /// what the map adds to it.
  Response response(const Now& now) const {
    const double r = weights(now.momentum).first;
    const SignNoise sign = noise(now.risk, now.momentum);
    const double slope =
        std::sqrt(2 / pi * sign.felt / sign.seen / (now.filtered + r * r * sign.felt));
    return {ArrayXd::Constant(1, slope),
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
ModeSystem filtered(ModeSystem system, const NoiseLaw& law, int batch, GradientOf entries,
                    const Filter& filter, const ArrayXd& remainder) {
  const auto sign = std::make_shared<const FilteredSign>(FilteredSign{
      FilteredNoise(law, batch, entries, filter.nesterov, filter.varying), filter,
      remainder.size() > 0, sign_remainder(pi / 2, {filter.momentum, filter.nesterov})});
  ArrayXXd diffusion(system.modes(), 2);
  diffusion.col(0) =
      (system.weight > 0).select(system.multiplicity / system.weight.max(1e-300), 0.0);
  diffusion.col(1) = remainder.size() > 0
                         ? remainder
                         : ArrayXd((system.diffusion.col(0) > 0).select(system.multiplicity, 0.0));
  system.diffusion = diffusion;
  system.response = [sign](const Now& now) { return sign->response(now); };
  system.observable.clear();
  system.observable["effective_learning_rate"] = [sign](const ModeSystem&, const Now& now,
                                                        const ArrayXd&) {
    return now.risk > 0 ? sign->response(now).drift[0] : NAN;
  };
  system.shared_noise = nullptr;
  system.drift_loss = nullptr;
  system.correlation = nullptr;
  return system;
}

}  // namespace

ModeSystem mode_system(const VectorProblem& problem, const SignSgd& optimizer,
                       const Filter& filter) {
  ArrayXd remainder;
  if (problem.covariance.orientation == Orientation::given) {
    if (filter.varying)
      throw InputError("optimizer.momentum", "a schedule",
                       "a number: the noise of sign_sgd under a covariance matrix in given "
                       "coordinates is computed for one momentum");
    remainder = remainder_between(problem, {filter.momentum, filter.nesterov});
  }
  return filtered(mode_system(problem, optimizer), problem.noise, optimizer.batch,
                  GradientOf::vector, filter, remainder);
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
  return filtered(mode_system(problem, optimizer), problem.noise, optimizer.batch,
                  GradientOf::matrix, filter, {});
}

}  // namespace riskcurve
