#include "dynamics/signal.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "dynamics/few_nodes.hpp"
#include "dynamics/gauss_measure.hpp"
#include "power_of_two.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd normals(Eigen::Index rows, Eigen::Index columns, Random& random) {
  MatrixXd m(rows, columns);
  random.normals(m.data(), static_cast<std::size_t>(m.size()));
  return m;
}

/// Largest singular value of left right^T by power iteration, from below.
double power_norm(MatrixXd left, MatrixXd right) {
  const double unit = power_of_two(left.cwiseAbs().maxCoeff()),
               unit_right = power_of_two(right.cwiseAbs().maxCoeff());
  left /= unit;
  right /= unit_right;
  Random random(1, 0, 0);
  VectorXd v = normals(right.rows(), 1, random);
  double norm = 0;
  for (int k = 0; k < 100; ++k) {
    v.normalize();
    const VectorXd u = left * (right.transpose() * v);
    const double now = u.norm();
    if (!(now > 0) || std::abs(now - norm) < 1e-3 * now) return now * unit * unit_right;
    norm = now;
    v = right * (left.transpose() * u);
  }
  return norm * unit * unit_right;
}

/// Whether g lies above the largest singular value of a matrix of independent entries: `variance`
/// of one entry for each pair of nodes, which stand for `rows` x `columns` of them.
bool above(double g, const ArrayXXd& variance, const ArrayXd& rows, const ArrayXd& columns) {
  constexpr int most = 60;
  ArrayXXd x = ArrayXXd::Constant(variance.rows(), variance.cols(), 1 / g), y = x;
  ArrayXd row(rows.size()), column(columns.size());
  for (int k = 0; k < most; ++k) {
    row.setZero();
    for (Eigen::Index j = 0; j < columns.size(); ++j) {
      row += columns[j] * (variance.col(j) * y.col(j));
      column[j] = (rows * variance.col(j) * x.col(j)).sum();
    }
    if (!(row.maxCoeff() < g) || !(column.maxCoeff() < g)) return false;
    double change = 0;
    for (Eigen::Index j = 0; j < columns.size(); ++j)
      for (Eigen::Index i = 0; i < rows.size(); ++i) {
        const double v = variance(i, j), next = 1 / (g - row[i] + v * y(i, j));
        change = std::max(change, std::abs(1 - x(i, j) / next));
        y(i, j) = 1 / (g - column[j] + v * x(i, j));
        x(i, j) = next;
      }
    if (change < 1e-3) break;
  }
  return true;
}

double independent_norm(const ArrayXXd& variance, const ArrayXd& rows, const ArrayXd& columns) {
  const double row = (variance.matrix() * columns.matrix()).maxCoeff();
  const double column = (variance.matrix().transpose() * rows.matrix()).maxCoeff();
  if (!(row > 0)) return 0;
  double low = std::sqrt(std::max(row, column)), high = std::sqrt(row) + std::sqrt(column);
  while (high > 1.03 * low) {
    const double middle = std::sqrt(low * high);
    (above(middle, variance, rows, columns) ? high : low) = middle;
  }
  return std::sqrt(low * high);
}

/// Points and weights w of a measure whose transform is sum w a x/(1 - a x) = psi.
struct PointMeasure {
  ArrayXd point, weight;

  /// log a at this psi: increasing in it, a in (0, 1/max x). Bisection in log a: monotone.
  double log_a(double psi) const {
    const double top = point.maxCoeff();
    const ArrayXd x = point / top;
    // With a = 1/(top (1 + e)): a x/(1 - a x) = x/(1 + e - x).
    double low = -80, high = 80;  // of log e, in which the sum decreases
    for (int k = 0; k < 60; ++k) {
      const double middle = 0.5 * (low + high), e = std::exp(middle);
      ((weight * x / (e + (1 - x))).sum() > psi ? low : high) = middle;
    }
    return -std::log(top) - std::log1p(std::exp(0.5 * (low + high)));
  }
};

/// The transform's few points: octaves of x below half the largest, of the distance to that above.
PointMeasure few_points(const ArrayXd& x, const ArrayXd& weight) {
  constexpr int nodes = 8;
  const double top = x.maxCoeff();
  std::map<std::pair<bool, int>, std::vector<Eigen::Index>> groups;
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    const bool near = x[k] > 0.5 * top;
    if (x[k] > 0) groups[{near, std::ilogb(near ? top - x[k] : x[k])}].push_back(k);
  }
  std::vector<double> point, kept;
  for (const auto& [where, members] : groups) {
    const Measure rule = gauss_rule(x(members), weight(members), nodes);
    point.insert(point.end(), rule.point.begin(), rule.point.end());
    kept.insert(kept.end(), rule.weight.begin(), rule.weight.end());
  }
  return {Eigen::Map<ArrayXd>(point.data(), std::ssize(point)),
          Eigen::Map<ArrayXd>(kept.data(), std::ssize(kept))};
}

