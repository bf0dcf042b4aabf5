#pragma once
#include <functional>
#include <string>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// A spectral optimizer: W -= gamma U f(S) V^T for the batch gradient G = U S V^T, with f a mixture
///
///     f(g) = int_0^inf g/(g^2 + shift^2 + tau^2) weight(tau) dtau,
///
/// weight analytic and of moderate growth in the half plane Re tau > 0. The w(t) of
/// docs/theory/matrix.md is weight(tau) t/tau at t^2 = tau^2 + shift^2.
struct SpectralFunction {
  std::string name;
  std::function<double(double tau)> weight;
  double shift = 0;
  /// weight ~ tau^low_power (tau -> 0) and tau^high_power (tau -> inf): low > -1, high < 1.
  double low_power = 0, high_power = 0;
  /// f(g) = g exactly: no mixture, weight unused.
  bool identity = false;
  /// f(sg) = s^degree f(g) for s > 0, or nan.
  double degree = 0;
};

SpectralFunction sign_svd();                       ///< f = 1: weight 2/pi
SpectralFunction schatten(double q);               ///< f = g^q, -1 < q <= 1 (InputError)
SpectralFunction regularized_svd(double epsilon);  ///< f = g/sqrt(g^2 + epsilon^2), epsilon >= 0

/// Drift a(sigma, lambda) and noise c(sigma, lambda) of the mode of eigenvalues (sigma, lambda) at
/// one risk, as sums over the nodes of the quadrature of (5),
///
///     a = sum_k drift_weight_k alpha_k beta_k,      alpha_k = a_k sigma/(1 + a_k sigma), beta_k
///     likewise, c = sum_kl pair_weight_kl v_k v_l u_k u_l,    v_k = sqrt(sigma)/(1 + a_k sigma),
///                                                   u_k = sqrt(lambda)/(1 + b_k lambda).
///
/// A zero eigenvalue has a = c = 0.
struct SpectralCoefficients {
  Eigen::ArrayXd log_a, log_b;  ///< shape (nodes)
  Eigen::ArrayXd drift_weight;
  Eigen::MatrixXd pair_weight;  ///< symmetric
  /// f(g) = g: a = sigma lambda, c = sgd_noise sigma lambda, and no nodes.
  double sgd_noise = 0;
  /// c(sigma, lambda) by interpolation in (log sigma, log lambda) where that is cheaper, to this
  /// relative accuracy.
  double interpolation = 1e-12;
  /// Estimated largest relative error over the modes: of the sums against the integrals (half the
  /// nodes, shorter tails). For the drift, relative to the sum of the moduli of its terms.
  double drift_error = 0, diffusion_error = 0;

  /// Shape (sigma, lambda).
  Eigen::ArrayXXd drift(const Eigen::ArrayXd& sigma, const Eigen::ArrayXd& lambda) const;
  Eigen::ArrayXXd diffusion(const Eigen::ArrayXd& sigma, const Eigen::ArrayXd& lambda) const;
  double drift(double sigma, double lambda) const;
  double diffusion(double sigma, double lambda) const;
};

}  // namespace riskcurve
