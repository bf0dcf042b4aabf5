#pragma once
#include <Eigen/Core>
#include <functional>
#include <vector>

#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// The residual z = sqrt(2R) zeta + epsilon, zeta ~ N(0,1) independent of the label noise epsilon,
/// through the two functions of it that the matrix problem needs (docs/theory/matrix.md):
///
///     p(m) = E[m z^2/(1 + m z^2)],     chi(m) = E[d/dz (z/(1 + m z^2))],     m > 0.
///
/// With |epsilon| fixed both are Faddeeva functions of (|epsilon| + i/sqrt(m))/sqrt(4R); the law of
/// |epsilon| is integrated by Gauss-Legendre panels, geometric in |epsilon|. chi is integrated
/// against the density less a constant, where nothing cancels: its own integrand has mean zero, and
/// a plain sum loses all digits once sqrt(2R) is far below the scale of the noise.
class ResidualTransform {
 public:
  /// Throws InputError unless risk is finite and >= 0, and > 0 where the noise has no Gaussian
  /// part.
  ResidualTransform(const NoiseLaw& noise, double risk);

  struct Values {
    double p;      ///< in (0,1), to relative accuracy
    double rest;   ///< 1 - p, to relative accuracy
    double slope;  ///< dp/d log m > 0
    double chi;
  };
  Values at(double log_m) const;

  /// log m with p(m) = p, 1 - p(m) = rest (both given, so that neither end cancels): safeguarded
  /// Newton on the log-odds of p, which increase with log m. `start` is a guess.
  double log_m(double p, double rest, double start) const;
  double log_m(double p, double rest) const { return log_m(p, rest, -2 * std::log(scale_)); }

 private:
  struct Atom {
    double e, weight, spread;  // |epsilon|, its mass, standard deviation of the Gaussian part
  };
  struct Panel {
    double weight, spread, end, end_value;  // end: where the quadrature stops
    std::function<double(double)> density;
    Eigen::ArrayXd e, mass, width;  // mass = density times width, the quadrature weight
  };
  std::vector<Atom> atoms_;
  std::vector<Panel> densities_;
  double scale_ = 1;
};

}  // namespace riskcurve
