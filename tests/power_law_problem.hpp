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

}  // namespace riskcurve
