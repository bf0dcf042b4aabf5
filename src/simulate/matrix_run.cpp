#include <memory>
#include <string>

#include "riskcurve/problem/error.hpp"
#include "simulate/ensemble.hpp"
#include "simulate/matrix_source.hpp"
#include "simulate/matrix_update.hpp"
#include "simulate/registration.hpp"
#include "simulate/source.hpp"

namespace riskcurve {
namespace {

constexpr double largest_block = 1e8;  // numbers

// One run of a matrix optimizer.
class MatrixRun {
 public:
  MatrixRun(const MatrixSource& source, const NoiseLaw& noise, const MatrixUpdate& update,
            const Schedule& schedule, std::uint64_t seed, std::uint64_t run)
      : source_(source),
        noise_(noise),
        update_(update),
        schedule_(schedule),
        seed_(seed),
        run_(run) {
    Random random(seed, run, 0, Purpose::start);
    delta_ = source.start(random);
  }

  void step(long k) {
    const auto index = static_cast<std::uint64_t>(k);
    Random samples(seed_, run_, index, Purpose::samples);
    Random noise(seed_, run_, index, Purpose::label_noise);
    const Eigen::MatrixXd out = source_.out.draw(samples, update_.batch);
    const Eigen::MatrixXd in = source_.in.draw(samples, update_.batch);
    const Eigen::MatrixXd image = multiply(delta_, Transpose::yes, out, Transpose::no);
    Eigen::VectorXd residual = image.cwiseProduct(in).colwise().sum();
    for (double& z : residual) z -= noise_.sample(noise);
    delta_ -= schedule_(static_cast<double>(k)) * update_.compute({out, in, residual});
  }

  double risk() const { return source_.risk(delta_); }

 private:
  const MatrixSource& source_;
  const NoiseLaw& noise_;
  const MatrixUpdate& update_;
  const Schedule& schedule_;
  const std::uint64_t seed_, run_;
  Eigen::MatrixXd delta_;
};

void check_batch(const MatrixSource& source, int batch) {
  const auto both = static_cast<double>(source.out.dimension() + source.in.dimension());
  if (batch * both > largest_block)
    throw InputError("optimizer.batch", std::to_string(batch),
                     "batch times the sum of both dimensions at most 1e8 for Monte Carlo");
}

}  // namespace

Ensemble simulate_matrix(const Experiment& experiment, const SimulateOptions& options) {
  make_room_for_blas();
  const MatrixProblem& problem = experiment.matrix();
  const MatrixUpdate update = update_for<MatrixUpdate>(experiment.optimizer, problem);
  const MatrixSource source = matrix_source(problem, update.rotation_invariant, options.seed);
  check_batch(source, update.batch);
  return run_steps(experiment.run.at, options, [&](std::uint64_t number) -> Iteration {
    auto run = std::make_shared<MatrixRun>(source, problem.noise, update, experiment.schedule,
                                           options.seed, number);
    return {[run](long k) { run->step(k); }, [run] { return run->risk(); }};
  });
}

}  // namespace riskcurve
