#include <memory>
#include <utility>

#include "simulate/batch_size.hpp"
#include "simulate/chain.hpp"
#include "simulate/ensemble.hpp"
#include "simulate/matrix_source.hpp"
#include "simulate/matrix_update.hpp"
#include "simulate/registration.hpp"
#include "simulate/source.hpp"

namespace riskcurve {
namespace {

// One run of a matrix optimizer.
class MatrixRun {
 public:
  MatrixRun(const MatrixSource& source, const MatrixUpdate& update, const BatchSize& size,
            const Experiment& experiment, std::uint64_t seed, std::uint64_t run)
      : source_(source),
        noise_(experiment.noise()),
        update_(update),
        size_(size),
        seed_(seed),
        run_(run),
        chain_(begin(source, update, experiment, seed, run)) {}

  void step(long k) {
    const auto index = static_cast<std::uint64_t>(k);
    const Eigen::Index b = size_(k);
    const auto compute = [&](int worker, const Eigen::MatrixXd& delta, Eigen::MatrixXd& update) {
      Random samples(seed_, run_, index, of_worker(Purpose::samples, worker));
      Random noise(seed_, run_, index, of_worker(Purpose::label_noise, worker));
      const Eigen::MatrixXd out = source_.out.draw(samples, b);
      const Eigen::MatrixXd in = source_.in.draw(samples, b);
      const Eigen::MatrixXd image = multiply(delta, Transpose::yes, out, Transpose::no);
      Eigen::VectorXd residual = image.cwiseProduct(in).colwise().sum();
      for (double& z : residual) z -= noise_.sample(noise);
      update = update_.compute({out, in, residual});
    };
    chain_.step(k, compute);
  }

  double risk() const { return source_.risk(chain_.point()); }
  double averaged_risk() const { return source_.risk(chain_.average()); }

 private:
  // W_0 = 0.
  static ChainRun<Eigen::MatrixXd> begin(const MatrixSource& source, const MatrixUpdate& update,
                                         const Experiment& experiment, std::uint64_t seed,
                                         std::uint64_t run) {
    Random random(seed, run, 0, Purpose::start);
    Eigen::MatrixXd delta = source.start(random), target;
    if (pulls(experiment.chain)) target = -delta;
    MakeMap<Eigen::MatrixXd> map = update.map;
    if (update.random_map)
      map = [&update, seed, run, worker = 0]() mutable {
        return update.random_map(Random(seed, run, 0, of_worker(Purpose::map, worker++)));
      };
    return {experiment.chain, experiment.schedule, buffer_of(experiment.optimizer), map,
            std::move(delta), std::move(target)};
  }

  const MatrixSource& source_;
  const NoiseLaw& noise_;
  const MatrixUpdate& update_;
  const BatchSize& size_;
  const std::uint64_t seed_, run_;
  ChainRun<Eigen::MatrixXd> chain_;
};

}  // namespace

Ensemble simulate_matrix(const Experiment& experiment, const SimulateOptions& options) {
  make_room_for_blas();
  const MatrixProblem& problem = experiment.matrix();
  MatrixUpdate update = update_for<MatrixUpdate>(experiment.optimizer, problem);
  if (experiment.chain.momentum && update.of_filtered) {
    update.compute = gradient;
    update.map = [map = update.of_filtered] { return map; };
  }
  const MatrixSource source = matrix_source(problem, update.rotation_invariant, options.seed);
  const auto out = static_cast<double>(source.out.dimension()),
             in = static_cast<double>(source.in.dimension());
  const BatchSize size(experiment, out + in, "batch times the sum of both dimensions");
  check_workers(experiment.chain, out * in);
  return run_steps(experiment.run.at, options, [&](std::uint64_t number) -> Iteration {
    auto run = std::make_shared<MatrixRun>(source, update, size, experiment, options.seed, number);
    return iteration_of(run, averages(experiment.chain));
  });
}

}  // namespace riskcurve
