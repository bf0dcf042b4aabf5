#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "dynamics/few_nodes.hpp"
#include "dynamics/gauss_measure.hpp"
#include "dynamics/octaves.hpp"
#include "dynamics/signal.hpp"
#include "dynamics/spectral_rates.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {
namespace {

Eigen::ArrayXd flat(const Eigen::ArrayXXd& matrix) {
  return matrix.reshaped();
}

/// A tensor grid of modes: eigenvalues of both sides, and what each pair carries.
struct Grid {
  Eigen::ArrayXd sigma, lambda;
  Eigen::ArrayXXd initial;       // s_ij(0)
  Eigen::ArrayXXd multiplicity;  // directions a pair stands for
};

Grid full_grid(const MatrixProblem& problem) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  return {out.value, in.value, problem.initial.entries(),
          (out.multiplicity.matrix() * in.multiplicity.matrix().transpose()).array()};
}

/// Nodes of one side, of its counts and of the error's factor.
Measures short_side(const Spectrum& side, const Eigen::ArrayXd& error) {
  std::vector<Measures> parts;
  Eigen::Index size = 0;
  for (const auto& [first, count] : octaves(side.value, 2)) {
    Measures both{side.value.segment(first, count), Eigen::ArrayXXd(count, 2)};
    both.weight << side.multiplicity.segment(first, count), error.segment(first, count);
    parts.push_back(common_rule(both, 8));  // 1e-7 of R
    size += parts.back().point.size();
  }
  Measures all{Eigen::ArrayXd(size), Eigen::ArrayXXd(size, 2)};
  Eigen::Index at = 0;
  for (const Measures& part : parts) {
    all.point.segment(at, part.point.size()) = part.point;
    all.weight.middleRows(at, part.point.size()) = part.weight;
    at += part.point.size();
  }
  return all;
}

/// A grid that gives the same risk curve: a and c are smooth in (log sigma, log lambda), so each
/// side may keep the Gauss rules of its two measures, the count and the initial error, at nodes in
/// common. A target that is no product of the sides keeps the full grid.
Grid short_grid(const MatrixProblem& problem) {
  const auto error = product_of(problem.initial);
  if (!error || problem.initial.size() < 2000) return full_grid(problem);

  const auto outer = [](const auto& a, const auto& b) {
    return Eigen::ArrayXXd((a.matrix() * b.matrix().transpose()).array());
  };
  const Measures out = short_side(problem.covariance_out.spectrum, error->rows),
                 in = short_side(problem.covariance_in.spectrum, error->columns);
  return {out.point, in.point, outer(out.weight.col(1), in.weight.col(1)),
          outer(out.weight.col(0), in.weight.col(0))};
}

/// Chebyshev-Lobatto nodes in log R, and their Lagrange basis (barycentric).
class LogRiskBasis {
 public:
  LogRiskBasis(double low, double high, int size) : node_(size), weight_(size) {
    const double middle = 0.5 * std::log(low * high), half = 0.5 * std::log(high / low);
    for (int m = 0; m < size; ++m) {
      node_[m] = middle - half * std::cos(M_PI * m / (size - 1));
      weight_[m] = (m % 2 == 0 ? 1.0 : -1.0) * (m == 0 || m == size - 1 ? 0.5 : 1.0);
    }
  }
  double risk(int m) const { return std::exp(node_[m]); }
  Eigen::ArrayXd at(double risk) const {
    const double x = std::clamp(std::log(risk), node_[0], node_[node_.size() - 1]);
    const Eigen::ArrayXd distance = x - node_;
    Eigen::Index hit;
    if (distance.abs().minCoeff(&hit) < 1e-13) {
      Eigen::ArrayXd unit = Eigen::ArrayXd::Zero(node_.size());
      unit[hit] = 1;
      return unit;
    }
    const Eigen::ArrayXd terms = weight_ / distance;
    return terms / terms.sum();
  }

 private:
  Eigen::ArrayXd node_, weight_;
};

constexpr int kRiskNodes = 28;
constexpr double kLowest = 1e-9, kHighest = 30;  // of the initial risk, noise included above

