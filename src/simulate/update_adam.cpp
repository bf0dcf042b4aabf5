#include <cmath>

#include "simulate/matrix_update.hpp"
#include "simulate/update.hpp"

namespace riskcurve {
namespace {

/// Step by step as torch.optim.Adam and NAdam do it.
template <class Point>
struct AdamMap {
  Adam adam;
  Point m = {}, v = {};
  double step = 0, mu_product = 1;

  /// Of NAdam: how much the momentum counts at step t.
  double mu(double t) const { return adam.betas[0] * (1 - 0.5 * std::pow(0.96, t * 0.004)); }

  void operator()(Point& gradient) {
    const auto [beta1, beta2] = adam.betas;
    if (m.size() == 0) m = v = Point::Zero(gradient.rows(), gradient.cols());
    step += 1;
    m = beta1 * m + (1 - beta1) * gradient;
    v = beta2 * v + (1 - beta2) * gradient.cwiseAbs2();
    const double spread = std::sqrt(1 - std::pow(beta2, step));
    const auto root = v.array().sqrt() / spread + adam.eps;
    // A coordinate of no gradient stays where it is, 0/0 with eps = 0.
    const auto over_root = [&](const Point& x) {
      return (root > 0).select(x.array() / root, 0.0).matrix().eval();
    };
    if (!adam.nesterov) {
      gradient = over_root(m) / (1 - std::pow(beta1, step));
      return;
    }
    mu_product *= mu(step);
    const double next = mu(step + 1);
    const Point seen =
        (1 - mu(step)) / (1 - mu_product) * gradient + next / (1 - mu_product * next) * m;
    gradient = over_root(seen);
  }
};

}  // namespace

Update update_of(const Adam& adam, const VectorProblem&) {
  return {false, mean_gradient, [adam] { return AdamMap<Eigen::VectorXd>{adam}; }};
}

MatrixUpdate update_of(const Adam& adam, const MatrixProblem&) {
  return {false, gradient, [adam] { return AdamMap<Eigen::MatrixXd>{adam}; }};
}

}  // namespace riskcurve