/// x with P(|z| > x) = upper, z = sqrt(2R) zeta + epsilon.
double quantile(const ResidualLaw& law, double risk, double upper) {
  double low = 0, high = std::sqrt(2 * risk);
  while (1 - law.within(risk, high) > upper) low = high, high *= 2;
  for (int k = 0; k < 40; ++k) {
    const double middle = 0.5 * (low + high);
    (1 - law.within(risk, middle) > upper ? low : high) = middle;
  }
  return high;
}

constexpr double kHeavyCut = 0.1;

/// The law of |z|^2 in a batch: quantiles graded towards the largest of B samples; weights sum
/// to 1.
PointMeasure squared_residuals(const NoiseLaw& noise, double risk, double batch) {
  const ResidualLaw law(noise);
  const double least = std::isfinite(law.noise_variance()) ? 0 : kHeavyCut;
  constexpr double ratio = 1.25;  // of the upper probability, from point to point
  std::vector<double> point, weight;
  for (double upper = 1; upper > 0;) {
    const double next = upper / ratio > 1 / batch ? upper / ratio : 0.0;
    const double z = quantile(law, risk, std::max(0.5 * (upper + next), least));
    point.push_back(z * z);
    weight.push_back(upper - next);
    upper = next;
  }
  return {Eigen::Map<ArrayXd>(point.data(), std::ssize(point)),
          Eigen::Map<ArrayXd>(weight.data(), std::ssize(weight))};
}

/// The edge of the limit: right where no single eigenvalue or sample stands out.
double noise_edge(const MatrixProblem& problem, double batch, double risk) {
  const auto side = [&](const Spectrum& spectrum) {
    return few_points(spectrum.value, spectrum.multiplicity / batch);
  };
  const PointMeasure out = side(problem.covariance_out.spectrum),
                     in = side(problem.covariance_in.spectrum),
                     residual = squared_residuals(problem.noise, risk, batch);
  const auto log_square = [&](double log_psi) {
    const double psi = std::exp(log_psi);
    return 2 * log_psi - out.log_a(psi) - in.log_a(psi) - residual.log_a(psi);
  };
  // Large at both ends; between, a coarse search and a golden one.
  double best = 0, least = std::numeric_limits<double>::infinity();
  for (double x = -20; x <= 20; x += 0.5)
    if (const double now = log_square(x); now < least) least = now, best = x;
  double low = best - 0.5, high = best + 0.5;
  for (int k = 0; k < 12; ++k) {
    const double left = low + 0.382 * (high - low), right = low + 0.618 * (high - low);
    if (log_square(left) < log_square(right))
      high = right;
    else
      low = left;
  }
  return std::exp(0.5 * log_square(0.5 * (low + high)));
}

/// Mean over gradients of independent z, u, v, drawn in the eigenbasis.
double sampled_noise(const MatrixProblem& problem, Eigen::Index batch, double risk, int draws) {
  const ArrayXd sigma = problem.covariance_out.spectrum.expand(),
                lambda = problem.covariance_in.spectrum.expand();
  const double cut = std::isfinite(problem.noise.variance)
                         ? std::numeric_limits<double>::infinity()
                         : quantile(ResidualLaw(problem.noise), risk, kHeavyCut);
  double sum = 0;
  for (int draw = 0; draw < draws; ++draw) {
    Random random(1, draw, 0);
    MatrixXd u = normals(sigma.size(), batch, random), v = normals(lambda.size(), batch, random);
    for (Eigen::Index b = 0; b < batch; ++b) {
      const double z = std::sqrt(2 * risk) * random.normal() + problem.noise.sample(random);
      u.col(b) *= std::clamp(z, -cut, cut) / static_cast<double>(batch);
    }
    u.array().colwise() *= sigma.sqrt();
    v.array().colwise() *= lambda.sqrt();
    sum += power_norm(std::move(u), std::move(v));
  }
  return sum / draws;
}

bool listed(const Spectrum& spectrum) {
  return ((spectrum.last - spectrum.first + 1 - spectrum.multiplicity).abs() < 1e-9).all();
}

/// Independent entries of these variances, `rows` x `columns` of each.
struct Entries {
  ArrayXXd variance;
  ArrayXd rows, columns;
};

