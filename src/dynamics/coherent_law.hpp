#pragma once
#include <vector>

#include "dynamics/batch_samples.hpp"
#include "dynamics/gauss_measure.hpp"

namespace riskcurve {

/// How much of a batch's gradient is coherent. Given its residuals, G b/|l| is Gaussian around
/// c K Delta with covariance K - K Delta (K Delta)^T/P:
///
///     Gaussian l:    given l,         c = |l|/(2P),                    P = 2P;
///     other noise:   given (g, eps),  c = sum l g/(2R |l|),            P = 2R,
///
/// c drawn (fixed seed) for the latter (docs/theory/signal.md#signs).
class CoherentLaw {
 public:
  CoherentLaw(const NoiseLaw& noise, int batch);

  /// The law of c as a rule of few points, of total weight one, and P.
  struct At {
    Measure c;
    double power;
  };
  At at(double risk) const;

 private:
  double variance_;
  int batch_;
  Measure chi_;                   // of Gaussian residuals, over sqrt(2P)
  std::vector<BatchDraw> draws_;  // of others
};

}  // namespace riskcurve
