#include "riskcurve/analysis/preconditioning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <vector>

#include "analysis/rest.hpp"
#include "dynamics/filtered_variance.hpp"
#include "dynamics/spectral_rates.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;

/// 1/(1 + a x), shape (x, nodes)
ArrayXXd unsaturated(const ArrayXd& log_a, const ArrayXd& x) {
  return 1 / (1 + (x.matrix() * log_a.exp().matrix().transpose()).array());
}

void check_risk(double risk) {
  if (!(risk > 0 && std::isfinite(risk))) throw InputError("risk", risk, "a finite number > 0");
}

/// dlog a/dlog h along a row, by centred differences that reach far enough not to cancel.
ArrayXd log_slopes(const ArrayXd& h, const ArrayXd& a) {
  constexpr double reach = 1e-3;  // of log h, to either side
  std::vector<Index> order;
  for (Index k = 0; k < h.size(); ++k)
    if (h[k] > 0 && a[k] > 0) order.push_back(k);
  std::stable_sort(order.begin(), order.end(), [&](Index i, Index j) { return h[i] < h[j]; });
  ArrayXd slope = ArrayXd::Constant(h.size(), NAN);
  const auto n = static_cast<Index>(order.size());
  for (Index at = 0, low = 0, high = 0; at < n; ++at) {
    const double here = std::log(h[order[at]]);
    while (low + 1 < at && std::log(h[order[low + 1]]) <= here - reach) ++low;
    while (high + 1 < n && std::log(h[order[high]]) < here + reach) ++high;
    const double run = std::log(h[order[high]] / h[order[low]]);
    if (run >= reach) slope[order[at]] = std::log(a[order[high]] / a[order[low]]) / run;
  }
  return slope;
}

ModeRates spectral_rates(const MatrixProblem& problem, const Spectral& spectral, double risk) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  SpectralRates rates(ResolventCurve(out, in, spectral.batch), spectral.function, problem.noise);
  const SpectralCoefficients& coefficients = rates.at(risk);
  ModeRates result;
  result.weight = out.value.matrix() * in.value.matrix().transpose();
  result.multiplicity = out.multiplicity.matrix() * in.multiplicity.matrix().transpose();
  result.drift = coefficients.drift(out.value, in.value);
  result.diffusion = coefficients.diffusion(out.value, in.value);
  result.exponent = preconditioning(coefficients, out.value, in.value);
  result.drift_error = coefficients.drift_error;
  result.diffusion_error = coefficients.diffusion_error;
  if (spectral.function.degree == 0) result.rank = spectral.batch * rates.curve().p_max();
  for (const Covariance* side : {&problem.covariance_out, &problem.covariance_in})
    if (!side->remark.empty()) result.warnings.push_back(side->remark);
  return result;
}

/// What a FilteredMap answers where the start's error, scaled to this risk, has been there for
/// long: its memory holds the same, and the noise of as many samples as it can.
Rates any_signal_rates(const ModeSystem& system, double risk) {
  const Blocks& blocks = *system.blocks;
  const double keep = system.squares ? system.squares->keep : 0,
               momentum = blocks.at(0, 0).momentum;
  constexpr double long_ago = 40;
  const ChainNow chain = blocks.at(long_ago / (1 - std::max(momentum, keep < 1 ? keep : 0)), 0);
  const BlockStep step = blocks.step(chain);
  FilteredGradient u = long_held(system, chain.momentum, step.read[0] / blocks.gradient_at[0],
                                 step.read[place_of_memory(step)]);
  u.time = chain.step;
  u.risk = u.memory = risk;
  u.error = u.cross = u.signal = risk / system.risk(system.initial) * u.error;
  if (system.filtered->sees_means) u.mean = u.held_mean = u.error.sqrt();
  if (system.squares) u.squares = u.noise;
  FilteredAnswer answer = system.filtered->answer(u, nullptr);
  u.noise = (1 - u.momentum) / (1 + u.momentum) * answer.sampled;
  if (system.squares) u.squares = answer.squares / (keep < 1 ? 1 - keep : 1 / (u.time + 1));
  answer = system.filtered->answer(u, nullptr);
  const bool means = answer.fresh_of_mean.size() > 0;
  return {u.weight * (u.fresh * (means ? answer.fresh_of_mean : answer.fresh) +
                      u.share * (means ? answer.held_of_mean : answer.held)),
          answer.power * u.multiplicity};
}

