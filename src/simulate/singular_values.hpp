#pragma once
#include <Eigen/Core>
#include <functional>

#include "simulate/matrix_update.hpp"

namespace riskcurve {

/// What a spectral optimizer does to each singular value s > 0 of the gradient, or to all of them.
struct SingularMap {
  std::function<double(double s)> f;  ///< >= 0
  bool polar = false;                 ///< f = 1: the result is then polished to be an isometry
  /// Where given, in place of f: the positive ones in any order, to numbers >= 0.
  std::function<void(Eigen::VectorXd& s)> all = {};
};

/// The update of a batch by the map, and of a momentum of gradients.
MatrixUpdate update_by(const SingularMap& map);

/// Replaces g by U f(S) V^T of its compact SVD g = U S V^T; by nan where g is not finite.
/// Through the eigenvectors of the Gram matrix of the smaller side, which squares condition numbers
/// k: good to 2^-52 k^2, and for f = 1 followed by a Newton-Schulz step P (3 - P^T P)/2, after
/// which P is an isometry to roundoff. Where the smallest eigenvalue is below 1e-11 (f = 1) or 1e-8
/// of the largest, by LAPACK's SVD instead, with singular values below max(rows, columns) 2^-52 of
/// the largest taken for zeros and dropped.
void map_singular_values(const SingularMap& map, Eigen::MatrixXd& g);

/// U f(S) V^T for the batch gradient G. With fewer samples than rows and columns G has rank B:
/// then G = Q_out C Q_in^T by the QR decompositions of the samples, and the map is taken of C,
/// B x B. Else of G as it stands. For B within a quarter of the smaller of both, LAPACK's SVD at
/// once: the Gram matrix would nearly always be too ill-conditioned.
Eigen::MatrixXd map_singular_values(const SingularMap& map, const MatrixBatch& batch);

}  // namespace riskcurve
