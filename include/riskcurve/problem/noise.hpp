#pragma once
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/random.hpp"

namespace riskcurve {

/// One part of the law of the label noise: with probability `weight`,
///     epsilon = sqrt(gaussian_variance) z + e,   z ~ N(0,1) independent of e,
/// where |e| is either atomic (`atom`, `atom_weight`) or has the density `density` on (0, inf).
/// Only |e| is described: every expectation of the theory is even in epsilon. Gaussian noise is an
/// atom at 0 with a variance, so its integrals are closed forms.
struct NoisePart {
  double weight = 1;
  double gaussian_variance = 0;
  Eigen::ArrayXd atom, atom_weight;       ///< |e| >= 0; weights sum to 1; empty if a density
  std::function<double(double)> density;  ///< of |e|: integrates to 1 over (0, inf)
  std::function<double(double)> tail;     ///< P(|e| > x)
  double scale = 1;                       ///< a typical |e|, where quadrature panels begin
  std::vector<double> breaks;             ///< where the density is not smooth
};

/// The law of the label noise epsilon in y = <x, theta*> + epsilon; its mean need not exist.
struct NoiseLaw {
  std::string kind;
  double variance = 0;  ///< E epsilon^2; +inf where it does not exist
  std::vector<NoisePart> parts;
  /// Draws epsilon, sign included. Written from the law's definition, not from `parts`: Monte
  /// Carlo shares no formula with the theory.
  std::function<double(Random&)> sample;
};

NoiseLaw no_noise();
NoiseLaw gaussian_noise(double std);                ///< N(0, std^2)
NoiseLaw student_t_noise(double nu, double scale);  ///< scale * t_nu; nu = 1 is Cauchy
NoiseLaw laplace_noise(double scale);               ///< density exp(-|e|/scale)/(2 scale)
NoiseLaw uniform_noise(double half_width);          ///< uniform on [-half_width, half_width]
NoiseLaw rademacher_noise(double scale);            ///< +-scale with probability 1/2
NoiseLaw mixture_noise(const std::vector<double>& weights, const std::vector<NoiseLaw>& laws);
NoiseLaw empirical_noise(const Eigen::ArrayXd& sample);  ///< a draw from the sample, uniformly

/// Reads `kind` and the law's parameters. Throws InputError.
NoiseLaw read_noise(const Fields& fields);

}  // namespace riskcurve
