#pragma once
#include <Eigen/Core>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/covariance.hpp"
#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/matrix_problem.hpp"
#include "riskcurve/problem/noise.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

/// Streaming least squares in R^d: x with covariance K, y = <x, theta*> + epsilon, a fresh batch at
/// every step. Delta = theta - theta*; the excess risk is R = Delta^T K Delta / 2, the population
/// risk P = R + E epsilon^2 / 2.
struct VectorProblem {
  Covariance covariance;
  NoiseLaw noise;
  /// Expected squared error s_k(0) = E sum <u, Delta_0>^2 over the eigenvectors u of each node of
  /// the spectrum: shape (spectrum.size()).
  Eigen::ArrayXd initial;
  /// Delta_0 in coordinates. Set where the eigenvectors are known (Orientation::given, data, or
  /// diagonal with a target from a file); else the signs of the coefficients are free, and Monte
  /// Carlo draws them.
  std::optional<Eigen::VectorXd> initial_error;
  /// Labels y_i - <x_i, theta*> row by row: set where the target was fitted to labels and the
  /// residuals are the noise, so that Monte Carlo can draw row and residual together, as they are
  /// in the data.
  std::optional<Eigen::ArrayXd> row_residuals;

  double dimension() const { return covariance.dimension(); }
  /// R(0) = sum_k lambda_k s_k(0) / 2
  double initial_risk() const { return 0.5 * (covariance.spectrum.value * initial).sum(); }
};

/// s_k(0) proportional to the mass j^(-2 beta) of the node, scaled so that R(0) = risk.
Eigen::ArrayXd power_law_target(const Spectrum& spectrum, double beta, double risk);
/// s_k(0) equal on the eigenvectors of index from..to, 0 on others, scaled so that R(0) = risk.
Eigen::ArrayXd isotropic_target(const Spectrum& spectrum, double risk, double from = 1,
                                double to = std::numeric_limits<double>::infinity());

/// Throws InputError unless shapes agree, every number is finite and the error is non-negative.
void validate(const VectorProblem& problem);

/// When to record: step counts, increasing, from [run] steps, at | points + spacing.
struct Run {
  double steps = 0;
  Eigen::ArrayXd at;
};

/// A problem file: [problem] [optimizer] [schedule] [run]. The optimizer's table stays as fields:
/// theory and Monte Carlo each read what they need of it, by its name.
struct Experiment {
  std::variant<VectorProblem, MatrixProblem> problem;
  Fields optimizer;
  Schedule schedule;
  Run run;

  bool is_matrix() const { return std::holds_alternative<MatrixProblem>(problem); }
  /// The problem of either geometry; std::bad_variant_access for the other.
  const VectorProblem& vector() const { return std::get<VectorProblem>(problem); }
  const MatrixProblem& matrix() const { return std::get<MatrixProblem>(problem); }
};

/// Reads and checks everything but the optimizer's own keys. Throws InputError.
Experiment read_experiment(const Fields& file);

}  // namespace riskcurve
