#pragma once
#include <Eigen/Core>
#include <optional>
#include <utility>

#include "riskcurve/problem/covariance.hpp"
#include "riskcurve/problem/fields.hpp"

namespace riskcurve {

/// What a target and a start say about Delta_0 = theta_0 - theta*.
struct InitialError {
  Eigen::ArrayXd squares;                      ///< s_k(0) at the nodes of the spectrum
  std::optional<Eigen::VectorXd> coordinates;  ///< Delta_0
  std::optional<Eigen::ArrayXd> residuals;     ///< of a target fitted to labels, row by row
};

/// Reads problem.target and problem.start. Where the bulk of a large data matrix is approximated,
/// the spectrum of `covariance` gains nodes of multiplicity 0 that carry the error.
InitialError read_initial_error(const Fields& problem, Covariance& covariance);

/// `indices` = [first, last], counted from 1, both included; all where it is missing.
std::pair<double, double> read_indices(const Fields& target, double dimension);

}  // namespace riskcurve
