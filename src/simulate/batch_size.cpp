#include "simulate/batch_size.hpp"

#include <algorithm>
#include <cmath>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {
constexpr double largest_block = 1e8;  // numbers a thread
}  // namespace

BatchSize::BatchSize(const Experiment& experiment, double numbers, const std::string& product)
    : experiment_(experiment),
      most_(std::floor(largest_block / numbers)),
      expected_(product + " at most 1e8 for Monte Carlo") {
  if (experiment.chain.batch)
    check_values("optimizer.batch", *experiment.chain.batch, Range::within(1, most_), expected_);
  else if (batch_of(experiment.optimizer) > most_)
    throw InputError("optimizer.batch", std::to_string(batch_of(experiment.optimizer)), expected_);
}

Eigen::Index BatchSize::operator()(long k) const {
  if (!experiment_.chain.batch) return batch_of(experiment_.optimizer);
  // Batches are drawn ahead: past the end of the run that of its last step serves.
  const double last = experiment_.run.at[experiment_.run.at.size() - 1];
  const double batch =
      std::round((*experiment_.chain.batch)(std::min(static_cast<double>(k), last)));
  if (!(batch <= most_)) throw InputError("optimizer.batch", batch, expected_);
  return std::max<Eigen::Index>(1, static_cast<Eigen::Index>(batch));
}

void check_workers(const Chain& chain, double dimension) {
  if (chain.local && chain.local->workers * dimension > largest_block)
    throw InputError("optimizer.local.workers", std::to_string(chain.local->workers),
                     "workers times dimension at most 1e8 for Monte Carlo");
}

}  // namespace riskcurve
