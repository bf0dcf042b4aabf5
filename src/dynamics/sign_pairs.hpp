#pragma once
#include "dynamics/resolved_sign.hpp"

namespace riskcurve {

// Signs of a gradient of independent entries between two sides, in bases of both that have nothing
// to do with it. A coordinate row u of one side sees the row w = G^T u, whose signs are those of
// ResolvedSign given u; of one large entry they are the product of two signs, which differ from
// those of a Gaussian number (docs/theory/signal.md#signs-of-two-sides).

/// Squares of a coordinate row over the nodes of a side, E 1 each, drawn once: shape (nodes,
/// draws), every node stratified.
Eigen::ArrayXXd drawn_squares(const Eigen::ArrayXd& count);

/// Both sides, as coordinates see them.
struct SignSides {
  Eigen::ArrayXd rows, columns;  ///< directions of each node
  Eigen::ArrayXXd row_squares, column_squares;
  Eigen::MatrixXd counted;  ///< squares of all rows of a node, shape (draws, rows)
  bool alike;               ///< entries (i, j) and (j, i) are

  SignSides(const Eigen::ArrayXd& rows, const Eigen::ArrayXd& columns, bool alike);
  double entries() const { return rows.sum() * columns.sum(); }
};

/// Means and variances of the entries, shape (rows, columns).
struct PairGradient {
  Eigen::ArrayXXd mean, variance;
};

/// Slopes as Normalised has them, times sqrt(2 d/pi); and squares, which add up to d entries:
///
///     of what is linear in both coordinates, d (2/pi) E G_kl^2 (E_u u_k^2/|w|)^2, and of what is
///     not: in rows alone, in columns alone (`row_rest`, `column_rest`, of one entry there), and
///     in both.
struct PairSigns {
  Eigen::ArrayXXd by_mean, by_spread, power;
  Eigen::ArrayXXd linear;  ///< of power
  Eigen::ArrayXd row_rest, column_rest;
  // For rest_of_pairs:
  Eigen::ArrayXXd deviation, linear_deviation;  ///< roots of E G^2 and of `linear`
  RowsSeen seen;                                ///< w of the columns by each drawn row
};
PairSigns signs_of_pairs(const SignSides& sides, const PairGradient& g, const Fineness& grid);

/// E of the product of two rests, of entries of these correlations.
Eigen::ArrayXXd rest_of_pairs(const SignSides& sides, const PairSigns& now, const PairSigns& then,
                              const Eigen::ArrayXXd& correlation);

}  // namespace riskcurve
