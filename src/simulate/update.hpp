#pragma once
#include <Eigen/Core>
#include <functional>

#include "riskcurve/problem/optimizer.hpp"
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

// One a file; simulate.cpp registers them by name.
Update sgd_update(const Experiment& experiment);
Update sign_sgd_update(const Experiment& experiment);
Update clipped_sgd_update(const Experiment& experiment);

}  // namespace riskcurve
