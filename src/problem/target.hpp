#pragma once
#include <Eigen/Core>
#include <optional>
#include <utility>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// What a target and a start say about Delta_0 = theta_0 - theta*.
struct InitialError {
  Eigen::ArrayXd squares;                      ///< s_k(0) at the nodes of the spectrum
  std::optional<Eigen::VectorXd> coordinates;  ///< Delta_0
  std::optional<Eigen::VectorXd> start;        ///< theta_0; empty: 0
  std::optional<Eigen::ArrayXd> residuals;     ///< of a target fitted to labels, row by row
};

/// Where the bulk of a large data matrix is approximated, the spectrum of `covariance` gains nodes
/// of multiplicity 0 that carry the error. Throws InputError about keys of the target.
InitialError initial_error_of(const VectorTarget& target, const Start& start,
                              Covariance& covariance);

/// sum <u, x>^2 over the eigenvectors u of each node of the spectrum, of x in coordinates.
Eigen::ArrayXd squares_of(const Covariance& covariance, const Eigen::VectorXd& x);

/// [first, last], counted from 1, both included; all where the list is empty.
std::pair<double, double> index_range(const std::vector<double>& indices, double dimension);

}  // namespace riskcurve
