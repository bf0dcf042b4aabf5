#pragma once
#include <Eigen/Core>
#include <cstdint>

#include "problem/random.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// Where the samples of one side of the matrix come from: x = F z, F F^T = K, z ~ N(0, 1).
/// Eigenvalues 0 are left out: along them neither the risk nor, but for rotations, any update
/// moves.
struct MatrixSide {
  Eigen::VectorXd root;    ///< sqrt of the eigenvalues > 0, shape (rank)
  Eigen::MatrixXd factor;  ///< F, shape (N, rank); empty where x is in the eigenbasis: F = root

  Eigen::Index dimension() const { return factor.size() > 0 ? factor.rows() : root.size(); }
  /// Draws `count` samples, one a column.
  Eigen::MatrixXd draw(Random& random, Eigen::Index count) const;
};

/// One serves a whole ensemble.
struct MatrixSource {
  MatrixSide out, in;
  /// Sizes of Delta_0 in the joint eigenbasis, shape (rank out, rank in): a group of equal
  /// eigenvalues shares its squared error equally.
  Eigen::MatrixXd initial;
  bool signs_known = false;  ///< else `start` draws the signs of `initial`

  /// Delta_0 with random signs in the joint eigenbasis: R(0) is exact.
  Eigen::MatrixXd start(Random& random) const;
  /// R = tr(K_out Delta K_in Delta^T)/2
  double risk(const Eigen::MatrixXd& delta) const;
};

/// Each side in its eigenbasis where `rotation_invariant`, diagonal or isotropic; else under the
/// eigenvectors given, or one Haar-random set of them a side.
/// Throws InputError where there are too many eigenvalues to draw samples, or entries to hold.
MatrixSource matrix_source(const MatrixProblem& problem, bool rotation_invariant,
                           std::uint64_t seed);

}  // namespace riskcurve
