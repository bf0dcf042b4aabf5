#include "simulate/matrix_source.hpp"

#include <cmath>
#include <string>

#include "riskcurve/problem/error.hpp"
#include "simulate/blas.hpp"
#include "simulate/source.hpp"

namespace riskcurve {
namespace {

MatrixSide side_of(const Covariance& covariance, const char* field, bool rotation_invariant,
                   std::uint64_t seed, std::uint64_t number) {
  // A multiple of the identity looks the same in every basis.
  const bool in_eigenbasis = rotation_invariant || covariance.spectrum.size() == 1 ||
                             covariance.orientation == Orientation::diagonal;
  const Eigen::ArrayXd lambda =
      in_eigenbasis
          ? eigenvalues_to_sample(covariance, field, 1e5,
                                  "at most 100000 for Monte Carlo, which draws every coordinate")
          : eigenvalues_to_sample(
                covariance, field, 6000,
                "at most 6000 for Monte Carlo of an optimizer that sees the coordinates");
  const Eigen::Index rank = (lambda > 0).count();  // eigenvalues are decreasing
  MatrixSide side{lambda.head(rank).sqrt(), {}};
  if (in_eigenbasis) return side;
  side.factor = basis_of(covariance, seed, number).leftCols(rank) * side.root.asDiagonal();
  return side;
}

// Squared errors of nodes as sizes of single coefficients, along eigenvalues > 0.
Eigen::MatrixXd sizes(const MatrixProblem& problem, Eigen::Index rows, Eigen::Index columns) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const auto node_of_each = [](const Spectrum& spectrum, Eigen::Index count) {
    Eigen::ArrayX<Eigen::Index> node(count);
    for (Eigen::Index k = 0, j = 0; k < spectrum.size(); ++k)
      for (double i = 0; i < spectrum.multiplicity[k] && j < count; ++i) node[j++] = k;
    return node;
  };
  const Eigen::ArrayXXd shared =
      problem.initial.entries() /
      (out.multiplicity.matrix() * in.multiplicity.matrix().transpose()).array();
  return shared(node_of_each(out, rows), node_of_each(in, columns)).sqrt();
}

}  // namespace

Eigen::MatrixXd MatrixSide::draw(Random& random, Eigen::Index count) const {
  Eigen::MatrixXd latent(root.size(), count);
  random.normals(latent.data(), static_cast<std::size_t>(latent.size()));
  if (factor.size() > 0) return multiply(factor, Transpose::no, latent, Transpose::no);
  latent.array().colwise() *= root.array();
  return latent;
}

Eigen::MatrixXd MatrixSource::start(Random& random) const {
  Eigen::MatrixXd delta = initial;
  if (!signs_known)
    for (double& entry : delta.reshaped())
      if (random() >> 63 == 0) entry = -entry;
  if (out.factor.size() > 0)
    delta = multiply(out.factor, Transpose::no, out.root.cwiseInverse().asDiagonal() * delta,
                     Transpose::no);
  if (in.factor.size() > 0)
    delta = multiply(delta * in.root.cwiseInverse().asDiagonal(), Transpose::no, in.factor,
                     Transpose::yes);
  return delta;
}

double MatrixSource::risk(const Eigen::MatrixXd& delta) const {
  // |F_out^T Delta F_in|^2 / 2
  const Eigen::MatrixXd half = out.factor.size() > 0
                                   ? multiply(out.factor, Transpose::yes, delta, Transpose::no)
                                   : out.root.asDiagonal() * delta;
  return 0.5 * (in.factor.size() > 0 ? multiply(half, Transpose::no, in.factor, Transpose::no)
                                     : half * in.root.asDiagonal())
                   .squaredNorm();
}

MatrixSource matrix_source(const MatrixProblem& problem, bool rotation_invariant,
                           std::uint64_t seed) {
  MatrixSource source;
  source.out = side_of(problem.covariance_out, "covariance_out", rotation_invariant, seed, 0);
  source.in = side_of(problem.covariance_in, "covariance_in", rotation_invariant, seed, 1);
  const Eigen::Index n_out = source.out.dimension(), n_in = source.in.dimension();
  if (static_cast<double>(n_out) * static_cast<double>(n_in) > 1e8)
    throw InputError("problem", std::to_string(n_out) + " x " + std::to_string(n_in),
                     "at most 1e8 entries for Monte Carlo");
  const Eigen::Index rows = source.out.root.size(), columns = source.in.root.size();
  source.signs_known = problem.initial_error.has_value();
  source.initial = source.signs_known ? problem.initial_error->topLeftCorner(rows, columns)
                                      : sizes(problem, rows, columns);
  return source;
}

}  // namespace riskcurve
