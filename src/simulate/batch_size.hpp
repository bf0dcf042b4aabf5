#pragma once
#include <Eigen/Core>
#include <string>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// How many samples a step draws: the chain's schedule rounded, or the optimizer's batch.
class BatchSize {
 public:
  /// numbers: those of one sample. Throws InputError where a batch would hold more than 1e8;
  /// `product` says of what ("batch times dimension").
  BatchSize(const Experiment& experiment, double numbers, const std::string& product);
  /// Throws the same InputError where a schedule that is a function goes beyond.
  Eigen::Index operator()(long k) const;

 private:
  const Experiment& experiment_;
  const double most_;
  const std::string expected_;
};

/// Throws InputError where the points of all workers would hold more than 1e8 numbers.
void check_workers(const Chain& chain, double dimension);

}  // namespace riskcurve
