// Adam, RMSprop and AdaGrad: gradients over the root of a mean of their squares
// (docs/theory/adaptive.md).
#include <cmath>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/gradient_modes.hpp"
#include "dynamics/lag_sums.hpp"
#include "dynamics/lasting_root.hpp"
#include "dynamics/memo.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

/// What the three have in common, as a filter, a decay of squares and a floor under the root.
struct Adaptive {
  const char* name;
  int batch;
  Filter filter;
  RootOfSquares root;
  double eps;
};

/// What is known of noise and signal at a risk: of a memory that fades, or of all squares so far.
class AdaptiveResponse {
 public:
  AdaptiveResponse(const NoiseLaw& noise, const Adaptive& of, GradientOf entries, bool spread,
                   double floor)
      : filtered_(of.filter.momentum > 0), spread_(spread), floor_(floor) {
    if (of.root.keep == 1) {
      check_variance(noise, "a finite variance for adagrad: its sum of squares does not settle");
      variance_ = noise.variance;
      batch_ = of.batch;
      return;
    }
    const LagWeights weights(of.filter.momentum, of.filter.share_of(of.filter.momentum));
    law_ = std::make_shared<const AdaptiveLaw>(noise, of.batch, entries, weights, of.root.keep);
    static Memo<std::tuple<double, double, double, double>, SteadyScalars> steady;
    steady_ = steady({weights.beta, weights.first, weights.later, of.root.keep},
                     [&] { return SteadyScalars(weights, of.root.keep); });
    variance_of_v_ = 2 * (1 - of.root.keep) / (1 + of.root.keep);
    if (std::isinf(noise.variance)) lasting_ = std::make_shared<const LastingRoot>(law_, spread);
  }

  AdaptiveNoise noise(double risk, double steps = HUGE_VAL) const {
    if (law_) return (*law_)(risk, steps);
    return {(2 * risk + variance_) / batch_, {1, 1, 1}};
  }
  /// What batches share, through the linear part of the noise.
  SharedNoise shared(const Now& now) const {
    const AdaptiveNoise at = noise(now.risk);
    const SharedNoise of = law_->shared(now.risk);
    const double share = at.scalars.linear / at.scalars.noise;
    return {of.progress_variance, of.covariance * share, of.size_variance * share * share};
  }
  double power(const Now& now) const { return noise(now.risk).power; }
  /// Of noise without a variance.
  std::function<RootTilts(const Now&, double)> tilts() const {
    if (!lasting_) return nullptr;
    return [lasting = lasting_](const Now& now, double steps) { return (*lasting)(now, steps); };
  }
  Response operator()(const Now& now) const {
    const AdaptiveNoise at = noise(now.risk, now.time + 1);
    const AdaptiveScalars& scalars = at.scalars;
    // What signal and start do to the root, as far as the root is more than eps.
    double about_root = steady_ ? at.started : all_squares(now.time + 1);
    const double kappa = spread_ ? now.signal / at.power : 0;
    if (kappa > 0)
      about_root = (steady_ ? about_root * steady_->gain_under(kappa)
                            : all_squares_under(kappa, now.time + 1)) *
                   std::sqrt(1 + kappa);
    const double root = std::sqrt(at.power * (1 + kappa));
    // How much of what is divided by moves with v; A of that, to second order in what v does.
    const double moves = root / (root + floor_);
    const double slope =
        std::pow(scalars.gain, moves) * std::exp(-0.25 * moves * (1 - moves) * variance_of_v_);
    const double now_linear =
        slope * std::pow(at.started, moves);  // with the start, without signal
    const double of_v = moves * moves / std::pow(scalars.gain * at.started, 2);
    const double linear = 1 + of_v * scalars.linear * at.passed - moves * moves,
                 rest = of_v * (scalars.noise - scalars.linear);
    const double plain = now_linear * now_linear * at.power;
    // A filter has the noise that is linear in it pass with the gain.
    return {ArrayXd::Constant(1, slope * std::pow(about_root, moves)),
            Eigen::Array2d(linear * (filtered_ ? at.power : plain), rest * plain)};
  }
  /// The shape of what is not linear between coordinates: C(rho) - C_0 rho, over its value at 1.
  double rest(double rho) const {
    if (!steady_) return 0;
    const AdaptiveScalars at = steady_->scalars();
    return (steady_->noise_between(rho) - at.linear * rho) / (at.noise - at.linear);
  }

 private:
  /// A of t squares so far, over the root of their sum: tends to 1.
  static double all_squares(double t) {
    return t > 1e4
               ? 1
               : std::sqrt(t / 2) * std::exp(std::lgamma(0.5 * (t + 1)) - std::lgamma(0.5 * t + 1));
  }

  /// The same under a signal: of a sign at t = 1, tends to E z^2/sqrt(1 + kappa z^2), z standard
  /// normal. The signal of a coordinate is taken as what it was all along, and as large.
  static double all_squares_under(double kappa, double t) {
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      const RootNode node = root_node(i);
      const double x = 2 * node.s / t;
      const double term = node.weight * std::exp(0.5 * (1 - t) * std::log1p(x)) *
                          std::pow(1 + x + 2 * kappa * node.s, -1.5);
      sum += term;
      if (term < 1e-12 * sum) break;
    }
    return sum;
  }

  bool filtered_;
  bool spread_;   // whether signals are spread over coordinates
  double floor_;  // eps over the root of a typical K_jj
  double variance_ = 0, batch_ = 1;
  double variance_of_v_ = 0;  // of large batches, over its mean squared
  std::shared_ptr<const AdaptiveLaw> law_;
  std::shared_ptr<const SteadyScalars> steady_;
  std::shared_ptr<const LastingRoot> lasting_;
};

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

/// mu_t of NAdam at t = 1, 2, ..
double nadam_momentum(double beta1, double t) {
  return beta1 * (1 - 0.5 * std::pow(0.96, 0.004 * t));
}

}  // namespace

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
