// Adam, RMSprop and AdaGrad: gradients over the root of a mean of their squares
// (docs/theory/adaptive.md).
#include <cmath>
#include <utility>
#include <vector>

#include "dynamics/adaptive_response.hpp"
#include "dynamics/gradient_modes.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

/// From the system of SignSGD, whose modes are the same. remainder: of what is not linear, a mode;
/// floor: eps, over the root of K_jj where that is one number.
ModeSystem divided(ModeSystem system, const Adaptive& of, const AdaptiveResponse& response,
                   const ArrayXd& remainder, bool each, double floor) {
  const ArrayXd per_h =
      (system.weight > 0).select(system.multiplicity / system.weight.max(1e-300), 0.0);
  Eigen::ArrayXXd diffusion(system.modes(), 2);
  diffusion.col(0) = of.filter.momentum > 0 ? per_h : system.drift.col(0).square() * per_h;
  diffusion.col(1) = remainder;
  system.diffusion = diffusion;
  system.response = response;
  system.optimizer = of.name;
  system.observable.clear();
  system.shared_noise = nullptr;
  if (of.root.keep < 1)
    system.shared_noise = [response](const Now& now) { return response.shared(now); };
  system.drift_loss = nullptr;
  system.correlation = nullptr;
  RootOfSquares root = of.root;
  root.each = each;
  root.floor = floor;
  root.power = [response](const Now& now) { return response.power(now); };
  root.tilts = response.tilts();
  if (each && !root.tilts)
    root.under = [response](const ArrayXd& share, double steps) {
      return response.under(share, steps);
    };
  system.squares = root;
  return system;
}

void check_eps(const Adaptive& of, double typical) {
  if (of.eps > 1e-4 * typical)
    throw InputError("optimizer.eps", of.eps,
                     "far below the root of a gradient's mean square: it is not derived for a "
                     "covariance matrix in given coordinates, whose diagonal is uneven");
}

/// Steps that the longer of its memories holds.
double memory_of(const Adaptive& of) {
  return 1 / (1 - std::max(of.root.keep, of.filter.momentum));
}

ModeSystem system_of(const VectorProblem& problem, const Adaptive& of) {
  const Covariance& covariance = problem.covariance;
  const bool diagonal =
      covariance.orientation == Orientation::diagonal || covariance.spectrum.size() == 1;
  const bool given = covariance.orientation == Orientation::given && !diagonal;
  ModeSystem system = mode_system(problem, SignSgd{of.batch});
  warn_of_memory(system, problem.noise, memory_of(of));
  const double tau = covariance.spectrum.mean(), floor = of.eps / std::sqrt(tau);
  const AdaptiveResponse response(problem.noise, of, GradientOf::vector, !diagonal, floor);
  ArrayXd remainder = (system.weight > 0).select(system.multiplicity, 0.0);
  if (given) {
    check_eps(of, std::sqrt(tau * response.noise(problem.initial_risk() + 1e-300).power));
    remainder = between_coordinates(
        sign_basis(problem), [&](double theta) { return response.rest(std::sin(theta)); }, 24);
  }
  return divided(std::move(system), of, response, remainder, diagonal, diagonal ? of.eps : floor);
}

ModeSystem system_of(const MatrixProblem& problem, const Adaptive& of) {
  const Covariance &out = problem.covariance_out, &in = problem.covariance_in;
  const auto own = [](const Covariance& side, Orientation orientation) {
    return side.orientation == orientation && side.spectrum.size() > 1;
  };
  if (own(out, Orientation::given) || own(in, Orientation::given))
    throw InputError("problem.covariance_out, covariance_in: orientation", "given",
                     std::string("\"generic\" or \"diagonal\": ") + of.name +
                         " is not derived for correlated coordinates of a matrix");
  const bool generic = own(out, Orientation::generic) || own(in, Orientation::generic);
  ModeSystem system = mode_system(problem, SignSgd{of.batch});
  warn_of_memory(system, problem.noise, memory_of(of));
  warn_of_few_rows(system, problem);
  const double floor = of.eps / std::sqrt(out.spectrum.mean() * in.spectrum.mean());
  const AdaptiveResponse response(problem.noise, of, GradientOf::matrix, generic, floor);
  const ArrayXd remainder = (system.weight > 0).select(system.multiplicity, 0.0);
  return divided(std::move(system), of, response, remainder, !generic, generic ? floor : of.eps);
}

/// mu_t of NAdam at t = 1, 2, ..
double nadam_momentum(double beta1, double t) {
  return beta1 * (1 - 0.5 * std::pow(0.96, 0.004 * t));
}

}  // namespace

Adaptive adaptive(const Adam& adam) {
  const auto [beta1, beta2] = adam.betas;
  if (beta2 == 0 && beta1 > 0)
    throw InputError("optimizer.betas[1]", beta2,
                     "more than 0 beside a momentum: a mean of gradients over the size of one has "
                     "no finite variance");
  RootOfSquares root;
  root.keep = std::max(beta2, 1e-12);
  root.take = 1 - root.keep;
  root.corrected = true;
  return {Adam::name, adam.batch, filter_of(adam), root, adam.eps};
}

Adaptive adaptive(const RmsProp& rmsprop) {
  RootOfSquares root;
  root.keep = std::max(rmsprop.alpha, 1e-12);
  root.take = 1 - root.keep;
  return {RmsProp::name, rmsprop.batch, {}, root, rmsprop.eps};
}

Adaptive adaptive(const AdaGrad& adagrad) {
  RootOfSquares root;
  root.keep = 1;
  return {AdaGrad::name, adagrad.batch, {}, root, adagrad.eps};
}

Filter filter_of(const Adam& adam) {
  const double beta1 = adam.betas[0];
  Filter filter{beta1, false, false, beta1, {}};
  if (beta1 == 0) return filter;
  if (!adam.nesterov) {
    filter.at_step = [beta1](double k) {
      const double started = -std::expm1((k + 1) * std::log(beta1));
      return std::pair(beta1 / started, (1 - beta1) / started);
    };
    return filter;
  }
  // mu_1 .. mu_t while it counts.
  std::vector<double> product{1};
  while (product.back() > 1e-17)
    product.push_back(product.back() * nadam_momentum(beta1, static_cast<double>(product.size())));
  filter.share = nadam_momentum(beta1, 2000);  // of its stationary noise
  filter.at_step = [beta1, product](double k) {
    const auto of = [&](double t) {
      return t < static_cast<double>(product.size()) ? product[static_cast<std::size_t>(t)] : 0;
    };
    const double now = nadam_momentum(beta1, k + 1), next = nadam_momentum(beta1, k + 2);
    return std::pair(next / (1 - of(k + 2)), (1 - now) / (1 - of(k + 1)));
  };
  return filter;
}

ModeSystem mode_system(const VectorProblem& problem, const Adam& of) {
  return system_of(problem, adaptive(of));
}
ModeSystem mode_system(const VectorProblem& problem, const RmsProp& of) {
  return system_of(problem, adaptive(of));
}
ModeSystem mode_system(const VectorProblem& problem, const AdaGrad& of) {
  return system_of(problem, adaptive(of));
}
ModeSystem mode_system(const MatrixProblem& problem, const Adam& of) {
  return system_of(problem, adaptive(of));
}
ModeSystem mode_system(const MatrixProblem& problem, const RmsProp& of) {
  return system_of(problem, adaptive(of));
}
ModeSystem mode_system(const MatrixProblem& problem, const AdaGrad& of) {
  return system_of(problem, adaptive(of));
}

}  // namespace riskcurve
