#pragma once
#include <Eigen/Core>
#include <functional>

#include "riskcurve/problem/optimizer.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// A batch of the matrix problem: a sample each column, residuals z_b = u_b^T Delta v_b -
/// epsilon_b.
struct MatrixBatch {
  const Eigen::MatrixXd& out;  ///< u, shape (N_out, B)
  const Eigen::MatrixXd& in;   ///< v, shape (N_in, B)
  const Eigen::VectorXd& residual;
};

/// G = (1/B) sum_b z_b u_b v_b^T, shape (N_out, N_in).
Eigen::MatrixXd gradient(const MatrixBatch& batch);

/// An optimizer as it is run: W -= gamma(k) update.
struct MatrixUpdate {
  int batch = 1;
  /// Whether rotating either side's samples rotates the update: then the eigenbases serve for any.
  bool rotation_invariant = true;
  /// Called from several threads at once.
  std::function<Eigen::MatrixXd(const MatrixBatch& batch)> compute;
};

// One a file; matrix_run.cpp registers them by name.
MatrixUpdate sgd_matrix_update(const Experiment& experiment);
MatrixUpdate sign_sgd_matrix_update(const Experiment& experiment);
MatrixUpdate sign_svd_update(const Experiment& experiment);
MatrixUpdate schatten_update(const Experiment& experiment);
MatrixUpdate regularized_svd_update(const Experiment& experiment);

}  // namespace riskcurve
