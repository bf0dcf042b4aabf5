#pragma once
#include "dynamics/local_law.hpp"
#include "dynamics/two_sided_balance.hpp"

namespace riskcurve {

/// A map f of singular values against the polar factor: slopes entry by entry, and sums of squares
/// over rows and columns.
struct PairsAgainstPolar {
  Eigen::ArrayXd slope;          ///< int f g^(-1) rho_ij/int g^(-1) rho_ij, of mode i + out j
  Eigen::ArrayXd rows, columns;  ///< int f^2 rho/int rho, of their own singular vectors
};

/// Of u with independent entries of variance V_ij, shape (out, in), at t^2 = -z, z = g^2 (1 + i 0),
/// densities of g^2 (docs/theory/signal.md#both-sides-graded):
///
///     rho_ij = (1/pi) Im x_i y_j (1 + w_ij),      rho_i = (1/pi) Im x_i/t,      rho_j = (1/pi) Im
///     y_j/t,
///
/// x, y and w of two_sided_balance.hpp; signal: of V, what is no noise of samples. f is asked on
/// (0, nu], nu^2 = sum V, divided by nu where f is of normalised gradients.
PairsAgainstPolar pairs_against_polar(const TwoSides& sides, const Eigen::MatrixXd& variance,
                                      const Eigen::ArrayXXd& signal,
                                      const std::function<double(double g)>& f, bool normalised);

}  // namespace riskcurve
