#pragma once
#include "dynamics/filtered_spectral.hpp"
#include "dynamics/two_sided_balance.hpp"

namespace riskcurve {

/// filtered_map of gradients with eigenvalues of their own on both sides, mode i + out j: slopes,
/// power and rests of the polar factor (two_sided_resolvent.hpp), times what f's are over its own
/// (two_sided_law.hpp).
FilteredMap filtered_map(const TwoSides& sides, const NoiseLaw& noise,
                         const SingularFunction& function);

/// Variance of one gradient's entry around its mean, over h^2, in units of E z^2:
///     (1 + 2 r_i + 2 c_j + 4 h E y^2)/(B h),   r_i, c_j the sums of h E y^2 over row i, column j.
Eigen::ArrayXd sampled_variance(const TwoSides& sides, const Eigen::ArrayXd& weight,
                                const Eigen::ArrayXd& error);

}  // namespace riskcurve
