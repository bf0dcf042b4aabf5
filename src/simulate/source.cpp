#include "simulate/source.hpp"

#include <cmath>
#include <cstdio>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

Eigen::VectorXd initial_coefficients(const VectorProblem& problem, Random& random) {
  if (problem.initial_error) {
    const auto& vectors = problem.covariance.eigenvectors;
    if (!vectors) return *problem.initial_error;
    Eigen::VectorXd all = Eigen::VectorXd::Zero(problem.initial_error->size());
    all.head(vectors->cols()) = vectors->transpose() * *problem.initial_error;
    return all;
  }
  const Spectrum& spectrum = problem.covariance.spectrum;
  Eigen::VectorXd all(static_cast<Eigen::Index>(spectrum.dimension()));
  Eigen::Index j = 0;
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    const double size = std::sqrt(problem.initial[k] / spectrum.multiplicity[k]);
    for (double i = 0; i < spectrum.multiplicity[k]; ++i) all[j++] = random() >> 63 ? size : -size;
  }
  return all;
}

Eigen::ArrayXd eigenvalues_to_sample(const VectorProblem& problem, double limit,
                                     const char* expected) {
  if (problem.dimension() > limit) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", problem.dimension());
    throw InputError("problem.covariance.dimension", text, expected);
  }
  return problem.covariance.spectrum.expand();
}

}  // namespace riskcurve
