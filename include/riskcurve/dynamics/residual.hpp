#pragma once
#include <memory>

#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// The law of the residual l = sqrt(2R) z + epsilon, z ~ N(0,1), at excess risk R > 0, and the
/// expectations every optimizer's response is made of. All depend on |epsilon| alone. Heavy tails
/// and R -> 0 included; exact to about 1e-11 relative unless stated. Costly ones are tabulated in
/// log R as they are asked for; threads may share an object and its copies.
/// Source: docs/theory/residual.md; (C), (S).
class ResidualLaw {
 public:
  explicit ResidualLaw(const NoiseLaw& noise);

  double noise_variance() const { return variance_; }
  /// True if epsilon is none or Gaussian: l ~ N(0, 2P), every response is a closed form.
  bool gaussian() const;

  /// E exp(-s l^2), s >= 0.
  double laplace(double risk, double s) const;
  /// Effective learning rate of SignSGD, phi_b(R). b = 1: (2/pi) E[exp(-eps^2/(4R))]/sqrt(2R).
  /// b >= 2: sqrt(2/pi) (b-1) E[1/||l||_2] over b independent residuals.
  double phi(double risk, int batch) const;
  /// phi_B of SignSGD on the matrix problem, whose gradient entries are sums of l_b w_b, w a
  /// product of two independent N(0,1): (2B/pi) int_0^inf E[(1-2s^2l^2)(1+s^2l^2)^(-5/2)]
  /// E[(1+s^2l^2)^(-1/2)]^(B-1) ds. B = 1: sqrt(2/pi) phi(risk, 1). Gaussian l: sqrt(2/pi)
  /// E||w||_2/sqrt(2P) over B products. Relative error about 1e-11 + 1e-15 B.
  /// Source: docs/theory/matrix.md#signsgd.
  double matrix_phi(double risk, int batch) const;

  /// Per-sample clipping at c: descent reduction mu = P(|l| <= c).
  double within(double risk, double c) const;
  /// nu = E min(l^2, c^2).
  double clipped_square(double risk, double c) const;

  /// Clipping of the batch-mean gradient, f = min(1, c b/||l||_2):
  ///   mu = P(||l|| <= cb) + (1 - 1/b) c b E[1/||l||; ||l|| > cb],
  ///   nu = E[min(||l||^2, c^2 b^2)]/b   (so that c_k = lambda_k nu/b),
  ///   share = P(||l|| > cb), of the steps that are clipped.
  /// Gaussian: chi_b integrals. Else E over the law of sum epsilon_i^2, held as a point measure:
  /// about 1e-8 where sqrt(2R) >= 0.2 c b, degrading to 3e-3 as R -> 0.
  struct BatchClip {
    double mu, nu, share;
  };
  BatchClip batch_clip(double risk, double c, int batch) const;

  /// E[1/||l||_2] over b >= 2 independent residuals.
  double inverse_norm(double risk, int batch) const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
  double variance_ = 0;
};

/// sqrt(2) Gamma((b+1)/2)/Gamma(b/2), the mean of the chi distribution.
double chi_mean(double b);

}  // namespace riskcurve
