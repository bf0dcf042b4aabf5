#include <Eigen/Cholesky>
#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "dynamics/gradient_modes.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "dynamics/optimizers/sign_sgd_matrix.hpp"
#include "dynamics/seen_gradient.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using std::numbers::pi;

/// phi_b(R): ResidualLaw::phi or ResidualLaw::matrix_phi. Inversely proportional to sqrt(2P) for a
/// Gaussian residual.
using SignRate = double (ResidualLaw::*)(double risk, int batch) const;

/// phi_b(R), tabulated unless the residual is Gaussian.
class EffectiveRate {
 public:
  EffectiveRate(const ResidualLaw& law, int batch, SignRate rate)
      : residual_(law),
        unit_((ResidualLaw(gaussian_noise(1)).*rate)(0, batch)),
        table_([law, batch, rate](double risk) { return (law.*rate)(risk, batch); }) {}
  double operator()(double risk) const {
    return residual_.gaussian() ? gaussian(risk) : table_(risk);
  }
  /// phi_b for Gaussian noise of the same variance.
  double gaussian(double risk) const {
    return unit_ / std::sqrt(2 * risk + residual_.noise_variance());
  }

 private:
  ResidualLaw residual_;
  double unit_;  // of a standard Gaussian residual
  LogChebyshev table_;
};

SharedNoise shared_noise_of(const ResidualLaw& law, double risk, int batch) {
  if (batch == 1) return {-1, 0, 0};
  const double b = batch;
  if (law.gaussian()) {  // l = sqrt(2P) chi_b
    const double chi = chi_mean(b);
    return {(b - 1) / (chi * chi) - 1, 0, 0};
  }
  // (b-2) E[1/|l|^2] = (b-2) int_0^inf F(s)^b ds, F = E e^(-s l^2) ~ k/sqrt(s): 2k^2 as b -> 2.
  const double inverse = law.inverse_norm(risk, batch);
  double square;
  if (batch == 2) {
    const double far = 1e10 / risk;
    square = 2 * far * std::pow(law.laplace(risk, far), 2);
  } else {
    constexpr double h = 0.1;
    square = 0;
    for (double y = -40; y < 120; y += h) {
      const double s = std::exp(y) / risk;
      square += (b - 2) * h * s * std::pow(law.laplace(risk, s), b);
    }
  }
  return {square / ((b - 1) * inverse * inverse) - 1, 0, 0};
}

/// What both geometries share: drift phi_b(R) and diffusion 1, their observables, the shared noise.
void add_response(ModeSystem& system, const NoiseLaw& noise, int batch, SignRate rate) {
  const ResidualLaw law(noise);
  const auto phi = std::make_shared<const EffectiveRate>(law, batch, rate);
  system.optimizer = SignSgd::name;
  system.response = [phi](const Now& now) {
    return Response{ArrayXd::Constant(1, (*phi)(now.risk)), ArrayXd::Ones(1)};
  };
  system.observable["effective_learning_rate"] = [phi](const ModeSystem&, const Now& now,
                                                       const ArrayXd&) {
    return now.risk > 0 ? (*phi)(now.risk) : NAN;
  };
  const double variance = noise.variance;
  system.observable["noise_compression"] = [phi, variance](const ModeSystem&, const Now& now,
                                                           const ArrayXd&) {
    return now.risk > 0 && std::isfinite(variance) ? (*phi)(now.risk) / phi->gaussian(now.risk)
                                                   : NAN;
  };
  system.shared_noise = [law, batch](const Now& now) {
    return shared_noise_of(law, now.risk, batch);
  };
}

/// The parts that depend on the orientation: modes, and the rate each would have under K/sqrt(tau).
struct SignModes {
  ArrayXd weight, drift, diffusion, initial, multiplicity;
  ArrayXd plain;  // exact orientation only: plain rates, a function of the mode
};

