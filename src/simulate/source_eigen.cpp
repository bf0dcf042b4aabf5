#include <memory>

#include "simulate/source.hpp"

namespace riskcurve {

Source eigen_source(const VectorProblem& problem) {
  const auto lambda = std::make_shared<const Eigen::ArrayXd>(
      eigenvalues_to_sample(problem.covariance, "covariance", 1e5,
                            "at most 100000 for Monte Carlo, which draws every coordinate"));
  const auto root = std::make_shared<const Eigen::RowVectorXd>(lambda->sqrt().matrix());
  Source source;
  source.dimension = source.latent = lambda->size();
  source.draw = [root, sample = problem.noise.sample](Random& samples, Random& noise,
                                                      Eigen::Index first, Eigen::Index count,
                                                      RowMatrix& x, Eigen::VectorXd& epsilon) {
    for (Eigen::Index i = first; i < first + count; ++i) {
      samples.normals(x.row(i).data(), static_cast<std::size_t>(x.cols()));
      x.row(i).array() *= root->array();
      epsilon[i] = sample(noise);
    }
  };
  source.risk = [lambda](const Eigen::VectorXd& delta) {
    return 0.5 * (*lambda * delta.array().square()).sum();
  };
  source.initial = [problem](Random& random) { return initial_coefficients(problem, random); };
  if (problem.theta_start) source.theta_start = coefficients_of(problem, *problem.theta_start);
  return source;
}

}  // namespace riskcurve
