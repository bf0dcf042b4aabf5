#pragma once
#include <Eigen/Core>
#include <functional>
#include <string>

#include "problem/random.hpp"
#include "riskcurve/problem/problem.hpp"
#include "simulate/blas.hpp"

namespace riskcurve {

/// What a stream of random numbers is for: the last word of Random's key.
/// `map`: beyond those of all workers.
enum Purpose : std::uint64_t {
  samples = 0,
  label_noise = 1,
  start = 2,
  basis = 3,
  map = std::uint64_t{1} << 40
};
/// The streams of one of several workers; worker 0 draws what a run without workers does.
inline std::uint64_t of_worker(Purpose purpose, int worker) {
  return purpose + 4 * static_cast<std::uint64_t>(worker);
}

/// Where samples x and label noise come from, and what the coordinates of Delta mean. One serves a
/// whole ensemble: its functions are called from several threads at once.
struct Source {
  Eigen::Index dimension = 0;  ///< of x and Delta
  Eigen::Index latent = 0;     ///< columns that `draw` fills; `dimension` unless `colour` is set
  /// Fills rows first..first+count-1 of the latent samples and of epsilon.
  std::function<void(Random& samples, Random& noise, Eigen::Index first, Eigen::Index count,
                     RowMatrix& latent, Eigen::VectorXd& epsilon)>
      draw;
  /// Turns latent samples into x, many rows at once. Empty: they are x.
  std::function<void(const RowMatrix& latent, RowMatrix& x)> colour;
  std::function<double(const Eigen::VectorXd& delta)> risk;  ///< Delta^T K Delta / 2
  std::function<Eigen::VectorXd(Random& start)> initial;     ///< Delta_0
  Eigen::VectorXd theta_start = {};                          ///< theta_0; empty: 0
};

/// Coordinates are K's eigenvectors: x_j = sqrt(lambda_j) z_j.
Source eigen_source(const VectorProblem& problem);
/// x = F z, F F^T = K: with the eigenvectors given, or one Haar-random set of them.
Source factor_source(const VectorProblem& problem, std::uint64_t seed);
/// Haar-random orthogonal matrix: the Q of a Gaussian matrix's QR decomposition whose R has a
/// positive diagonal; another one for each `number`. Source: G. W. Stewart, SIAM J. Numer. Anal. 17
/// (1980) 403.
Eigen::MatrixXd haar_orthogonal(Eigen::Index dimension, std::uint64_t seed,
                                std::uint64_t number = 0);
/// x is a uniformly drawn row of the data; epsilon its own residual where the problem has them.
Source row_source(const VectorProblem& problem);

/// Coefficients of a point of known coordinates in the eigenbasis, 0 along eigenvectors that are
/// not held.
Eigen::VectorXd coefficients_of(const VectorProblem& problem, const Eigen::VectorXd& coordinates);

/// Coefficients of Delta_0 in the eigenbasis: as given, else of random signs, where a group of
/// equal eigenvalues shares its squared error equally. R(0) is exact either way.
Eigen::VectorXd initial_coefficients(const VectorProblem& problem, Random& random);

/// Eigenvalues one by one. Throws InputError where there are too many to draw samples.
Eigen::ArrayXd eigenvalues_to_sample(const Covariance& covariance, const std::string& field,
                                     double limit, const char* expected);

/// Eigenvectors of K as columns: as given, else one Haar-random set for each `number`.
/// Throws InputError where K is given and too large to hold them.
Eigen::MatrixXd basis_of(const Covariance& covariance, std::uint64_t seed,
                         std::uint64_t number = 0);

}  // namespace riskcurve
