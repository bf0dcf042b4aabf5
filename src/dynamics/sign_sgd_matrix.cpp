#include <cmath>
#include <memory>

#include "dynamics/effective_rate.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

ModeSystem sign_sgd(const MatrixProblem& problem, const SignSgd& optimizer) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const Eigen::ArrayXd product =
      (out.value.matrix() * in.value.matrix().transpose()).array().reshaped();
  ModeSystem system;
  system.weight = product;
  system.initial = problem.initial.reshaped();
  system.multiplicity =
      (out.multiplicity.matrix() * in.multiplicity.matrix().transpose()).array().reshaped();
  system.noise_variance = problem.noise.variance;

  const double tau = out.mean() * in.mean();
  const bool diagonal = problem.covariance_out.orientation == Orientation::diagonal &&
                        problem.covariance_in.orientation == Orientation::diagonal;
  if (diagonal) {
    system.drift = product.sqrt();
    system.diffusion = (product > 0).select(system.multiplicity, 0.0);
  } else {
    system.drift = product / std::sqrt(tau);
    system.diffusion = 2 / M_PI * (product / tau + M_PI / 2 - 1) * system.multiplicity;
  }
  add_sign_response(system, problem.noise, optimizer.batch);
  return system;
}

}  // namespace riskcurve
