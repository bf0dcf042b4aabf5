#include "simulate/source.hpp"

#include <cmath>
#include <cstdio>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

Eigen::VectorXd coefficients_of(const VectorProblem& problem, const Eigen::VectorXd& coordinates) {
  const auto& vectors = problem.covariance.eigenvectors;
  if (!vectors) return coordinates;
  Eigen::VectorXd all = Eigen::VectorXd::Zero(coordinates.size());
  all.head(vectors->cols()) = vectors->transpose() * coordinates;
  return all;
}

Eigen::VectorXd initial_coefficients(const VectorProblem& problem, Random& random) {
  if (problem.initial_error) return coefficients_of(problem, *problem.initial_error);
  const Spectrum& spectrum = problem.covariance.spectrum;
  Eigen::VectorXd all(static_cast<Eigen::Index>(spectrum.dimension()));
  Eigen::Index j = 0;
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    const double size = std::sqrt(problem.initial[k] / spectrum.multiplicity[k]);
    for (double i = 0; i < spectrum.multiplicity[k]; ++i) all[j++] = random() >> 63 ? size : -size;
  }
  return all;
}

Eigen::ArrayXd eigenvalues_to_sample(const Covariance& covariance, const std::string& field,
                                     double limit, const char* expected) {
  if (covariance.dimension() > limit) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", covariance.dimension());
    throw InputError("problem." + field + ".dimension", text, expected);
  }
  return covariance.spectrum.expand();
}

Eigen::MatrixXd basis_of(const Covariance& covariance, std::uint64_t seed, std::uint64_t number) {
  if (covariance.orientation != Orientation::given)
    return haar_orthogonal(static_cast<Eigen::Index>(covariance.dimension()), seed, number);
  if (!covariance.eigenvectors)
    throw InputError(
        "Monte Carlo needs the eigenvectors of this covariance, which is too large to hold them");
  return *covariance.eigenvectors;
}

}  // namespace riskcurve