/// Factors of the variances of many rows, merged octave by octave.
Measure few_rows(const ArrayXd& factor, const ArrayXd& count) {
  constexpr int nodes = 4;
  constexpr double left_out = 1e-6;  // of all variance: the least
  std::vector<Eigen::Index> order(static_cast<std::size_t>(factor.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index i, Eigen::Index j) { return factor[i] > factor[j]; });
  double left = (factor * count).sum();
  const double least = left_out * left;
  std::size_t kept = 0;
  while (kept < order.size() && left > least) {
    left -= factor[order[kept]] * count[order[kept]];
    ++kept;
  }
  order.resize(kept);
  return octave_rule(factor(order), count(order), nodes);
}

Entries entries_of(const MatrixProblem& problem) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  // A node of multiplicity below 1 is a single direction with its whole error.
  const ArrayXd rows = out.multiplicity.max(1.0), columns = in.multiplicity.max(1.0);
  const ArrayXd row = out.value.square() / rows, column = in.value.square() / columns;
  if (problem.initial.size() > kManyPairs)
    if (const auto error = product_of(problem.initial)) {
      const Measure few_out = few_rows(error->rows * row, rows),
                    few_in = few_rows(error->columns * column, columns);
      return {(few_out.point.matrix() * few_in.point.matrix().transpose()).array(), few_out.weight,
              few_in.weight};
    }
  return {problem.initial.entries() * (row.matrix() * column.matrix().transpose()).array(), rows,
          columns};
}

/// signal_norm, to be computed when it is first asked for.
std::shared_future<double> norm_of(const MatrixProblem& problem) {
  const auto later = [](auto compute) {
    return std::async(std::launch::deferred, std::move(compute)).share();
  };
  if (!problem.initial_error)
    return later(
        [of = entries_of(problem)] { return independent_norm(of.variance, of.rows, of.columns); });
  return later([left = MatrixXd(problem.covariance_out.spectrum.expand().matrix().asDiagonal() *
                                *problem.initial_error),
                right = MatrixXd(problem.covariance_in.spectrum.expand().matrix().asDiagonal())] {
    return power_norm(left, right);
  });
}

}  // namespace

double signal_norm(const MatrixProblem& problem) {
  return norm_of(problem).get();
}

double risk_rank(const MatrixProblem& problem) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  if (problem.initial_error) {
    MatrixXd m = out.expand().sqrt().matrix().asDiagonal() * *problem.initial_error *
                 in.expand().sqrt().matrix().asDiagonal();
    m /= power_of_two(m.cwiseAbs().maxCoeff());
    const MatrixXd gram = m * m.transpose();
    const double square = gram.squaredNorm();
    return square > 0 ? gram.trace() * gram.trace() / square : 0;
  }
  if (const auto& sides = problem.initial.product()) {
    const double rows = shared_by(out, sides->rows), columns = shared_by(in, sides->columns);
    return rows * columns > 0 ? rows * columns / (rows + columns - 1) : 0;
  }
  const ArrayXd rows = out.multiplicity.max(1.0), columns = in.multiplicity.max(1.0);
  const ArrayXXd s = problem.initial.entries();
  double largest = 0;
  for (Eigen::Index j = 0; j < s.cols(); ++j)
    largest = std::max(largest, in.value[j] * (s.col(j) * out.value).maxCoeff());
  ArrayXd sum = ArrayXd::Zero(s.rows()), q(s.rows());
  double square = 0;
  for (Eigen::Index j = 0; j < s.cols(); ++j) {
    q = s.col(j) * out.value * (in.value[j] / power_of_two(largest));
    sum += q;
    const double column = q.sum();
    square += (column * column - (q.square() / rows).sum()) / columns[j];
  }
  square += (sum.square() / rows).sum();
  return square > 0 ? sum.sum() * sum.sum() / square : 0;
}

double noise_norm(const MatrixProblem& problem, double batch, double risk) {
  constexpr double affordable = 4e6;  // random numbers in a gradient
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const double numbers = batch * (out.dimension() + in.dimension());
  if (numbers <= affordable && listed(out) && listed(in)) {
    const int draws = static_cast<int>(std::clamp(affordable / (40 * numbers), 1.0, 32.0));
    return sampled_noise(problem, std::lround(batch), risk, draws);
  }
  return noise_edge(problem, batch, risk);
}

std::function<double(double risk)> signal_of(const MatrixProblem& problem, double batch) {
  const double start = problem.initial_risk();
  if (start < kVanishedRisk) return [](double) { return 0; };
  MatrixProblem sides;
  sides.covariance_out = problem.covariance_out;
  sides.covariance_in = problem.covariance_in;
  sides.noise = problem.noise;
  return [=, norm = norm_of(problem)](double risk) {
    return risk > 0 ? norm.get() * std::sqrt(risk / start) / noise_norm(sides, batch, risk) : 0;
  };
}

double signal_ratio(const MatrixProblem& problem, double batch, double risk) {
  return signal_of(problem, batch)(risk);
}

}  // namespace riskcurve
