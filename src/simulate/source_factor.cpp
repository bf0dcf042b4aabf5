#include <memory>

#include "riskcurve/problem/error.hpp"
#include "simulate/source.hpp"

namespace riskcurve {

Source factor_source(const VectorProblem& problem, std::uint64_t seed) {
  make_room_for_blas();
  const Covariance& covariance = problem.covariance;
  const Eigen::ArrayXd lambda = eigenvalues_to_sample(
      covariance, "covariance", 6000,
      "at most 6000 for Monte Carlo of an optimizer that sees the coordinates of dense samples");
  const bool given = covariance.orientation == Orientation::given;
  const Eigen::Index d = lambda.size(), rank = (lambda > 0).count();
  const Eigen::VectorXd root = lambda.head(rank).sqrt();  // eigenvalues are decreasing
  const auto factor = std::make_shared<const Eigen::MatrixXd>(
      basis_of(covariance, seed).leftCols(rank) * root.asDiagonal());

  Source source;
  source.dimension = d;
  source.latent = rank;
  source.draw = [sample = problem.noise.sample](Random& samples, Random& noise, Eigen::Index first,
                                                Eigen::Index count, RowMatrix& latent,
                                                Eigen::VectorXd& epsilon) {
    samples.normals(latent.row(first).data(), static_cast<std::size_t>(count * latent.cols()));
    for (Eigen::Index i = first; i < first + count; ++i) epsilon[i] = sample(noise);
  };
  source.colour = [factor](const RowMatrix& latent, RowMatrix& x) {
    multiply_transposed(latent, *factor, x);
  };
  source.risk = [factor](const Eigen::VectorXd& delta) {
    return 0.5 * (factor->transpose() * delta).squaredNorm();
  };
  // Along directions of no variance nothing changes a residual: left out.
  const auto turned = [factor, root](const Eigen::VectorXd& coefficients) -> Eigen::VectorXd {
    return *factor * coefficients.head(root.size()).cwiseQuotient(root);
  };
  source.initial = [turned, problem, given](Random& random) -> Eigen::VectorXd {
    if (given && problem.initial_error) return *problem.initial_error;
    return turned(initial_coefficients(problem, random));
  };
  if (problem.theta_start)
    source.theta_start =
        given ? *problem.theta_start : turned(coefficients_of(problem, *problem.theta_start));
  return source;
}

}  // namespace riskcurve
