#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "analysis/rest.hpp"
#include "dynamics/few_nodes.hpp"
#include "dynamics/signal.hpp"
#include "power_of_two.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

namespace {

struct Broken {
  const char* number;
  std::string line;
};

std::vector<Broken> broken(const Trust& trust) {
  std::vector<Broken> found;
  if (trust.intrinsic_dimension < kTrustedIntrinsicDimension) {
    const double out = trust.intrinsic_dimension_out, in = trust.intrinsic_dimension_in;
    const char* side = out < in ? " of the output side" : (in < out ? " of the input side" : "");
    found.push_back(
        {"intrinsic_dimension",
         fmt::format("intrinsic dimension tr K/||K||{} = {:.3g} is below {:g}: runs will scatter "
                     "around the curve",
                     side, trust.intrinsic_dimension, kTrustedIntrinsicDimension)});
  }
  if (trust.participation > 0 && trust.participation < kTrustedParticipation)
    found.push_back(
        {"participation",
         fmt::format("only {:.3g} directions share the initial risk (participation ratio, below "
                     "{:g}): runs will scatter around the curve",
                     trust.participation, kTrustedParticipation)});
  if (trust.step_rate > kTrustedStepRate)
    found.push_back({"step_rate",
                     fmt::format("the fastest mode decays at rate {:.3g} a step, above {:g}: steps "
                                 "are too large for a continuous-time limit",
                                 trust.step_rate, kTrustedStepRate)});
  if (trust.signal > kTrustedSignal && !trust.any_signal)
    found.push_back(
        {"signal", fmt::format("the signal ||K_out Delta K_in|| is {:.3g} times the sampling noise "
                               "of the gradient in operator norm, above {:g}: batch too large or "
                               "target of too low rank; runs decay more slowly than the curve",
                               trust.signal, kTrustedSignal)});
  if (trust.rank > 0 && trust.rank < kTrustedRank && !trust.any_signal)
    found.push_back(
        {"rank", fmt::format("the initial risk has only {:.3g} singular directions (effective "
                             "rank, below {:g}): residuals are not Gaussian, and runs part from "
                             "the curve",
                             trust.rank, kTrustedRank)});
  if (trust.filtered_signal > kTrustedFilteredSignal)
    found.push_back(
        {"filtered_signal",
         trust.any_signal
             ? fmt::format("the signal in the gradient has {:.3g} times the power of its noise "
                           "once the risk has halved, above {:g}: signs are the same step after "
                           "step, and runs fall 5 to 35 % later than the curve",
                           trust.filtered_signal, kTrustedFilteredSignal)
             : fmt::format("the signal in the filtered gradient has {:.3g} times the power of its "
                           "noise, above {:g}: batch too large or memory too long for the small "
                           "signals that the sign is linearised for",
                           trust.filtered_signal, kTrustedFilteredSignal)});
  return found;
}

/// The largest step_rate along the curve, which may hold many more points than the system modes:
/// the modes of largest rate are looked for only where the bound by each product alone allows it.
double largest_step_rate(const Schedule& schedule, const ModeSystem& system,
                         const RiskCurve& curve) {
  if (system.extra_initial.size() > 0 || system.blocks) return NAN;
  const Eigen::ArrayXd high = system.drift.colwise().maxCoeff(),
                       low = system.drift.colwise().minCoeff();
  double largest = 0;
  for (Eigen::Index i = 0; i < curve.risk.size(); ++i) {
    if (!(curve.risk[i] > 0)) continue;
    const double step = schedule(curve.steps[i]);
    const Eigen::ArrayXd g = system.response(Now{curve.steps[i], step, curve.risk[i]}).drift;
    const double bound = step * (g * (g >= 0).select(high, low)).sum();
    if (g.size() == 1)
      largest = std::max(largest, bound);
    else if (!(bound * (1 + 1e-12) <= largest))
      largest = std::max(largest, step * (system.drift.matrix() * g.matrix()).maxCoeff());
  }
  return largest;
}

/// Power of the signal in a filtered gradient over that of its noise, R taking all modes with it;
/// of rates for any signal the same of the gradient, as it is, once R has halved.
double largest_filtered_signal(const ModeSystem& system, const RiskCurve& curve) {
  if (const auto seen = curve.observable.find("signal_power"); seen != curve.observable.end()) {
    double largest = 0;
    for (Eigen::Index i = 0; i < curve.risk.size(); ++i)
      if (curve.risk[i] < 0.5 * system.risk(system.initial))
        largest = std::max(largest, seen->second[i]);
    return largest;
  }
  if (!system.blocks || !(system.blocks->filtered_total > 0) || system.directions ||
      system.squares || system.filtered)
    return 0;
  const Blocks& blocks = *system.blocks;
  const double start = system.risk(system.initial);
  const double signal =
      (system.drift.col(0) * system.weight * system.initial).sum() / blocks.filtered_total / start;
  double largest = 0;
  for (Eigen::Index i = 0; i < curve.risk.size(); ++i) {
    if (!(curve.risk[i] > 0)) continue;
    const Now now = system.steady(curve.steps[i], 0, curve.risk[i]);
    const double r = blocks.step(blocks.at(curve.steps[i], 0)).read[0];
    const double noise = now.filtered + r * r * system.response(now).diffusion[0];
    largest = std::max(largest, signal * curve.risk[i] / noise);
  }
  return largest;
}

/// Of the initial risk, twice what one direction has, at most.
double largest_share(const ModeSystem& system) {
  const Eigen::ArrayXd& count = system.multiplicity;
  return (count > 0).select(system.weight * system.initial / count, 0.0).maxCoeff();
}

/// What the recursion carries of updates over a root (Trust::root_rate and the two after it).
/// `largest`: as largest_share.
void add_root(const ModeSystem& system, double largest, const Schedule& schedule,
              const RiskCurve& curve, Trust& trust) {
  const RootOfSquares& root = *system.squares;
  const double start = system.risk(system.initial), fastest = system.drift.col(0).maxCoeff();
  trust.root_rate = trust.root_signal = 0;
  double before = NAN, at_before = 0;
  for (Eigen::Index i = 0; i < curve.risk.size(); ++i) {
    const double t = curve.steps[i], risk = curve.risk[i], gamma = schedule(t);
    if (!(risk > 0)) continue;
    const Now now = system.steady(t, gamma, risk);
    const double noise = root.power(now),
                 momentum = system.blocks ? system.blocks->at(t, gamma).momentum : 0;
    const double rate = gamma * fastest * system.steady_response(now).drift[0] / (1 - momentum);
    trust.root_rate = std::max(trust.root_rate, rate);
    trust.root_signal = std::max(trust.root_signal, largest * risk / start / noise);
    if (root.keep < 1 && before > 0 && t > at_before) {
      const double lag = std::abs(std::log(noise / before)) / ((t - at_before) * (1 - root.keep));
      trust.root_lag = std::isnan(trust.root_lag) ? lag : std::max(trust.root_lag, lag);
    }
    before = noise;
    at_before = t;
  }
}

/// Of a problem's directions one by one.
struct Directions {
  double sharing;  ///< participation
  double largest;  ///< largest_share
};
Directions of_side(const Spectrum& spectrum, const Eigen::ArrayXd& error) {
  return {shared_by(spectrum, error),
          (spectrum.value * error / spectrum.multiplicity.max(1.0)).maxCoeff()};
}

/// Where the system may have merged many of them.
std::optional<Directions> merged_directions(const Experiment& experiment,
                                            const ModeSystem& system) {
  if (system.filtered || experiment.initial_risk() < kVanishedRisk) return {};
  if (!experiment.is_matrix()) {
    const Spectrum& spectrum = experiment.vector().covariance.spectrum;
    if (spectrum.size() <= kManyNodes || system.modes() >= spectrum.size()) return {};
    return of_side(spectrum, experiment.vector().initial);
  }
  const MatrixProblem& problem = experiment.matrix();
  if (problem.initial.size() <= kManyPairs) return {};
  const auto sides = product_of(problem.initial);
  if (!sides) return {};
  const Directions out = of_side(problem.covariance_out.spectrum, sides->rows),
                   in = of_side(problem.covariance_in.spectrum, sides->columns);
  return Directions{out.sharing * in.sharing, out.largest * in.largest};
}

}  // namespace

