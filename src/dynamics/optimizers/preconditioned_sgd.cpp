#include "dynamics/gradient_modes.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

ModeSystem mode_system(const VectorProblem& problem, const PreconditionedSgd& optimizer) {
  check_variance(problem.noise,
                 "a finite variance for preconditioned_sgd: its risk is infinite after one step");
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  const Eigen::ArrayXd& lambda = system.weight;
  const Eigen::ArrayXd scale =
      (lambda > 0).select(lambda.max(1e-300).pow(optimizer.exponent - 1), 0.0);
  system.drift.col(0) *= scale;
  system.diffusion.col(0) *= scale.square();
  add_gradient_response(system, problem.noise, optimizer.batch);
  system.optimizer = PreconditionedSgd::name;
  return system;
}

}  // namespace riskcurve