/// Stacks the grids into modes; `columns` products of each kind, filled by the caller.
ModeSystem stack(const std::vector<Grid>& grids, Eigen::Index columns) {
  Eigen::Index modes = 0;
  for (const Grid& grid : grids) modes += grid.initial.size();
  ModeSystem system;
  system.weight.resize(modes);
  system.initial.resize(modes);
  system.multiplicity.resize(modes);
  system.drift.resize(modes, columns);
  system.diffusion.resize(modes, columns);
  Eigen::Index at = 0;
  for (const Grid& grid : grids) {
    const Eigen::Index n = grid.initial.size();
    system.weight.segment(at, n) =
        flat((grid.sigma.matrix() * grid.lambda.matrix().transpose()).array());
    system.initial.segment(at, n) = flat(grid.initial);
    system.multiplicity.segment(at, n) = flat(grid.multiplicity);
    at += n;
  }
  return system;
}

void fill(ModeSystem& system, Eigen::Index column, const std::vector<Grid>& grids,
          const SpectralCoefficients& coefficients) {
  Eigen::Index at = 0;
  for (const Grid& grid : grids) {
    const Eigen::Index n = grid.initial.size();
    system.drift.col(column).segment(at, n) = flat(coefficients.drift(grid.sigma, grid.lambda));
    system.diffusion.col(column).segment(at, n) =
        (grid.multiplicity > 0).any()
            ? flat(coefficients.diffusion(grid.sigma, grid.lambda) * grid.multiplicity)
            : Eigen::ArrayXd::Zero(n);
    at += n;
  }
}

/// Rates at many risks by those at the few that the others are combinations of, to roundoff of each
/// mode's largest.
struct Spanned {
  Eigen::ArrayXXd columns;
  Eigen::MatrixXd weights;  ///< shape (few, many)
};
Spanned spanned(const Eigen::ArrayXXd& rates) {
  constexpr double least = 1e-12;
  const Eigen::ArrayXd largest = rates.abs().rowwise().maxCoeff();
  const Eigen::ArrayXXd scaled =
      rates.colwise() * (largest > 0).select(1 / largest.max(1e-300), 0.0);
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(scaled.matrix());
  qr.setThreshold(least);
  const Eigen::Index rank = std::max<Eigen::Index>(1, qr.rank()), all = rates.cols();
  const auto& order = qr.colsPermutation().indices();
  Spanned few{Eigen::ArrayXXd(rates.rows(), rank), Eigen::MatrixXd::Zero(rank, all)};
  const Eigen::MatrixXd rest = qr.matrixR()
                                   .topLeftCorner(rank, rank)
                                   .template triangularView<Eigen::Upper>()
                                   .solve(qr.matrixR().topRightCorner(rank, all - rank));
  for (Eigen::Index k = 0; k < rank; ++k) {
    few.columns.col(k) = rates.col(order[k]);
    few.weights(k, order[k]) = 1;
  }
  for (Eigen::Index k = rank; k < all; ++k) few.weights.col(order[k]) = rest.col(k - rank);
  return few;
}

/// E |z|^n, z ~ N(0,1).
double normal_moment(double n) {
  return std::pow(2, 0.5 * n) * std::tgamma(0.5 * (n + 1)) / std::sqrt(M_PI);
}

/// f = g^q; `side` the smaller side.
SharedNoise shared_noise_of(double q, double batch, double side) {
  // batch >> side: the update is ||l||^q times a function of directions alone.
  const SharedNoise many{0.5 * (1 + q) * (1 + q) - 1, q * (1 + q), 2 * q * q};
  // batch << side: the samples are orthogonal, and each is raised to q by itself.
  const auto m = normal_moment;
  const double x = m(1 + q);
  SharedNoise few = many;
  if (q >= 0)
    few = {(m(2 + 2 * q) - m(2 * q)) / (x * x) - 1, m(1 + 3 * q) / (x * m(2 * q)) - 1,
           m(4 * q) / (m(2 * q) * m(2 * q)) - 1};
  const double w = 1 / (1 + batch / side);
  return {(w * few.progress_variance + (1 - w) * many.progress_variance) / batch,
          (w * few.covariance + (1 - w) * many.covariance) / batch,
          (w * few.size_variance + (1 - w) * many.size_variance) / batch};
}