SignModes generic_modes(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const double tau = spectrum.mean();
  return {spectrum.value,
          spectrum.value / std::sqrt(tau),
          2 / M_PI * (spectrum.value / tau + M_PI / 2 - 1) * spectrum.multiplicity,
          problem.initial,
          spectrum.multiplicity,
          {}};
}

SignModes diagonal_modes(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  // A coordinate with no variance has no gradient, and sign(0) = 0.
  return {spectrum.value,
          spectrum.value.sqrt(),
          (spectrum.value > 0).select(spectrum.multiplicity, 0.0),
          problem.initial,
          spectrum.multiplicity,
          {}};
}

SignModes exact_modes(const VectorProblem& problem, double tau) {
  const SignBasis basis = sign_basis(problem);
  SignModes modes;
  modes.weight = modes.drift = basis.value;
  modes.diffusion = basis.diffusion;
  modes.initial = basis.error.array().square();
  modes.multiplicity = ArrayXd::Ones(modes.weight.size());
  // K D^(-1) w_i = Lambda_i w_i
  modes.plain =
      basis.value.square() * basis.w.colwise().squaredNorm().transpose().array() / std::sqrt(tau);
  return modes;
}

/// L with L L^T = matrix, by Cholesky with pivots; columns of vanishing pivots (the rank's worth of
/// roundoff) are left out.
Eigen::MatrixXd factor(const Eigen::MatrixXd& matrix) {
  const Eigen::LDLT<Eigen::MatrixXd> cholesky(matrix);
  const Eigen::VectorXd pivot = cholesky.vectorD();
  const double least = 1e-14 * static_cast<double>(pivot.size()) * pivot.maxCoeff();
  std::vector<Eigen::Index> kept;
  for (Eigen::Index j = 0; j < pivot.size(); ++j)
    if (pivot[j] > least) kept.push_back(j);
  const Eigen::MatrixXd lower = cholesky.matrixL();
  const Eigen::MatrixXd scaled = lower(Eigen::all, kept) * pivot(kept).cwiseSqrt().asDiagonal();
  return cholesky.transpositionsP().transpose() * scaled;
}

/// x_i = w_i^T Delta and F = diag(c)^(-1/2) W^T L, K_sigma = L L^T.
Correlation correlation_of(const VectorProblem& problem) {
  const SignBasis basis = sign_basis(problem);
  Correlation result{basis.error, basis.w.transpose() * factor(basis.noise)};
  for (Eigen::Index k = 0; k < result.factor.rows(); ++k) {
    const double norm = result.factor.row(k).norm();
    if (norm > 0) result.factor.row(k) /= norm;
  }
  return result;
}

using DriftLoss = std::function<double(const ModeSystem&, const Now&, const ArrayXd&)>;

/// Coordinates j have r_j^2 = (E l x_j)^2/(E l^2 E x_j^2), and E sign of b samples is
/// sqrt(2/pi) r E chi_b (1 - (b - 2) r^2/6 + ...).
DriftLoss drift_loss_of(const VectorProblem& problem, int b) {
  const double norm = std::pow(chi_mean(b), 2), d = problem.dimension();
  if (problem.covariance.orientation == Orientation::diagonal)
    return [=](const ModeSystem& system, const Now& now, const ArrayXd& s) {
      const Response response = system.response(now);
      const double phi = response.drift[0];
      const ArrayXd share = system.weight * s;  // lambda Delta_j^2, over m directions
      const ArrayXd drop = system.rates(response).drift * share;
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
  return [=](const ModeSystem& system, const Now& now, const ArrayXd& s) {
    const double r2 = pi / 2 * (system.rates(now).drift.square() * s).sum() / (d * scale) / norm;
    return 0.5 * (b - 2) * r2;
  };
}

/// Large batches: what the mean adds to the second moment of an entry of the gradient, and how l^2
/// goes with u_i^2 and v_j^2, which raises it by 2 (share_out + share_in) R/P. Modes are pairs of
/// nodes, in any orientation.
DriftLoss drift_loss_of(const MatrixProblem& problem, int b) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const double entries = problem.dimension(), tau = out.mean() * in.mean();
  return [=, sigma = Eigen::VectorXd(out.value), lambda = Eigen::VectorXd(in.value),
          trace_out = out.trace(),
          trace_in = in.trace()](const ModeSystem& system, const Now& now, const ArrayXd& s) {
    const Eigen::MatrixXd share =  // sigma lambda Delta_ij^2
        (system.weight * s).matrix().reshaped(sigma.size(), lambda.size());
    const double total = share.sum();
    if (!(total > 0)) return 0.0;
    const double phi = system.response(now).drift[0];
    const Eigen::VectorXd along = share * lambda;
    const double coherent = pi / 2 * phi * phi * sigma.dot(along) / (tau * entries);
    const double signal = pi * phi * phi * now.risk / b;  // R/P for Gaussian residuals
    const double correlated = sigma.dot(share.rowwise().sum()) / trace_out + along.sum() / trace_in;
    return 0.5 * coherent + signal * correlated / total;
  };
}

}  // namespace

