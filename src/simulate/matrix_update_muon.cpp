#include <algorithm>
#include <cmath>

#include "simulate/blas.hpp"
#include "simulate/matrix_update.hpp"

namespace riskcurve {
namespace {

// As torch.optim.Muon: X = U/|U|_F with the smaller side first, then ns_steps times
// X <- a X + (b A + c A^2) X, A = X X^T.
Eigen::MatrixXd orthogonalized(const Muon& muon, const Eigen::MatrixXd& u) {
  const double norm = u.stableNorm();  // squares must not overflow
  if (norm == 0) return u;
  const bool tall = u.rows() > u.cols();
  Eigen::MatrixXd x = u / norm;
  if (tall) x.transposeInPlace();
  for (int i = 0; i < muon.ns_steps; ++i) {
    const auto [a, b, c] = muon.coefficients(i);
    const Eigen::MatrixXd gram = lower_gram(x, Side::left).selfadjointView<Eigen::Lower>();
    const Eigen::MatrixXd lower = b * gram + c * lower_gram(gram, Side::left);
    x = a * x + multiply_symmetric(lower, x, Side::left);
  }
  if (tall) x.transposeInPlace();
  return x;
}

// M <- momentum M + (1 - momentum) G from zero.
GradientMap<Eigen::MatrixXd> muon_map(const Muon& muon) {
  return [muon, m = Eigen::MatrixXd()](Eigen::MatrixXd& gradient) mutable {
    if (m.size() == 0) m = Eigen::MatrixXd::Zero(gradient.rows(), gradient.cols());
    const double kept = muon.momentum;
    m = kept * m + (1 - kept) * gradient;
    if (muon.nesterov)
      gradient = (1 - kept) * gradient + kept * m;
    else
      gradient = m;
    const double factor =
        muon.adjust(static_cast<double>(gradient.rows()), static_cast<double>(gradient.cols()));
    gradient = factor * orthogonalized(muon, gradient);
  };
}

}  // namespace

MatrixUpdate update_of(const Muon& muon, const MatrixProblem&) {
  return {true, gradient, [muon] { return muon_map(muon); }};
}

}  // namespace riskcurve
