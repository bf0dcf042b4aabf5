#include "analysis/drift_loss.hpp"

#include <cmath>
#include <numbers>

#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using std::numbers::pi;

/// Coordinates j have r_j^2 = (E l x_j)^2/(E l^2 E x_j^2), and E sign of b samples is
/// sqrt(2/pi) r E chi_b (1 - (b - 2) r^2/6 + ...).
DriftLoss vector_loss(const VectorProblem& problem, const ModeSystem& system, int b) {
  const double norm = std::pow(chi_mean(b), 2), d = problem.dimension();
  if (problem.covariance.orientation == Orientation::diagonal)
    return [=, &system](const Now& now, const ArrayXd& s) {
      const double phi = system.response(now).drift[0];
      const ArrayXd share = system.weight * s;  // lambda Delta_j^2, over m directions
      const ArrayXd drop = system.rates(now).drift * share;
      const ArrayXd r2 =
          (system.multiplicity > 0)
              .select(pi / 2 * phi * phi / norm * share / system.multiplicity.max(1e-300), 0);
      const double total = drop.sum();
      return total > 0 ? (b - 2) / 6.0 * (drop * r2).sum() / total : 0;
    };
  // Dense eigenvectors: r_j is Gaussian over the coordinates, E r^4/E r^2 = 3 E r^2.
  const double scale = problem.covariance.orientation == Orientation::given
                           ? std::sqrt(problem.covariance.spectrum.mean())
                           : 1;
  return [=, &system](const Now& now, const ArrayXd& s) {
    const double r2 = pi / 2 * (system.rates(now).drift.square() * s).sum() / (d * scale) / norm;
    return 0.5 * (b - 2) * r2;
  };
}

/// Large batches: what the mean adds to the second moment of an entry of the gradient, and how l^2
/// goes with u_i^2 and v_j^2, which raises it by 2 (share_out + share_in) R/P.
DriftLoss matrix_loss(const MatrixProblem& problem, const ModeSystem& system, int b) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const Eigen::Index rows = out.size(), columns = in.size();
  if (system.modes() != rows * columns) return {};
  ArrayXd sigma(system.modes()), lambda(system.modes());
  for (Eigen::Index j = 0; j < columns; ++j)
    for (Eigen::Index i = 0; i < rows; ++i) {
      sigma[i + j * rows] = out.value[i];
      lambda[i + j * rows] = in.value[j];
    }
  const double entries = problem.dimension(), tau = out.mean() * in.mean();
  return [=, &system, &out, &in](const Now& now, const ArrayXd& s) {
    const ArrayXd share = system.weight * s;  // sigma lambda Delta_ij^2, in any orientation
    const double total = share.sum();
    if (!(total > 0)) return 0.0;
    const double phi = system.response(now).drift[0];
    const double coherent = pi / 2 * phi * phi * (share * sigma * lambda).sum() / (tau * entries);
    const double signal = pi * phi * phi * now.risk / b;  // R/P for Gaussian residuals
    const double correlated =
        (share * sigma).sum() / out.trace() + (share * lambda).sum() / in.trace();
    return 0.5 * coherent + signal * correlated / total;
  };
}

}  // namespace

DriftLoss drift_loss(const Experiment& experiment, const ModeSystem& system) {
  if (experiment.optimizer.text("name") != "sign_sgd") return {};
  const int batch = read_sign_sgd(experiment.optimizer).batch;
  return experiment.is_matrix() ? matrix_loss(experiment.matrix(), system, batch)
                                : vector_loss(experiment.vector(), system, batch);
}

}  // namespace riskcurve