ModeSystem mode_system(const VectorProblem& problem, const SignSgd& optimizer) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const double tau = spectrum.mean();
  const Orientation orientation = problem.covariance.orientation;
  ModeSystem system;
  const SignModes modes = orientation == Orientation::given      ? exact_modes(problem, tau)
                          : orientation == Orientation::diagonal ? diagonal_modes(problem)
                                                                 : generic_modes(problem);
  system.weight = modes.weight;
  system.drift = modes.drift;
  system.diffusion = modes.diffusion;
  system.initial = modes.initial;
  system.multiplicity = modes.multiplicity;
  system.noise_variance = problem.noise.variance;

  add_response(system, problem.noise, optimizer.batch, &ResidualLaw::phi);
  system.drift_loss = drift_loss_of(problem, optimizer.batch);
  if (orientation == Orientation::given)
    system.correlation = [problem] { return correlation_of(problem); };
  system.observable["preconditioning"] = [plain = modes.plain, orientation, tau](
                                             const ModeSystem& read, const Now&, const ArrayXd& s) {
    if (orientation == Orientation::generic) return 1.0;
    const ArrayXd drift = read.drift.col(0);
    const double rate = (read.weight * drift * s).sum();
    if (orientation == Orientation::diagonal)  // K/sqrt(tau) has the same modes, rate drift^2
      return rate / ((read.weight * drift.square() * s).sum() / std::sqrt(tau));
    return plain.size() == s.size() ? rate / (plain * s).sum() : NAN;
  };
  const double reshaping = (modes.weight * modes.diffusion).sum() /
                           ((spectrum.value.square() * spectrum.multiplicity).sum() / tau);
  system.observable["noise_reshaping"] = [reshaping](const ModeSystem&, const Now&,
                                                     const ArrayXd&) { return reshaping; };
  return system;
}

ModeSystem mode_system(const MatrixProblem& problem, const SignSgd& optimizer) {
  const Covariance &out = problem.covariance_out, &in = problem.covariance_in;
  for (const Covariance* side : {&out, &in})
    if (side->orientation == Orientation::given && (!side->matrix || !side->eigenvectors))
      throw InputError("problem.covariance_out, covariance_in: orientation", "given",
                       "a covariance matrix small enough to hold; use orientation = \"generic\"");
  // A multiple of the identity looks the same in every basis.
  ModeSystem system;
  if (dense(out) || dense(in)) {
    const double tau = out.spectrum.mean() * in.spectrum.mean();
    system = gradient_modes(problem, 1);
    system.drift = system.weight / std::sqrt(tau);
    system.diffusion = 2 / M_PI * (system.weight / tau + M_PI / 2 - 1) * system.multiplicity;
  } else {
    system = exact_sign_modes(problem);
  }
  add_response(system, problem.noise, optimizer.batch, &ResidualLaw::matrix_phi);
  if (system.modes() == out.spectrum.size() * in.spectrum.size())
    system.drift_loss = drift_loss_of(problem, optimizer.batch);
  return system;
}

}  // namespace riskcurve
