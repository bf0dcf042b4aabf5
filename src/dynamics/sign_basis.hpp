#pragma once
#include <Eigen/Core>
#include <vector>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The directions SignSGD decays in when K is given in coordinates: w_i = D^(1/2) q_i, S = Q Lambda
/// Q^T (optimizers.hpp), and its noise.
struct SignBasis {
  std::vector<Eigen::Index> alive;  ///< coordinates of positive variance; others never move
  Eigen::ArrayXd value;             ///< Lambda >= 0
  Eigen::MatrixXd w;                ///< w_i as columns, shape (alive, modes)
  Eigen::MatrixXd noise;            ///< K_sigma, shape (alive, alive)
  Eigen::VectorXd error;            ///< w_i^T Delta_0, with its sign

  /// c_i = w_i^T K_sigma w_i
  Eigen::ArrayXd diffusion() const {
    return w.cwiseProduct(noise * w).colwise().sum().transpose().array().max(0.0);
  }
};

/// Throws InputError unless the problem holds K and Delta_0 in coordinates.
SignBasis sign_basis(const VectorProblem& problem);

}  // namespace riskcurve