/// A spectral optimizer. power: q of f = g^q, for the shared noise; empty: between SGD and SignSVD,
/// whose numbers have opposite signs, nothing is added.
struct Terms {
  SpectralFunction function;
  int batch;
  std::optional<double> power;
};

/// What is known beside the rates.
void add_knowledge(ModeSystem& system, const MatrixProblem& problem, const Terms& terms) {
  system.optimizer = terms.function.name;
  system.signal = signal_of(problem, terms.batch);
  const double side =
      std::min(problem.covariance_out.dimension(), problem.covariance_in.dimension());
  const SharedNoise shared =
      terms.power ? shared_noise_of(*terms.power, terms.batch, side) : SharedNoise{};
  system.shared_noise = [shared](const Now&) { return shared; };
}

ModeSystem filled(const MatrixProblem& problem, const Terms& terms, Grids wanted) {
  const ResolventCurve curve(problem.covariance_out.spectrum, problem.covariance_in.spectrum,
                             terms.batch);
  const auto rates = std::make_shared<SpectralRates>(curve, terms.function, problem.noise);
  const double variance = problem.noise.variance;
  const double start = problem.initial_risk();

  if (rates->scales()) {  // Gaussian noise, f = g^q: fixed vectors times powers of 2P
    const double q = rates->function().degree;
    const std::vector<Grid> grid{full_grid(problem)};
    ModeSystem system = stack(grid, 1);
    add_knowledge(system, problem, terms);
    // The coefficients at some risk R1, brought to 2P = 1.
    const double reference = start > 0 ? start : 1.0, p2 = 2 * reference + variance;
    fill(system, 0, grid, rates->at(reference));
    system.drift *= std::pow(p2, 0.5 * (1 - q));
    system.diffusion *= std::pow(p2, -q);
    system.noise_variance = variance;
    system.response = [variance, q](const Now& now) {
      const double square = 2 * now.risk + variance;
      return Response{Eigen::ArrayXd::Constant(1, std::pow(square, 0.5 * (q - 1))),
                      Eigen::ArrayXd::Constant(1, std::pow(square, q))};
    };
    return system;
  }

  const double high = kHighest * (start + (std::isfinite(variance) ? 0.5 * variance : 0.0));
  const double top = high > 0 ? high : 1.0;
  const auto basis =
      std::make_shared<LogRiskBasis>(kLowest * (start > 0 ? start : top), top, kRiskNodes);
  const std::vector<Grid> grids = wanted == Grids::whole ? std::vector<Grid>{full_grid(problem)}
                                                         : std::vector<Grid>{short_grid(problem)};
  ModeSystem system = stack(grids, kRiskNodes);
  add_knowledge(system, problem, terms);
  for (int m = kRiskNodes - 1; m >= 0; --m) fill(system, m, grids, rates->at(basis->risk(m)));
  system.noise_variance = variance;
  Spanned drift = spanned(system.drift), diffusion = spanned(system.diffusion);
  system.drift = std::move(drift.columns);
  system.diffusion = std::move(diffusion.columns);
  system.response = [basis, to_drift = std::move(drift.weights),
                     to_diffusion = std::move(diffusion.weights)](const Now& now) {
    const Eigen::VectorXd values = basis->at(now.risk).matrix();
    return Response{(to_drift * values).array(), (to_diffusion * values).array()};
  };
  return system;
}

}  // namespace

SpectralFunction spectral_function(const SignSvd&) {
  return sign_svd();
}
SpectralFunction spectral_function(const Schatten& optimizer) {
  return schatten(optimizer.exponent);
}
SpectralFunction spectral_function(const RegularizedSvd& optimizer) {
  return regularized_svd(optimizer.epsilon);
}

ModeSystem mode_system(const MatrixProblem& problem, const SignSvd& optimizer, Grids grids) {
  return filled(problem, {spectral_function(optimizer), optimizer.batch, 0}, grids);
}
ModeSystem mode_system(const MatrixProblem& problem, const Schatten& optimizer, Grids grids) {
  return filled(problem, {spectral_function(optimizer), optimizer.batch, optimizer.exponent},
                grids);
}
ModeSystem mode_system(const MatrixProblem& problem, const RegularizedSvd& optimizer, Grids grids) {
  return filled(problem, {spectral_function(optimizer), optimizer.batch, {}}, grids);
}

}  // namespace riskcurve
