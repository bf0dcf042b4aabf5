#include <fmt/format.h>

#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

ModeSystem sgd(const VectorProblem& problem, const Sgd& optimizer) {
  const double variance = problem.noise.variance;
  if (!std::isfinite(variance))
    throw InputError("problem.noise", problem.noise.kind + " (infinite variance)",
                     "a finite variance for sgd: its risk is infinite after one step; use sign_sgd "
                     "or clipped_sgd");
  const Spectrum& spectrum = problem.covariance.spectrum;
  ModeSystem system;
  system.weight = spectrum.value;
  system.drift = spectrum.value;
  system.diffusion = spectrum.value * spectrum.multiplicity / optimizer.batch;
  system.initial = problem.initial;
  system.multiplicity = spectrum.multiplicity;
  system.noise_variance = variance;
  system.response = [variance](double, double risk, const Eigen::ArrayXd&) {
    return Response{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Constant(1, 2 * risk + variance)};
  };
  return system;
}

}  // namespace riskcurve
