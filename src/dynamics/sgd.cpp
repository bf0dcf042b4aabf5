#include <cmath>

#include "dynamics/gradient_modes.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

ModeSystem sgd(const VectorProblem& problem, const Sgd& optimizer) {
  const double variance = problem.noise.variance;
  if (!std::isfinite(variance))
    throw InputError("problem.noise", problem.noise.kind + " (infinite variance)",
                     "a finite variance for sgd: its risk is infinite after one step; use sign_sgd "
                     "or clipped_sgd");
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  system.response = [variance](const Now& now) {
    return Response{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Constant(1, 2 * now.risk + variance)};
  };
  return system;
}

}  // namespace riskcurve
