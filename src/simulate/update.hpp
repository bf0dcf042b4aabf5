#pragma once
#include <Eigen/Core>
#include <functional>

#include "riskcurve/problem/problem.hpp"
#include "simulate/blas.hpp"
#include "simulate/chain.hpp"

namespace riskcurve {

/// A batch of the optimizer's step: rows of x and residuals l_i = <x_i, theta> - y_i.
struct Batch {
  Eigen::Ref<const RowMatrix> x;
  Eigen::Ref<const Eigen::VectorXd> residual;
};

/// An optimizer as it is run: theta -= gamma(k) update.
struct Update {
  /// Whether rotating the samples rotates the update: then K's eigenbasis serves for any other.
  bool rotation_invariant = true;
  /// Writes the update of step k, or the mean gradient where a `map` follows: what momentum adds
  /// up. Called from several threads at once.
  std::function<void(double k, const Batch& batch, Eigen::VectorXd& update)> compute;
  MakeMap<Eigen::VectorXd> map = {};
};

/// G = (1/b) sum_i l_i x_i, at any step.
void mean_gradient(double k, const Batch& batch, Eigen::VectorXd& gradient);

// One a file: the optimizers that Monte Carlo runs on vectors.
Update update_of(const Sgd& sgd, const VectorProblem& problem);
Update update_of(const PreconditionedSgd& preconditioned, const VectorProblem& problem);
Update update_of(const SignSgd& sign_sgd, const VectorProblem& problem);
Update update_of(const ClippedSgd& clipped, const VectorProblem& problem);
Update update_of(const Adam& adam, const VectorProblem& problem);
Update update_of(const RmsProp& rmsprop, const VectorProblem& problem);
Update update_of(const AdaGrad& adagrad, const VectorProblem& problem);
Update update_of(const Lion& lion, const VectorProblem& problem);

}  // namespace riskcurve
