#pragma once
#include <Eigen/Core>
#include <functional>
#include <string>

#include "riskcurve/dynamics/resolvent.hpp"
#include "riskcurve/problem/noise.hpp"

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

/// The coefficients of a spectral optimizer as functions of the risk. For Gaussian noise and
/// homogeneous f they scale with P, and one quadrature serves every risk; else the curve of the
/// first call is kept and only m(p), t(p), chi(p) move with R, unless their error estimate asks for
/// a new grid. An object belongs to one thread. Source: docs/theory/matrix.md#drift,
/// docs/theory/matrix.md#coefficients.
class SpectralRates {
 public:
  /// Throws InputError for a tolerance outside [1e-13, 1e-2]; or f(g) = g with noise of infinite
  /// variance.
  SpectralRates(ResolventCurve curve, SpectralFunction f, NoiseLaw noise, double tolerance = 1e-10);

  /// Throws InputError where the risk is not finite and positive, or where c is infinite: f too
  /// large at 0 for singular values that reach 0, or at infinity for the tails of the noise.
  const SpectralCoefficients& at(double risk);

  const ResolventCurve& curve() const { return curve_; }
  const SpectralFunction& function() const { return f_; }
  /// Gaussian noise and homogeneous f: a ~ (2P)^((degree-1)/2), c ~ (2P)^degree.
  bool scales() const;

 private:
  SpectralCoefficients compute(const ResidualTransform& residual);
  void new_grid(const ResidualTransform& residual);

  ResolventCurve curve_;
  SpectralFunction f_;
  NoiseLaw noise_;
  double tolerance_, step_, depth_;
  SpectralCoefficients current_, unit_;  // unit_: at 2P = 1, where the coefficients scale
  ResolventPoints points_;               // the grid that is kept; empty before the first call
  Eigen::ArrayXd log_tau_;               // its nodes, under the law it was made for
};

}  // namespace riskcurve
