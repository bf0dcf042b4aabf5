#include "riskcurve/simulate/simulate.hpp"

#include "run/parallel.hpp"
#include "simulate/blas.hpp"
#include "simulate/ensemble.hpp"

namespace riskcurve {

Ensemble simulate(const Experiment& experiment, const SimulateOptions& options) {
  validate(experiment);
  const SingleThreadedBlas single(thread_count(options.runs, options.threads));
  return (experiment.is_matrix() ? simulate_matrix : simulate_vector)(experiment, options);
}

}  // namespace riskcurve
