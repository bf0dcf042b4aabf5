#include "simulate/blas.hpp"

#include <cblas.h>

#include <string>

#include "riskcurve/problem/error.hpp"

// In libopenblas, but declared by no header of libopenblas-dev (LAPACK's are in liblapacke-dev).
extern "C" void dorgqr_(const int* rows, const int* columns, const int* reflectors, double* a,
                        const int* stride, const double* tau, double* work, const int* work_size,
                        int* info);

namespace riskcurve {

void multiply_transposed(const RowMatrix& left, const Eigen::MatrixXd& right, RowMatrix& product) {
  // Row-major left, column-major right: in row-major terms right^T is stored as it is.
  const auto rows = static_cast<int>(left.rows()), inner = static_cast<int>(left.cols()),
             columns = static_cast<int>(right.rows());
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, inner, 1, left.data(),
              inner, right.data(), columns, 0, product.data(), columns);
}

void form_orthogonal(Eigen::MatrixXd& reflectors, const Eigen::VectorXd& tau) {
  const auto d = static_cast<int>(reflectors.rows());
  int info = 0, query = -1;
  double best = 0;
  dorgqr_(&d, &d, &d, reflectors.data(), &d, tau.data(), &best, &query, &info);
  Eigen::VectorXd work(static_cast<Eigen::Index>(best));
  const auto size = static_cast<int>(work.size());
  dorgqr_(&d, &d, &d, reflectors.data(), &d, tau.data(), work.data(), &size, &info);
  if (info != 0) throw Failure("LAPACK dorgqr failed with info " + std::to_string(info));
}

SingleThreadedBlas::SingleThreadedBlas() : before_(openblas_get_num_threads()) {
  openblas_set_num_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  openblas_set_num_threads(before_);
}

}  // namespace riskcurve
