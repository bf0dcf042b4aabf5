#include "simulate/blas.hpp"

#include <cblas.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "riskcurve/problem/error.hpp"

// LAPACK as OpenBLAS has it: LAPACKE would load the reference libraries beside it, at every start.
// Lengths of strings come last, as Fortran passes them.
extern "C" {
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w,
             double* work, const int* lwork, int* iwork, const int* liwork, int* info, std::size_t,
             std::size_t);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s,
             double* u, const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork,
             int* iwork, int* info, std::size_t);
}

// OpenBLAS's own, in no header of it.
extern "C" {
[[gnu::weak]] void* blas_memory_alloc(int kind);
[[gnu::weak]] void blas_memory_free(void* buffer);
}

namespace riskcurve {
namespace {

// The serial flavour of OpenBLAS hands out its work buffers without a lock: two threads at once may
// share one, and compute garbage. There, calls take turns; the other flavours are safe.
bool is_serial() {
  static const bool serial = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  return serial;
}

std::mutex lives;              // of the two below
int threads_before = 1;        // OpenBLAS's own, to be given back
std::atomic<int> callers = 0;  // threads that may call at once

constexpr std::size_t kBuffer = std::size_t{129} << 20;  // of 128 MiB, and pages around it

bool can_have(std::size_t bytes) {
  void* const place =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return place != MAP_FAILED && munmap(place, bytes) == 0;
}

// A thread in a call holds a work buffer. OpenBLAS asks for it again and again, without end, where
// there is no room for it. So all are taken before the first call, one by one as there is room, and
// given back to OpenBLAS, which keeps them for the calls.
void take_buffers(int count) {
  std::vector<void*> taken;
  bool room = true;
  for (int i = 0; i < count && room; ++i) {
    room = can_have(kBuffer);
    if (room && blas_memory_alloc) taken.push_back(blas_memory_alloc(0));
  }
  for (void* const buffer : taken) blas_memory_free(buffer);
  if (!room)
    throw Failure("not enough address space: OpenBLAS wants 128 MiB for each of " +
                  std::to_string(count) + " threads, and there is room for " +
                  std::to_string(taken.size()) + " (more by ulimit -v, or fewer threads)");
}

/// To be held during every call.
std::unique_lock<std::mutex> take_turn() {
  static std::mutex one_at_a_time;
  make_room_for_blas();
  return is_serial() ? std::unique_lock(one_at_a_time) : std::unique_lock<std::mutex>();
}

int as_int(Eigen::Index n) {
  return static_cast<int>(n);
}

void check(int info, const char* routine) {
  if (info != 0)
    throw Failure("LAPACK " + std::string(routine) + " failed with info " + std::to_string(info));
}

// Calls LAPACK twice: for the size of its work array, then with one.
template <class Call>
void with_work(const char* routine, const Call& call) {
  double size = 0;
  check(call(&size, -1), routine);
  Eigen::VectorXd work(static_cast<Eigen::Index>(size));
  check(call(work.data(), as_int(work.size())), routine);
}

// BLAS wants leading dimensions of at least 1, of empty matrices too.
int stride(const Eigen::MatrixXd& a) {
  return std::max(1, as_int(a.rows()));
}

}  // namespace

void make_room_for_blas() {
  static std::mutex taking;
  static std::atomic<int> held = 0;
  const int wanted = is_serial() ? 1 : std::max(1, callers.load());
  if (held >= wanted) return;
  const std::lock_guard<std::mutex> guard(taking);
  if (held >= wanted) return;
  take_buffers(wanted);
  held = wanted;
}

void multiply_transposed(const RowMatrix& left, const Eigen::MatrixXd& right, RowMatrix& product) {
  // Row-major left, column-major right: in row-major terms right^T is stored as it is.
  const int rows = as_int(left.rows()), inner = as_int(left.cols()), columns = as_int(right.rows());
  const auto turn = take_turn();
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, inner, 1, left.data(),
              inner, right.data(), columns, 0, product.data(), columns);
}

Eigen::MatrixXd multiply(const Eigen::MatrixXd& left, Transpose left_op,
                         const Eigen::MatrixXd& right, Transpose right_op, double factor) {
  const bool flip_left = left_op == Transpose::yes, flip_right = right_op == Transpose::yes;
  Eigen::MatrixXd product(flip_left ? left.cols() : left.rows(),
                          flip_right ? right.rows() : right.cols());
  const auto turn = take_turn();
  cblas_dgemm(CblasColMajor, flip_left ? CblasTrans : CblasNoTrans,
              flip_right ? CblasTrans : CblasNoTrans, as_int(product.rows()),
              as_int(product.cols()), as_int(flip_left ? left.rows() : left.cols()), factor,
              left.data(), stride(left), right.data(), stride(right), 0, product.data(),
              stride(product));
  return product;
}

