#pragma once
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// lambda_j = j^(-2 alpha), a target of exponent beta and risk 1.
inline VectorProblem power_law_problem(double dimension, double alpha, double beta,
                                       const NoiseLaw& noise) {
  VectorProblem problem{power_law(dimension, alpha), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, beta, 1.0);
  return problem;
}

/// N x N without label noise: K_out = I, eigenvalues of K_in and a target like these.
inline MatrixProblem power_law_matrix(double dimension, double alpha, double beta) {
  MatrixProblem problem;
  problem.covariance_in = power_law(dimension, alpha);
  problem.covariance_out = isotropic(dimension);
  problem.noise = no_noise();
  problem.initial = matrix_power_law_target(problem.covariance_out.spectrum,
                                            problem.covariance_in.spectrum, beta, Sides::in, 1);
  return problem;
}

}  // namespace riskcurve
