#pragma once
#include <Eigen/Core>
#include <optional>

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

}  // namespace riskcurve