ModeRates system_rates(const Experiment& experiment, double risk) {
  const ModeSystem system = mode_system(experiment, Grids::listed);
  const bool any_signal = system.filtered && experiment.signal == Signal::full;
  const Rates rates = any_signal ? any_signal_rates(system, risk) : system.steady_rates(0, 0, risk);
  ArrayXXd nodes;  // h if the modes are those of the covariances
  if (experiment.is_matrix()) {
    const MatrixProblem& problem = experiment.matrix();
    nodes = problem.covariance_out.spectrum.value.matrix() *
            problem.covariance_in.spectrum.value.matrix().transpose();
  } else {
    nodes = experiment.vector().covariance.spectrum.value.transpose();
  }
  ModeRates result;
  // As in trust(): of one eigenvalue on both sides Delta has directions of its own.
  result.any_signal = any_signal && system.modes() > 1;
  result.warnings = system.warnings;
  result.noise = noise_memory(system, 0, risk);
  result.on_nodes = !any_signal && nodes.size() == system.modes() &&
                    ((nodes.reshaped() - system.weight).abs() <= 1e-9 * nodes.reshaped()).all();
  result.orthonormal =
      result.on_nodes ||
      (any_signal && (experiment.is_matrix() ||
                      experiment.vector().covariance.orientation != Orientation::given));
  std::vector<Index> order(static_cast<std::size_t>(system.modes()));
  std::iota(order.begin(), order.end(), Index{0});
  if (!result.on_nodes)
    std::stable_sort(order.begin(), order.end(),
                     [&](Index i, Index j) { return system.weight[i] > system.weight[j]; });
  const Index rows = result.on_nodes ? nodes.rows() : 1;
  const auto shaped = [&](const ArrayXd& values) {
    return ArrayXXd(values(order).reshaped(rows, values.size() / rows));
  };
  result.weight = shaped(system.weight);
  result.multiplicity =
      shaped(system.multiplicity.size() > 0 ? system.multiplicity : ArrayXd::Ones(system.modes()));
  result.drift = shaped(rates.drift);
  result.diffusion =
      shaped(rates.diffusion) / result.multiplicity.max(std::numeric_limits<double>::min());
  result.exponent.out = result.exponent.in = ArrayXXd::Constant(rows, result.weight.cols(), NAN);
  // Else a is no function of h.
  if (any_signal && !(result.orthonormal && std::min(nodes.rows(), nodes.cols()) == 1))
    return result;
  for (Index i = 0; i < rows; ++i)
    result.exponent.in.row(i) = log_slopes(result.weight.row(i), result.drift.row(i));
  for (Index j = 0; j < result.weight.cols(); ++j)
    result.exponent.out.col(j) = log_slopes(result.weight.col(j), result.drift.col(j));
  return result;
}

ArrayXd positive_count(const Spectrum& spectrum) {
  return (spectrum.value > 0).select(spectrum.multiplicity, 0.0);
}

/// Node of the quantile `share` of the positive eigenvalues, by count from the largest.
Index quantile(const Spectrum& spectrum, double share) {
  const ArrayXd count = positive_count(spectrum);
  const double wanted = share * count.sum();
  double sum = 0;
  for (Index k = 0; k < spectrum.size(); ++k)
    if ((sum += count[k]) >= wanted) return k;
  return spectrum.size() - 1;
}

Index positive(const Spectrum& spectrum) {
  return (spectrum.value > 0).count();
}

/// Each node of one side with the node of the other at `other_share(quantile of the node)`.
template <class Share>
Modes line(const MatrixProblem& problem, bool in, Share&& other_share) {
  const Spectrum& side = (in ? problem.covariance_in : problem.covariance_out).spectrum;
  const Spectrum& other = (in ? problem.covariance_out : problem.covariance_in).spectrum;
  const ArrayXd count = positive_count(side);
  Modes modes;
  double before = 0;
  for (Index k = 0; k < positive(side); ++k) {
    const Index at = quantile(other, other_share((before + 0.5 * count[k]) / count.sum()));
    before += count[k];
    modes.emplace_back(in ? at : k, in ? k : at);
  }
  return modes;
}

/// log x where the exponent passes 3/4 within (low, high), given at both ends.
template <class Exponent>
double crossing(Exponent&& exponent, double low, double high, double at_low, double at_high) {
  boost::uintmax_t most = 60;
  const auto inside = boost::math::tools::toms748_solve(
      [&](double x) { return exponent(x) - kCrossoverExponent; }, low, high,
      at_low - kCrossoverExponent, at_high - kCrossoverExponent,
      [](double a, double b) { return std::abs(a - b) < 1e-3; }, most);
  return 0.5 * (inside.first + inside.second);
}

bool passes(double one, double two) {
  return (one <= kCrossoverExponent) != (two <= kCrossoverExponent) && std::isfinite(one + two);
}

}  // namespace

Exponents preconditioning(const SpectralCoefficients& c, const ArrayXd& sigma,
                          const ArrayXd& lambda) {
  Exponents e;
  if (c.log_a.size() == 0) {  // f(g) = g
    e.out = e.in = ArrayXXd::Ones(sigma.size(), lambda.size());
  } else {
    // a = sum_k (w a b)_k sigma lambda/((1 + a sigma)(1 + b lambda)): the factor sigma lambda
    // drops out.
    const ArrayXXd left = unsaturated(c.log_a, sigma), right = unsaturated(c.log_b, lambda);
    const auto weight = (c.drift_weight * (c.log_a + c.log_b).exp()).matrix().asDiagonal();
    const MatrixXd weighted = left.matrix() * weight, mean = weighted * right.matrix().transpose();
    const MatrixXd again = left.square().matrix() * weight;
    e.in = (weighted * right.square().matrix().transpose()).array() / mean.array();
    e.out = (again * right.matrix().transpose()).array() / mean.array();
  }
  for (ArrayXXd* part : {&e.out, &e.in}) {
    for (Index i = 0; i < sigma.size(); ++i)
      if (!(sigma[i] > 0)) part->row(i) = NAN;
    for (Index j = 0; j < lambda.size(); ++j)
      if (!(lambda[j] > 0)) part->col(j) = NAN;
  }
  return e;
}

