#pragma once
#include <Eigen/Core>

namespace riskcurve {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// product = left right^T by BLAS: many times the speed of Eigen's own without -march.
/// `product` has its final shape already.
void multiply_transposed(const RowMatrix& left, const Eigen::MatrixXd& right, RowMatrix& product);

/// Replaces each column's lower part by that of the orthogonal matrix H_1 ... H_d, where H_k is the
/// reflector with vector (1, reflectors(k+1.., k)) and factor tau[k] (LAPACK's dorgqr).
void form_orthogonal(Eigen::MatrixXd& reflectors, const Eigen::VectorXd& tau);

/// One BLAS thread while it lives: runs go in parallel instead, and no sum depends on a thread
/// count.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

 private:
  int before_;
};

}  // namespace riskcurve
