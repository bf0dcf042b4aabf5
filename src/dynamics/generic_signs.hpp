#pragma once
#include "dynamics/filtered_sign.hpp"
#include "dynamics/gauss_measure.hpp"
#include "dynamics/resolved_sign.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// Rows of a gradient, each in a basis that has nothing to do with its directions.
struct SignedRows {
  double coordinates;  ///< d of a row
  double rows = 1;     ///< that add to R alike
  Fineness grid = {};
};

/// A gradient as its signs see it: around c mean, of variance noise + c^2 spread in each direction;
/// what they are to one at another time, of noise h.
struct SignedGradient {
  Measure c;
  Eigen::ArrayXd mean, spread, noise;
  double felt = 1;        ///< noise that moves them, over `noise`
  double rest_scale = 1;  ///< of what is not linear
};

/// The answer but for `sampled`, with one slope for all (docs/theory/signal.md#signs).
FilteredAnswer generic_signs(const SignedRows& of, const FilteredGradient& u,
                             const SignedGradient& gradient);
/// E of the product of what is not linear at two times: FilteredMap::covariance.
Eigen::ArrayXd rest_of_generic_signs(const FilteredAnswer& now, const FilteredAnswer& then,
                                     const Eigen::ArrayXd& correlation);

/// Signs of a filtered gradient, of any signal: noise and what fluctuating batches make of it as
/// `sign` has them, and rests that come again with what the filter holds.
FilteredMap filtered_generic_signs(const SignedRows& of, const FilteredNoise& sign);

}  // namespace riskcurve
