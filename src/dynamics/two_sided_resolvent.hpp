#pragma once
#include <memory>
#include <vector>

#include "dynamics/filtered_variance.hpp"
#include "dynamics/two_sided_balance.hpp"

namespace riskcurve {

/// The polar factor of a filtered gradient u whose entries have variances V_ij, on a grid of t
/// (docs/theory/signal.md#both-sides-graded):
///
///     x_i (t + sum_j V_ij y_j) = 1,    y_j (t + sum_i V_ij x_i) = 1,
///     m = (sum_i sigma_i x_i)(sum_j lambda_j y_j)/B^2,
///
/// V at m as FilteredVariance has it, n_ij = h (2P + 2 r_i + 2 c_j + 4 h E y^2)/B with r_i, c_j the
/// shares of 2R in row i and column j; what of V is no noise is a FixedSignal. Modes lie in the
/// order i + out j.
struct TwoSidedResolvent {
  TwoSides sides;
  // Per node:
  Eigen::ArrayXd log_t, log_m, weight;  ///< (2/pi) dt, both ends beyond the grid included
  Eigen::ArrayXXd log_x, log_y;         ///< shape (out, nodes), (in, nodes)
  std::vector<Eigen::ArrayXXd> root;    ///< sqrt(x_i V_ij y_j)
  std::vector<Eigen::ArrayXXd> echo;    ///< w of FixedSignal
  FilteredSlopes slopes;                ///< int chi x_i y_j (1 + w) (2/pi) dt; (1 - w) with A_0
  Eigen::ArrayXd power;                 ///< of each entry
  /// Of power, before it was brought to the sums of rows and columns, and whose it is.
  struct Shape {
    Eigen::ArrayXd variance, power;
  };
  std::shared_ptr<const Shape> shape;
  FilterTables tables;        ///< the next is made from them
  Eigen::ArrayXd rest_ratio;  ///< of another map: its rest over the polar factor's
};

/// In units of E z^2 at `risk`; sampled: n_ij. `last`: tables and guesses from it.
std::shared_ptr<TwoSidedResolvent> two_sided_resolvent(const TwoSides& sides, const NoiseLaw& noise,
                                                       double risk, double memory,
                                                       const FilteredGradient& gradient,
                                                       const Eigen::ArrayXd& sampled,
                                                       const TwoSidedResolvent* last);

/// E rho rho' of the rests of two polar factors, of entries whose linear parts have correlation c:
/// with S_ij = c sqrt(x_i x'_i V_ij V'_ij y_j y'_j) over all rows and columns,
///
///     int int sqrt(x x') [S S^T (1 - S S^T)^(-1) S]_ij sqrt(y y') (2/pi)^2 dt dt'.
Eigen::ArrayXd two_sided_rest(const TwoSidedResolvent& now, const TwoSidedResolvent& then,
                              const Eigen::ArrayXd& correlation);

/// Scales rows and columns of a non-negative matrix so that they sum to these over what nodes stand
/// for; sums of columns as they are, sums of rows up to a common factor.
Eigen::ArrayXXd with_sums(const TwoSides& sides, Eigen::ArrayXXd matrix, const Eigen::ArrayXd& rows,
                          const Eigen::ArrayXd& columns);

}  // namespace riskcurve
