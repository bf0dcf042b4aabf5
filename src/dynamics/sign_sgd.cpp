#include <cmath>

#include "dynamics/effective_rate.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

/// The parts that depend on the orientation: modes, and the rate each would have under K/sqrt(tau).
struct SignModes {
  Eigen::ArrayXd weight, drift, diffusion, initial, multiplicity;
  Eigen::ArrayXd plain;  // exact orientation only: plain rates, a function of the mode
};

SignModes generic_modes(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const double tau = spectrum.mean();
  return {spectrum.value,
          spectrum.value / std::sqrt(tau),
          2 / M_PI * (spectrum.value / tau + M_PI / 2 - 1) * spectrum.multiplicity,
          problem.initial,
          spectrum.multiplicity,
          {}};
}

SignModes diagonal_modes(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  // A coordinate with no variance has no gradient, and sign(0) = 0.
  return {spectrum.value,
          spectrum.value.sqrt(),
          (spectrum.value > 0).select(spectrum.multiplicity, 0.0),
          problem.initial,
          spectrum.multiplicity,
          {}};
}

SignModes exact_modes(const VectorProblem& problem, double tau) {
  const SignBasis basis = sign_basis(problem);
  SignModes modes;
  modes.weight = modes.drift = basis.value;
  modes.diffusion = basis.diffusion();
  modes.initial = basis.error.array().square();
  modes.multiplicity = Eigen::ArrayXd::Ones(modes.weight.size());
  const Eigen::MatrixXd& full = *problem.covariance.matrix;
  const Eigen::MatrixXd k = full(basis.alive, basis.alive);
  const Eigen::MatrixXd k_basis =
      k * (k.diagonal().cwiseSqrt().cwiseInverse().asDiagonal() * basis.w);
  modes.plain = k_basis.colwise().squaredNorm().transpose().array() / std::sqrt(tau);
  return modes;
}

}  // namespace

ModeSystem sign_sgd(const VectorProblem& problem, const SignSgd& optimizer) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const double tau = spectrum.mean();
  const Orientation orientation = problem.covariance.orientation;
  ModeSystem system;
  const SignModes modes = orientation == Orientation::given      ? exact_modes(problem, tau)
                          : orientation == Orientation::diagonal ? diagonal_modes(problem)
                                                                 : generic_modes(problem);
  system.weight = modes.weight;
  system.drift = modes.drift;
  system.diffusion = modes.diffusion;
  system.initial = modes.initial;
  system.multiplicity = modes.multiplicity;
  system.noise_variance = problem.noise.variance;

  add_sign_response(system, problem.noise, optimizer.batch, &ResidualLaw::phi);
  system.observable["preconditioning"] = [plain = modes.plain, orientation, tau](
                                             const ModeSystem& read, const Now&,
                                             const Eigen::ArrayXd& s) {
    if (orientation == Orientation::generic) return 1.0;
    const Eigen::ArrayXd drift = read.drift.col(0);
    const double rate = (read.weight * drift * s).sum();
    if (orientation == Orientation::diagonal)  // K/sqrt(tau) has the same modes, rate drift^2
      return rate / ((read.weight * drift.square() * s).sum() / std::sqrt(tau));
    return plain.size() == s.size() ? rate / (plain * s).sum() : NAN;
  };
  const double reshaping = (modes.weight * modes.diffusion).sum() /
                           ((spectrum.value.square() * spectrum.multiplicity).sum() / tau);
  system.observable["noise_reshaping"] = [reshaping](const ModeSystem&, const Now&,
                                                     const Eigen::ArrayXd&) { return reshaping; };
  return system;
}

}  // namespace riskcurve