double ModeRates::squared_update() const {
  return orthonormal ? (multiplicity * diffusion).sum() : NAN;
}

ModeRates mode_rates(const Experiment& experiment, double risk) {
  check_risk(risk);
  const auto spectral = spectral_of(experiment);
  ModeRates rates = spectral && experiment.signal != Signal::full
                        ? spectral_rates(experiment.matrix(), *spectral, risk)
                        : system_rates(experiment, risk);
  rates.risk = risk;
  return rates;
}

bool runs_along_in(const MatrixProblem& problem) {
  return positive(problem.covariance_in.spectrum) > 1 ||
         positive(problem.covariance_out.spectrum) == 1;
}

Modes modes_along(const MatrixProblem& problem, bool in) {
  return line(problem, in, [](double) { return 0.5; });
}

Modes modes_on_diagonal(const MatrixProblem& problem, bool in) {
  return line(problem, in, [](double share) { return share; });
}

ArrayXd batches_around(const MatrixProblem& problem, int batch) {
  const double n = std::min(problem.covariance_out.dimension(), problem.covariance_in.dimension());
  std::set<double> batches{static_cast<double>(batch)};
  for (const double ratio : {0.25, 1.0, 4.0, 16.0})
    batches.insert(std::max(1.0, std::round(ratio * n)));
  ArrayXd list(static_cast<Index>(batches.size()));
  std::copy(batches.begin(), batches.end(), list.begin());
  return list;
}

BatchScan scan_batches(const MatrixProblem& problem, const SpectralFunction& f, double risk,
                       const ArrayXd& batches) {
  check_risk(risk);
  for (Index b = 0; b < batches.size(); ++b)
    if (!(batches[b] > (b ? batches[b - 1] : 0.0)))
      throw InputError("batches", batches[b], "positive, increasing numbers");
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const bool along_in = runs_along_in(problem);
  const Spectrum& side = along_in ? in : out;
  const Index n = positive(side);
  BatchScan scan;
  scan.batch = batches;
  scan.eigenvalue = side.value.head(n);
  scan.median = quantile(side, 0.5);
  const double sigma = out.value[quantile(out, 0.5)], lambda = in.value[quantile(in, 0.5)];
  const ArrayXd count = side.multiplicity.head(n);
  const auto one = [](double x) { return ArrayXd::Constant(1, x); };

  // Empty where c is infinite.
  const auto coefficients = [&](double batch) -> std::optional<SpectralCoefficients> {
    SpectralRates rates(ResolventCurve(out, in, batch), f, problem.noise, 1e-6);
    try {
      return rates.at(risk);
    } catch (const InputError&) {
      return {};
    }
  };
  const auto along = [&](const SpectralCoefficients& c, const ArrayXd& x) -> ArrayXd {
    return along_in ? ArrayXd(preconditioning(c, one(sigma), x).in.row(0))
                    : ArrayXd(preconditioning(c, x, one(lambda)).out.col(0));
  };

  scan.exponent = ArrayXXd::Constant(n, batches.size(), NAN);
  scan.crossover = scan.preconditioned = ArrayXd::Constant(batches.size(), NAN);
  for (Index b = 0; b < batches.size(); ++b) {
    const auto c = coefficients(batches[b]);
    if (!c) continue;
    const ArrayXd e = along(*c, scan.eigenvalue);
    scan.exponent.col(b) = e;
    scan.preconditioned[b] = (e <= kCrossoverExponent).select(count, 0.0).sum() / count.sum();
    for (Index k = 0; k + 1 < n; ++k)
      if (passes(e[k], e[k + 1])) {
        scan.crossover[b] = std::exp(crossing(
            [&](double x) { return along(*c, one(std::exp(x)))[0]; },
            std::log(scan.eigenvalue[k + 1]), std::log(scan.eigenvalue[k]), e[k + 1], e[k]));
        break;
      }
  }

  scan.crossover_batch = NAN;
  for (Index b = 0; b + 1 < batches.size(); ++b) {
    const double low = scan.exponent(scan.median, b), high = scan.exponent(scan.median, b + 1);
    if (!passes(low, high)) continue;
    const auto exponent = [&](double log_batch) {
      const auto c = coefficients(std::exp(log_batch));
      return c ? along(*c, one(scan.eigenvalue[scan.median]))[0] : NAN;
    };
    scan.crossover_batch =
        std::exp(crossing(exponent, std::log(batches[b]), std::log(batches[b + 1]), low, high));
    break;
  }
  return scan;
}

}  // namespace riskcurve
