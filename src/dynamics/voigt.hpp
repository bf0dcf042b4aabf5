#pragma once
#include <complex>

namespace riskcurve {

/// The Faddeeva function w(Z) = exp(-Z^2) erfc(-iZ), Im Z >= 0, to a few units of roundoff.
/// Midpoint or trapezoidal rule on w(Z) = (2iZ/pi) int_0^inf exp(-t^2)/(Z^2 - t^2) dt, whichever
/// keeps its nodes away from Re Z, plus the residue at Z.
std::complex<double> faddeeva(std::complex<double> z);

/// Gaussian averages over u ~ N(x, 1/2) of rational functions with poles at +-iy (x >= 0, y > 0),
/// each free of cancellation, for any x and y:
struct VoigtValues {
  double rest;   ///< E[y^2/(u^2 + y^2)] = sqrt(pi) y Re w(x + iy)
  double p;      ///< E[u^2/(u^2 + y^2)] = 1 - rest
  double slope;  ///< E[u^2 y^2/(u^2 + y^2)^2] = -(y/2) dp/dy
  double chi;    ///< E[d/du u y^2/(u^2 + y^2)] = sqrt(pi) y^2 Im w'(x + iy)
  double odd;    ///< E[u y^2/(u^2 + y^2)] = sqrt(pi) y^2 Im w(x + iy); d odd/dx = chi
};
VoigtValues voigt(double x, double y);

}  // namespace riskcurve
