#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/problem/error.hpp"
#include "simulate/batch_size.hpp"
#include "simulate/chain.hpp"
#include "simulate/ensemble.hpp"
#include "simulate/registration.hpp"
#include "simulate/source.hpp"
#include "simulate/update.hpp"

namespace riskcurve {
namespace {

Source source_of(const VectorProblem& problem, bool rotation_invariant, std::uint64_t seed) {
  const Covariance& covariance = problem.covariance;
  if (covariance.sample_rows) return row_source(problem);
  // A multiple of the identity looks the same in every basis.
  const bool any_basis = rotation_invariant || covariance.spectrum.size() == 1;
  if (any_basis || covariance.orientation == Orientation::diagonal) return eigen_source(problem);
  return factor_source(problem, seed);
}

// Samples drawn at once where they are coloured by a matrix product: long enough for it to be fast.
constexpr Eigen::Index samples_a_product = 256;

// The batches of one run, drawn some steps ahead.
class Batches {
 public:
  Batches(const Source& source, const BatchSize& size, int workers, std::uint64_t seed,
          std::uint64_t run)
      : source_(source), size_(size), workers_(workers), seed_(seed), run_(run) {}

  // The next one: step by step, and worker by worker in each.
  void next() {
    if (++slot_ >= std::ssize(begin_) - 1) draw();
    ++count_;
  }
  auto x() const { return (source_.colour ? coloured_ : latent_).middleRows(first(), size()); }
  auto epsilon() const { return epsilon_.segment(first(), size()); }

 private:
  Eigen::Index first() const { return begin_[static_cast<std::size_t>(slot_)]; }
  Eigen::Index size() const { return begin_[static_cast<std::size_t>(slot_) + 1] - first(); }

  // Each batch has streams of its own, so how many are drawn at once changes no number.
  void draw() {
    begin_ = {0};
    slot_ = 0;
    const auto end_of_next = [&] {
      return begin_.back() + size_((count_ + std::ssize(begin_) - 1) / workers_);
    };
    begin_.push_back(end_of_next());
    while (source_.colour && end_of_next() <= samples_a_product) begin_.push_back(end_of_next());
    latent_.resize(begin_.back(), source_.latent);
    epsilon_.resize(begin_.back());
    for (std::size_t i = 0; i + 1 < begin_.size(); ++i) {
      const long number = count_ + static_cast<long>(i);
      const auto k = static_cast<std::uint64_t>(number / workers_);
      const auto worker = static_cast<int>(number % workers_);
      Random samples(seed_, run_, k, of_worker(Purpose::samples, worker));
      Random noise(seed_, run_, k, of_worker(Purpose::label_noise, worker));
      source_.draw(samples, noise, begin_[i], begin_[i + 1] - begin_[i], latent_, epsilon_);
    }
    if (!source_.colour) return;
    coloured_.resize(latent_.rows(), source_.dimension);
    source_.colour(latent_, coloured_);
  }

  const Source& source_;
  const BatchSize& size_;
  const long workers_;
  const std::uint64_t seed_, run_;
  long count_ = 0;                        // batches handed out
  std::ptrdiff_t slot_ = 0;               // the present one among those drawn
  std::vector<Eigen::Index> begin_ = {};  // their first rows, and the end
  RowMatrix latent_, coloured_;
  Eigen::VectorXd epsilon_;
};

// One run of a vector optimizer.
class VectorRun {
 public:
  VectorRun(const Source& source, const Update& update, const BatchSize& size,
            const Experiment& experiment, std::uint64_t seed, std::uint64_t run)
      : source_(source),
        update_(update),
        batches_(source, size, workers_of(experiment.chain), seed, run),
        chain_(begin(source, update, experiment, Random(seed, run, 0, Purpose::start))) {}

  void step(long k) {
    const auto compute = [&](int, const Eigen::VectorXd& delta, Eigen::VectorXd& update) {
      batches_.next();
      const auto x = batches_.x();
      residual_.noalias() = x * delta;
      residual_ -= batches_.epsilon();
      update_.compute(static_cast<double>(k), {x, residual_}, update);
    };
    chain_.step(k, compute);
  }

  double risk() const { return source_.risk(chain_.point()); }
  double averaged_risk() const { return source_.risk(chain_.average()); }

 private:
  static ChainRun<Eigen::VectorXd> begin(const Source& source, const Update& update,
                                         const Experiment& experiment, Random random) {
    Eigen::VectorXd delta = source.initial(random), target;
    if (pulls(experiment.chain)) {
      target = -delta;
      if (source.theta_start.size() > 0) target += source.theta_start;
    }
    return {experiment.chain, experiment.schedule, buffer_of(experiment.optimizer),
            update.map,       std::move(delta),    std::move(target)};
  }

  const Source& source_;
  const Update& update_;
  Batches batches_;
  ChainRun<Eigen::VectorXd> chain_;
  Eigen::VectorXd residual_;
};

}  // namespace

Ensemble simulate_vector(const Experiment& experiment, const SimulateOptions& options) {
  const Update update = update_for<Update>(experiment.optimizer, experiment.vector());
  const Source source = source_of(experiment.vector(), update.rotation_invariant, options.seed);
  const auto dimension = static_cast<double>(source.dimension);
  const BatchSize size(experiment, dimension, "batch times dimension");
  check_workers(experiment.chain, dimension);
  return run_steps(experiment.run.at, options, [&](std::uint64_t run) -> Iteration {
    auto vector = std::make_shared<VectorRun>(source, update, size, experiment, options.seed, run);
    return iteration_of(vector, averages(experiment.chain));
  });
}

}  // namespace riskcurve
