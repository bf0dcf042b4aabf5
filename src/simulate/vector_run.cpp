#include <algorithm>
#include <memory>
#include <string>

#include "riskcurve/problem/error.hpp"
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
constexpr double largest_block = 1e8;  // numbers a thread

// One run of a vector optimizer: Delta, and the samples of the steps ahead.
class VectorRun {
 public:
  VectorRun(const Source& source, const Update& update, const Schedule& schedule,
            std::uint64_t seed, std::uint64_t run)
      : source_(source),
        update_(update),
        schedule_(schedule),
        seed_(seed),
        run_(run),
        ahead_(source.colour ? std::max<Eigen::Index>(1, samples_a_product / update.batch) : 1),
        latent_(ahead_ * update.batch, source.latent),
        epsilon_(ahead_ * update.batch),
        residual_(update.batch),
        direction_(source.dimension) {
    if (source.colour) coloured_.resize(latent_.rows(), source.dimension);
    Random random(seed, run, 0, Purpose::start);
    delta_ = source.initial(random);
  }

  void step(long k) {
    const Eigen::Index b = update_.batch, slot = k % ahead_;
    if (slot == 0) draw(k);
    const auto x = (source_.colour ? coloured_ : latent_).middleRows(slot * b, b);
    residual_.noalias() = x * delta_;
    residual_ -= epsilon_.segment(slot * b, b);
    const auto index = static_cast<double>(k);
    update_.compute(index, {x, residual_}, direction_);
    delta_ -= schedule_(index) * direction_;
  }

  double risk() const { return source_.risk(delta_); }

 private:
  // Each step has streams of its own, so how many are drawn at once changes no number.
  void draw(long first) {
    for (Eigen::Index i = 0; i < ahead_; ++i) {
      const auto k = static_cast<std::uint64_t>(first + i);
      Random samples(seed_, run_, k, Purpose::samples), noise(seed_, run_, k, Purpose::label_noise);
      source_.draw(samples, noise, i * update_.batch, update_.batch, latent_, epsilon_);
    }
    if (source_.colour) source_.colour(latent_, coloured_);
  }

  const Source& source_;
  const Update& update_;
  const Schedule& schedule_;
  const std::uint64_t seed_, run_;
  const Eigen::Index ahead_;
  RowMatrix latent_, coloured_;
  Eigen::VectorXd epsilon_, residual_, direction_, delta_;
};

}  // namespace

Ensemble simulate_vector(const Experiment& experiment, const SimulateOptions& options) {
  const Update update = update_for<Update>(experiment.optimizer, experiment.vector());
  const Source source = source_of(experiment.vector(), update.rotation_invariant, options.seed);
  if (static_cast<double>(update.batch) * static_cast<double>(source.dimension) > largest_block)
    throw InputError("optimizer.batch", std::to_string(update.batch),
                     "batch times dimension at most 1e8 for Monte Carlo");
  return run_steps(experiment.run.at, options, [&](std::uint64_t run) -> Iteration {
    auto vector =
        std::make_shared<VectorRun>(source, update, experiment.schedule, options.seed, run);
    return {[vector](long k) { vector->step(k); }, [vector] { return vector->risk(); }};
  });
}

}  // namespace riskcurve
