#pragma once
#include <Eigen/Core>
#include <optional>

#include "riskcurve/problem/covariance.hpp"
#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// Streaming least squares for W in R^(N_out x N_in): x_out, x_in independent with covariances
/// K_out (eigenvalues sigma_i) and K_in (lambda_j), y = x_out^T W* x_in + epsilon, a fresh batch of
/// B samples at every step. Delta = W - W*; R = tr(K_out Delta K_in Delta^T)/2, P = R + E eps^2/2.
struct MatrixProblem {
  Covariance covariance_out, covariance_in;
  NoiseLaw noise;
  /// s_ij(0) = E sum Delta_ij^2 over the joint eigenvectors of nodes i and j:
  /// shape (covariance_out.spectrum.size(), covariance_in.spectrum.size()).
  Eigen::ArrayXXd initial;
  /// Delta_0 in the joint eigenbasis, eigenvectors in the order of spectrum.expand() on each side.
  /// Set where its entries are known (a target from a file); else their signs are free.
  std::optional<Eigen::MatrixXd> initial_error;

  /// N_out N_in, the number of parameters.
  double dimension() const { return covariance_out.dimension() * covariance_in.dimension(); }
  /// R(0) = sum_ij sigma_i lambda_j s_ij(0)/2
  double initial_risk() const {
    return 0.5 * (covariance_out.spectrum.value.matrix().transpose() * initial.matrix() *
                  covariance_in.spectrum.value.matrix())
                     .value();
  }
};

/// Which sides of the matrix the target's power law runs along.
enum class Sides { in, both };

/// s_ij(0) proportional to j^(-2 beta) (Sides::in) or (i j)^(-2 beta) (Sides::both), scaled so that
/// R(0) = risk. beta = 0: isotropic.
Eigen::ArrayXXd matrix_power_law_target(const Spectrum& out, const Spectrum& in, double beta,
                                        Sides sides, double risk);

/// Throws InputError unless shapes agree, every number is finite and the squares non-negative.
void validate(const MatrixProblem& problem);

/// Reads covariance_out, covariance_in, target ({ kind = "isotropic", risk } or { kind =
/// "power_law", beta, sides = "in" | "both", risk } or { kind = "file", path[, risk] }: Delta_0 in
/// the joint eigenbasis) and noise. Throws InputError.
MatrixProblem read_matrix_problem(const Fields& problem);

}  // namespace riskcurve
