#pragma once
#include <Eigen/Core>

namespace riskcurve {

/// sum_kl M_kl v_ik v_il u_jk u_jl for all pairs of rows i of v and j of u, M symmetric.
Eigen::ArrayXXd pair_sum(const Eigen::MatrixXd& m, const Eigen::MatrixXd& v,
                         const Eigen::MatrixXd& u);

}  // namespace riskcurve
