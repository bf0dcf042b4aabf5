#include "simulate/singular_values.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "simulate/blas.hpp"

namespace riskcurve {
namespace {

// Of positive singular values over `scale`, in any order.
Eigen::VectorXd mapped(const SingularMap& map, double scale, const Eigen::VectorXd& s) {
  Eigen::VectorXd values = scale * s;
  if (map.all)
    map.all(values);
  else
    for (double& value : values) value = map.f(value);
  return values;
}

void map_by_svd(const SingularMap& map, double scale, Eigen::MatrixXd& g) {
  ThinSvd svd = thin_svd(std::move(g));
  const double zero = static_cast<double>(std::max(svd.u.rows(), svd.v_transposed.cols())) *
                      std::numeric_limits<double>::epsilon() * svd.s[0];
  const Eigen::Index rank = (svd.s.array() > zero).count();  // they fall
  Eigen::VectorXd values = Eigen::VectorXd::Zero(svd.s.size());
  values.head(rank) = mapped(map, scale, svd.s.head(rank));
  svd.u *= values.asDiagonal();
  g = multiply(svd.u, Transpose::no, svd.v_transposed, Transpose::no);
}

// False, and g as it was, where the Gram matrix is too ill-conditioned.
bool map_by_gram(const SingularMap& map, double scale, Eigen::MatrixXd& g) {
  const Side smaller = g.rows() < g.cols() ? Side::left : Side::right;
  Eigen::MatrixXd vectors = lower_gram(g, smaller);
  const Eigen::VectorXd lambda = eigen_decompose(vectors);
  const Eigen::Index n = lambda.size();
  if (!(lambda[0] >= (map.polar ? 1e-11 : 1e-8) * lambda[n - 1])) return false;
  // f(g) = g (g^T g)^(-1/2) f((g^T g)^(1/2))
  const Eigen::VectorXd s = lambda.cwiseSqrt(), values = mapped(map, scale, s);
  for (Eigen::Index k = 0; k < n; ++k) vectors.col(k) *= std::sqrt(values[k] / s[k]);
  g = multiply_symmetric(lower_gram(vectors, Side::left), g, smaller);
  if (!map.polar) return true;
  Eigen::MatrixXd polish = -0.5 * lower_gram(g, smaller);
  polish.diagonal().array() += 1.5;
  g = multiply_symmetric(polish, g, smaller);
  return true;
}

void map_scaled(const SingularMap& map, bool try_gram, Eigen::MatrixXd& g) {
  if (!g.allFinite()) {
    g.setConstant(std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const double scale = g.cwiseAbs().maxCoeff();  // squares must not overflow
  if (scale == 0) return;
  g /= scale;
  if (!try_gram || !map_by_gram(map, scale, g)) map_by_svd(map, scale, g);
}

}  // namespace

void map_singular_values(const SingularMap& map, Eigen::MatrixXd& g) {
  map_scaled(map, true, g);
}

Eigen::MatrixXd map_singular_values(const SingularMap& map, const MatrixBatch& batch) {
  const Eigen::Index b = batch.residual.size(),
                     smaller = std::min(batch.out.rows(), batch.in.rows());
  // As many samples as rows or columns: the gradient is a product of nearly singular squares.
  const bool try_gram = 4 * b < 3 * smaller || 4 * b > 5 * smaller;
  if (b >= smaller) {
    Eigen::MatrixXd g = gradient(batch);
    map_scaled(map, try_gram, g);
    return g;
  }
  Eigen::MatrixXd q_out = batch.out, q_in = batch.in;
  const Eigen::MatrixXd r_out = thin_qr(q_out), r_in = thin_qr(q_in);
  Eigen::MatrixXd core = gradient({r_out, r_in, batch.residual});
  map_scaled(map, try_gram, core);
  return multiply(multiply(q_out, Transpose::no, core, Transpose::no), Transpose::no, q_in,
                  Transpose::yes);
}

MatrixUpdate update_by(const SingularMap& map) {
  return {true,
          [map](const MatrixBatch& batch) { return map_singular_values(map, batch); },
          {},
          [map](Eigen::MatrixXd& momentum) { map_singular_values(map, momentum); }};
}

}  // namespace riskcurve