double participation(const ModeSystem& system) {
  // A mode of multiplicity m holds m directions with a share s/m each.
  if (system.risk(system.initial) < kVanishedRisk) return NAN;
  Eigen::ArrayXd share = system.weight * system.initial;
  share /= power_of_two(share.maxCoeff());
  const double total = share.sum();
  double squares = 0;
  for (Eigen::Index k = 0; k < std::min(share.size(), system.multiplicity.size()); ++k)
    if (share[k] > 0) squares += share[k] * share[k] / std::max(1.0, system.multiplicity[k]);
  return squares > 0 ? total * total / squares : 0;
}

double step_rate(const ModeSystem& system, double step, double t, double risk) {
  if (system.extra_initial.size() > 0 || system.blocks) return NAN;
  return step * system.rates(Now{t, step, risk}).drift.maxCoeff();
}

namespace {

Trust of_problem(const Experiment& experiment) {
  Trust numbers;
  numbers.participation = numbers.step_rate = NAN;
  if (!experiment.is_matrix()) {
    numbers.intrinsic_dimension = experiment.vector().covariance.spectrum.intrinsic_dimension();
    return numbers;
  }
  const MatrixProblem& problem = experiment.matrix();
  numbers.intrinsic_dimension_out = problem.covariance_out.spectrum.intrinsic_dimension();
  numbers.intrinsic_dimension_in = problem.covariance_in.spectrum.intrinsic_dimension();
  numbers.intrinsic_dimension =
      std::min(numbers.intrinsic_dimension_out, numbers.intrinsic_dimension_in);
  numbers.rank = problem.initial_risk() < kVanishedRisk ? 0 : risk_rank(problem);
  return numbers;
}

}  // namespace

