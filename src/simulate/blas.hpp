#pragma once
#include <Eigen/Core>

namespace riskcurve {

// BLAS and LAPACK by name: many times the speed of Eigen's own without -march. This is the one
// place that calls them.

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// product = left right^T. `product` has its final shape already.
void multiply_transposed(const RowMatrix& left, const Eigen::MatrixXd& right, RowMatrix& product);

enum class Transpose { no, yes };
/// factor op(left) op(right)
Eigen::MatrixXd multiply(const Eigen::MatrixXd& left, Transpose left_op,
                         const Eigen::MatrixXd& right, Transpose right_op, double factor = 1);

enum class Side { left, right };
/// The lower half of a a^T (Side::left) or a^T a (Side::right); the rest is zero.
Eigen::MatrixXd lower_gram(const Eigen::MatrixXd& a, Side side);
/// s a (Side::left) or a s (Side::right), for the symmetric s whose lower half is given.
Eigen::MatrixXd multiply_symmetric(const Eigen::MatrixXd& lower, const Eigen::MatrixXd& a,
                                   Side side);

/// Replaces each column's lower part by that of the orthogonal matrix H_1 ... H_d, where H_k is the
/// reflector with vector (1, reflectors(k+1.., k)) and factor tau[k] (LAPACK's dorgqr).
void form_orthogonal(Eigen::MatrixXd& reflectors, const Eigen::VectorXd& tau);

/// a = Q R for rows >= columns: replaces `a` by Q, of orthonormal columns, and returns R.
Eigen::MatrixXd thin_qr(Eigen::MatrixXd& a);

/// The symmetric matrix whose lower half is given: replaces it by its eigenvectors and returns the
/// eigenvalues, increasing (dsyevd).
Eigen::VectorXd eigen_decompose(Eigen::MatrixXd& lower);

/// Thin SVD, singular values decreasing (dgesdd).
struct ThinSvd {
  Eigen::MatrixXd u, v_transposed;
  Eigen::VectorXd s;
};
ThinSvd thin_svd(Eigen::MatrixXd a);

/// One BLAS thread a call while it lives: runs go in parallel instead, on so many threads, and no
/// sum depends on a thread count. Calls then throw Failure where OpenBLAS has no room for its work.
class SingleThreadedBlas {
 public:
  explicit SingleThreadedBlas(int threads);
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

 private:
  int callers_;
};

/// What the first call does otherwise: takes the room while no other thread asks for memory.
void make_room_for_blas();

}  // namespace riskcurve
