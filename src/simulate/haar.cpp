#include "problem/random.hpp"
#include "simulate/source.hpp"

namespace riskcurve {

// The reflectors of the QR decomposition of a Gaussian matrix have vectors that are independent
// Gaussians of falling length: they are drawn, and nothing is decomposed.
Eigen::MatrixXd haar_orthogonal(Eigen::Index d, std::uint64_t seed, std::uint64_t number) {
  Random random(seed, number, 0, Purpose::basis);
  Eigen::MatrixXd q = Eigen::MatrixXd::Zero(d, d);
  Eigen::VectorXd tau(d), sign(d);
  for (Eigen::Index k = 0; k < d; ++k) {
    auto x = q.col(k).tail(d - k);
    random.normals(x.data(), static_cast<std::size_t>(d - k));
    sign[k] = x[0] > 0 ? -1 : 1;  // of the diagonal of R
    if (k == d - 1) {
      tau[k] = 0;  // nothing left to reflect: R's last entry is x itself
      sign[k] = -sign[k];
      break;
    }
    const double beta = sign[k] * x.norm();
    tau[k] = (beta - x[0]) / beta;
    x /= x[0] - beta;
  }
  form_orthogonal(q, tau);
  return q * sign.asDiagonal();
}

}  // namespace riskcurve
