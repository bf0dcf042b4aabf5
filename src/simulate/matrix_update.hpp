#pragma once
#include <Eigen/Core>
#include <functional>

#include "problem/random.hpp"
#include "riskcurve/problem/problem.hpp"
#include "simulate/chain.hpp"

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
  /// Whether rotating either side's samples rotates the update: then the eigenbases serve for any.
  bool rotation_invariant = true;
  /// The update, or the mean gradient where a `map` follows: what momentum adds up. Called from
  /// several threads at once.
  std::function<Eigen::MatrixXd(const MatrixBatch& batch)> compute;
  MakeMap<Eigen::MatrixXd> map = {};
  /// What makes a momentum of gradients the update, where momentum stands before the map.
  GradientMap<Eigen::MatrixXd> of_filtered = {};
  /// In place of `map`, one that draws random numbers of its own.
  std::function<GradientMap<Eigen::MatrixXd>(Random own)> random_map = {};
};

// One a file: the optimizers that Monte Carlo runs on matrices.
MatrixUpdate update_of(const Sgd& sgd, const MatrixProblem& problem);
MatrixUpdate update_of(const SignSgd& sign_sgd, const MatrixProblem& problem);
MatrixUpdate update_of(const Adam& adam, const MatrixProblem& problem);
MatrixUpdate update_of(const RmsProp& rmsprop, const MatrixProblem& problem);
MatrixUpdate update_of(const AdaGrad& adagrad, const MatrixProblem& problem);
MatrixUpdate update_of(const Lion& lion, const MatrixProblem& problem);
MatrixUpdate update_of(const RowNormalizedSgd& row_normalized, const MatrixProblem& problem);
MatrixUpdate update_of(const SignSvd& sign_svd, const MatrixProblem& problem);
MatrixUpdate update_of(const Schatten& schatten, const MatrixProblem& problem);
MatrixUpdate update_of(const RegularizedSvd& regularized, const MatrixProblem& problem);
MatrixUpdate update_of(const TruncatedSvd& truncated, const MatrixProblem& problem);
MatrixUpdate update_of(const MixedSvd& mixed, const MatrixProblem& problem);
MatrixUpdate update_of(const Kaon& kaon, const MatrixProblem& problem);
MatrixUpdate update_of(const Muon& muon, const MatrixProblem& problem);

}  // namespace riskcurve