Trust trust(const Experiment& experiment, double risk, bool any_signal) {
  Trust numbers = of_problem(experiment);
  numbers.any_signal = any_signal;
  if (const auto spectral = spectral_of(experiment))
    numbers.signal = signal_ratio(experiment.matrix(), spectral->batch, risk);
  return numbers;
}

Trust trust(const Experiment& experiment, const ModeSystem& system, const RiskCurve& curve) {
  double largest = 0;  // sqrt(R)/||G - E G|| increases with R
  for (const double risk : curve.risk)
    if (std::isfinite(risk)) largest = std::max(largest, risk);
  Trust numbers = of_problem(experiment);
  if (system.signal) numbers.signal = system.signal(largest);
  // Of one eigenvalue on both sides Delta has directions of its own, which columns do not know.
  numbers.any_signal = system.filtered && system.modes() > 1;
  const auto merged = merged_directions(experiment, system);
  numbers.participation = merged ? merged->sharing : participation(system);
  numbers.step_rate = largest_step_rate(experiment.schedule, system, curve);
  numbers.filtered_signal = largest_filtered_signal(system, curve);
  if (system.squares)
    add_root(system, merged ? merged->largest : largest_share(system), experiment.schedule, curve,
             numbers);
  return numbers;
}

Trust trust(Experiment experiment, const ModeSystem& system, double step, double steps) {
  experiment.schedule = constant_schedule(step);
  SolveOptions options;
  options.rtol = 1e-6;  // the numbers are compared with bounds
  return trust(experiment, system,
               solve(compress(system), experiment.schedule, schedule_mesh(steps, 25), options));
}

std::vector<std::string> warnings(const Trust& trust) {
  std::vector<std::string> lines;
  for (const Broken& number : broken(trust)) lines.push_back(number.line);
  return lines;
}

std::string untrusted(const Trust& trust) {
  std::vector<std::string> names;
  for (const Broken& number : broken(trust)) names.emplace_back(number.number);
  return fmt::format("{}", fmt::join(names, " "));
}

double largest_stable_step(const ModeSystem& system) {
  if (system.blocks) return largest_stable_step_of_blocks(system);
  if (system.drift.cols() != 1 || system.diffusion.cols() != 1 || system.extra_initial.size() > 0)
    return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (Eigen::Index k = 0; k < system.modes(); ++k)
    if (system.drift(k, 0) > 0)
      sum += system.weight[k] * system.diffusion(k, 0) / system.drift(k, 0);
  // n/(g R) tends to a constant (SGD) or to zero as R grows.
  const auto pull = [&](double risk) {
    const Response r = system.response(Now{.risk = risk});
    return r.diffusion[0] / (r.drift[0] * risk);
  };
  const double scale = 1 + (std::isfinite(system.noise_variance) ? system.noise_variance : 0.0);
  const double far = pull(1e20 * scale), farther = pull(1e24 * scale);
  if (farther < 0.5 * far) return std::numeric_limits<double>::infinity();
  return 4 / (farther * sum);
}

}  // namespace riskcurve
