#pragma once
#include <functional>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// A symmetric positive semi-definite A of shape (size, size), known by its products.
struct SymmetricOperator {
  Eigen::Index size = 0;
  std::function<Eigen::VectorXd(const Eigen::VectorXd&)> apply;
};

/// sum_q weight_q f(node_q): nodes decreasing, weights >= 0.
struct Quadrature {
  Eigen::ArrayXd node, weight;
};

/// Gauss quadrature of the spectral measure of `start` outside the span of the orthonormal columns
/// of `deflate` (an invariant subspace of A; may have no columns). With v the projected start,
///     v^T f(A) v = sum_q weight_q f(node_q)    for polynomials f of degree <= 2 steps - 1,
/// so the weights sum to |v|^2. Lanczos with full reorthogonalisation; stops early where the Krylov
/// space is exhausted, and is then exact. Memory: size x steps.
/// Source: Golub and Meurant, Matrices, Moments and Quadrature with Applications, 2010.
Quadrature lanczos_quadrature(const SymmetricOperator& A, const Eigen::VectorXd& start, int steps,
                              const Eigen::MatrixXd& deflate);

/// The eigenvalue count of A outside the span of `deflate`, as the mean of `probes` quadratures
/// started from random vectors of a fixed seed: weights sum to size - deflate.cols() exactly, and
/// sum_q weight_q f(node_q) estimates tr f(A) there, with the relative standard error
/// sqrt(2 tr f^2 / probes) / tr f of Hutchinson's estimator.
Quadrature counting_quadrature(const SymmetricOperator& A, int steps, int probes,
                               const Eigen::MatrixXd& deflate);

/// Leading eigenpairs, decreasing.
struct LeadingPairs {
  Eigen::ArrayXd value;
  Eigen::MatrixXd vector;  ///< shape (size, value.size()), orthonormal columns
};
/// At most `count` of them, by Spectra, matrix-free; fewer (or none) where that does not converge.
/// A repeated eigenvalue may be found once only.
LeadingPairs leading_pairs(const SymmetricOperator& A, int count);

}  // namespace riskcurve
