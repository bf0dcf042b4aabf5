#pragma once
#include <functional>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// A map f of singular values against the polar factor, column by column.
struct AgainstPolar {
  Eigen::ArrayXd slope, power;  ///< int f g rho_j/int g rho_j, int f^2 rho_j/int rho_j
};

/// Of u, N rows alike and `count` columns of variance V_j: with x(z) the root of
///
///     z = -N/x + sum_j V_j/(1 + V_j x),   Im x > 0,       z = g^2 (1 + i 0),
///
/// column j lies on singular values g with density rho_j = -(1/pi) Im 1/(z (1 + V_j x)) of g^2
/// (docs/theory/signal.md#any-map).
class LocalLaw {
 public:
  LocalLaw(double rows, const Eigen::ArrayXd& count, const Eigen::ArrayXd& variance);

  /// f is asked on (0, nu], nu^2 = N sum_j V_j, divided by nu where f is of normalised gradients.
  AgainstPolar against_polar(const std::function<double(double g)>& f, bool normalised) const;

 private:
  double alone(Eigen::Index column) const;  ///< of a column by itself

  double rows_, all_;
  Eigen::ArrayXd count_, variance_;
  Eigen::ArrayXd g_;         ///< falling, in equal ratios
  Eigen::ArrayXXd density_;  ///< of log g, times any number; shape (columns, nodes)
  Eigen::ArrayXd mass_;      ///< their sum; 0 where the grid does not hold the column
};

}  // namespace riskcurve
