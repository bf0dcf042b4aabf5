#pragma once
#include <Eigen/Core>
#include <functional>
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
  Eigen::ArrayXd diffusion;         ///< c_i = w_i^T K_sigma w_i
  Eigen::VectorXd error;            ///< w_i^T Delta_0, with its sign
  Eigen::VectorXd scale;            ///< D_j = K_jj^(1/2)
};

/// w_i^T F w_i with F of the correlations rho = sin(theta) between coordinates, f odd and smooth.
Eigen::ArrayXd between_coordinates(const SignBasis& basis,
                                   const std::function<double(double theta)>& f, int points);

/// Throws InputError unless the problem holds K and Delta_0 in coordinates.
SignBasis sign_basis(const VectorProblem& problem);

}  // namespace riskcurve
