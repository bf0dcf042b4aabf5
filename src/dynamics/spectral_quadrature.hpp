#pragma once
#include <Eigen/Core>

#include "dynamics/spectral_rates.hpp"

namespace riskcurve {

/// The integrals of (5) on a grid uniform in x, with steps `step`, in decreasing or increasing
/// order of tau: what does not depend on which of the nodes are used.
class SpectralQuadrature {
 public:
  /// log_tau and its x-derivative belong to the points one by one; order: tau increasing.
  SpectralQuadrature(const ResolventCurve& curve, const SpectralFunction& f,
                     const ResolventPoints& points, const Eigen::ArrayXd& log_tau,
                     const Eigen::ArrayXd& dlog_tau, double step);

  /// The sums over nodes first, first + stride, ..., <= last. Beyond both ends the trapezoidal rule
  /// is continued to infinity, everything being a power of tau there. `finite` is false where c
  /// diverges.
  struct Sums {
    SpectralCoefficients coefficients;
    bool finite_low = true, finite_high = true;
  };
  Sums sums(Eigen::Index first, Eigen::Index last, Eigen::Index stride) const;

  Eigen::Index size() const { return log_tau_.size(); }

 private:
  SpectralFunction f_;
  Eigen::ArrayXd log_a_, log_b_, log_tau_, dlog_tau_, weight_, drift_;
  Eigen::MatrixXd phi_;   // (p_k - p_l)/(t_l^2 - t_k^2)
  Eigen::MatrixXd pair_;  // phi/(B S_out S_in)
};

}  // namespace riskcurve
