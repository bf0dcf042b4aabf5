#include "dynamics/gradient_modes.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

ModeSystem mode_system(const VectorProblem& problem, const Sgd& optimizer) {
  check_variance(problem.noise,
                 "a finite variance for sgd: its risk is infinite after one step; "
                 "use sign_sgd or clipped_sgd");
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  add_gradient_response(system, problem.noise, optimizer.batch);
  system.optimizer = Sgd::name;
  return system;
}

ModeSystem mode_system(const MatrixProblem& problem, const Sgd& optimizer) {
  check_variance(problem.noise, "a finite variance for sgd; use sign_sgd or sign_svd");
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  add_gradient_response(system, problem.noise, optimizer.batch);
  system.optimizer = Sgd::name;
  return system;
}

}  // namespace riskcurve
