#pragma once
#include <array>

#include "dynamics/gauss_measure.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// Expectations of the norm of b residuals, l_i = sigma z_i + e_i: given y = sum e_i^2, the norm is
/// sigma times a non-central chi of b degrees; the law of y does not depend on R and is built once,
/// as a positive point measure, by repeated convolution.
class BatchClipLaw {
 public:
  BatchClipLaw(const NoiseLaw& noise, int batch);
  /// mu, nu and share of ResidualLaw::batch_clip.
  std::array<double, 3> evaluate(double risk, double c) const;

 private:
  int batch_;
  double shared_variance_;  // Gaussian variance common to all parts of the noise
  Measure norm_square_;     // law of sum of b squares
};

/// For X non-central chi with k degrees and non-centrality lambda (X^2 has mean k + lambda).
struct NoncentralChi {
  double below;          ///< P(X <= tau)
  double inverse_above;  ///< E[1/X; X > tau], k >= 2
  double square_below;   ///< E[X^2; X <= tau]
};
NoncentralChi noncentral_chi(double k, double lambda, double tau);

}  // namespace riskcurve
