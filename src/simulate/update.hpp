#pragma once
#include <Eigen/Core>
#include <functional>

#include "riskcurve/problem/problem.hpp"
#include "simulate/blas.hpp"

namespace riskcurve {

/// A batch of the optimizer's step: rows of x and residuals l_i = <x_i, theta> - y_i.
struct Batch {
  Eigen::Ref<const RowMatrix> x;
  Eigen::Ref<const Eigen::VectorXd> residual;
};

/// An optimizer as it is run: theta -= gamma(k) update.
struct Update {
  int batch = 1;
  /// Whether rotating the samples rotates the update: then K's eigenbasis serves for any other.
  bool rotation_invariant = true;
  /// Writes the update of step k. Called from several threads at once.
  std::function<void(double k, const Batch& batch, Eigen::VectorXd& update)> compute;
};

// One a file: the optimizers that Monte Carlo runs on vectors.
Update update_of(const Sgd& sgd, const VectorProblem& problem);
Update update_of(const PreconditionedSgd& preconditioned, const VectorProblem& problem);
Update update_of(const SignSgd& sign_sgd, const VectorProblem& problem);
Update update_of(const ClippedSgd& clipped, const VectorProblem& problem);

}  // namespace riskcurve
