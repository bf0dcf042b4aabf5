#pragma once
#include "dynamics/resolvent.hpp"
#include "riskcurve/dynamics/spectral.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

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
