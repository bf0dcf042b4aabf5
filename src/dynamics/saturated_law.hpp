#pragma once
#include "dynamics/filtered_resolvent.hpp"

namespace riskcurve {

/// Where the singular values g of a filtered gradient lie, single samples included: the resolvent
/// of filtered_resolvent.hpp at t^2 = -z, z = g^2 (1 + i 0), of Gaussian z_b. Column j has there
///
///     rho_j = -(1/pi) Im 1/(z (1 + V_j x)),      slopes (1/(N pi)) int dg^2 f(g)/g Im chi x/(1 +
///     V_j x)
///
/// (docs/theory/signal.md#any-map).
class SaturatedLaw {
 public:
  /// `gradient` in units of E z^2 at its risk, `variance` of the label noise in them, `lags` in the
  /// memory, `held` of each column (its share of the rank).
  SaturatedLaw(const Columns& columns, const FilteredGradient& gradient, double variance, int lags,
               const Eigen::ArrayXd& held);

  /// The g above which `number` singular values lie.
  double above(double number) const;
  /// Of those below the threshold alone: slopes and power, over those of all.
  struct Kept {
    Eigen::ArrayXd fresh, memory, power;  ///< of Gaussian z_b the newest noise's slope is `fresh`
  };
  Kept below(double threshold) const;

 private:
  Eigen::ArrayXd each_;                       ///< singular values of a column
  Eigen::ArrayXd g_;                          ///< falling, in equal ratios
  Eigen::ArrayXXd density_, fresh_, memory_;  ///< of log g; shape (columns, nodes)
};

}  // namespace riskcurve