Eigen::MatrixXd lower_gram(const Eigen::MatrixXd& a, Side side) {
  const Eigen::Index n = side == Side::left ? a.rows() : a.cols();
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(n, n);
  const auto turn = take_turn();
  cblas_dsyrk(CblasColMajor, CblasLower, side == Side::left ? CblasNoTrans : CblasTrans, as_int(n),
              as_int(side == Side::left ? a.cols() : a.rows()), 1, a.data(), stride(a), 0,
              gram.data(), stride(gram));
  return gram;
}

Eigen::MatrixXd multiply_symmetric(const Eigen::MatrixXd& lower, const Eigen::MatrixXd& a,
                                   Side side) {
  Eigen::MatrixXd product(a.rows(), a.cols());
  const auto turn = take_turn();
  cblas_dsymm(CblasColMajor, side == Side::left ? CblasLeft : CblasRight, CblasLower,
              as_int(a.rows()), as_int(a.cols()), 1, lower.data(), stride(lower), a.data(),
              stride(a), 0, product.data(), stride(product));
  return product;
}

void form_orthogonal(Eigen::MatrixXd& reflectors, const Eigen::VectorXd& tau) {
  const int rows = as_int(reflectors.rows()), columns = as_int(reflectors.cols());
  const auto turn = take_turn();
  with_work("dorgqr", [&](double* work, int size) {
    int info = 0;
    dorgqr_(&rows, &columns, &columns, reflectors.data(), &rows, tau.data(), work, &size, &info);
    return info;
  });
}

Eigen::MatrixXd thin_qr(Eigen::MatrixXd& a) {
  Eigen::VectorXd tau(a.cols());
  const int rows = as_int(a.rows()), columns = as_int(a.cols()), apart = stride(a);
  {
    const auto turn = take_turn();
    with_work("dgeqrf", [&](double* work, int size) {
      int info = 0;
      dgeqrf_(&rows, &columns, a.data(), &apart, tau.data(), work, &size, &info);
      return info;
    });
  }
  const Eigen::MatrixXd r = a.topRows(a.cols()).triangularView<Eigen::Upper>();
  form_orthogonal(a, tau);
  return r;
}

Eigen::VectorXd eigen_decompose(Eigen::MatrixXd& lower) {
  Eigen::VectorXd values(lower.rows());
  const auto turn = take_turn();
  const int n = as_int(lower.rows()), apart = stride(lower);
  std::vector<int> whole(static_cast<std::size_t>(3 + 5 * n));
  with_work("dsyevd", [&](double* work, int size) {
    const int whole_size = size < 0 ? -1 : as_int(std::ssize(whole));
    int info = 0;
    dsyevd_("V", "L", &n, lower.data(), &apart, values.data(), work, &size, whole.data(),
            &whole_size, &info, 1, 1);
    return info;
  });
  return values;
}

ThinSvd thin_svd(Eigen::MatrixXd a) {
  const Eigen::Index n = std::min(a.rows(), a.cols());
  ThinSvd svd{Eigen::MatrixXd(a.rows(), n), Eigen::MatrixXd(n, a.cols()), Eigen::VectorXd(n)};
  const auto turn = take_turn();
  const int rows = as_int(a.rows()), columns = as_int(a.cols()), apart = stride(a),
            apart_u = stride(svd.u), apart_v = stride(svd.v_transposed);
  std::vector<int> whole(static_cast<std::size_t>(8 * std::max<Eigen::Index>(1, n)));
  with_work("dgesdd", [&](double* work, int size) {
    int info = 0;
    dgesdd_("S", &rows, &columns, a.data(), &apart, svd.s.data(), svd.u.data(), &apart_u,
            svd.v_transposed.data(), &apart_v, work, &size, whole.data(), &info, 1);
    return info;
  });
  return svd;
}

SingleThreadedBlas::SingleThreadedBlas(int threads) : callers_(threads) {
  const std::lock_guard<std::mutex> guard(lives);
  if (callers == 0) threads_before = openblas_get_num_threads();
  callers += callers_;
  openblas_set_num_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  const std::lock_guard<std::mutex> guard(lives);
  callers -= callers_;
  if (callers == 0) openblas_set_num_threads(threads_before);
}

}  // namespace riskcurve
