// From the numbers of a fit to its problem, and from that to the curves that are compared.
#include <algorithm>
#include <cmath>

#include "analysis/fit_parts.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// Nodes of 1..d for a real d: a curve that a fit follows must not jump where d passes a whole
/// number. 1e-6 of the sums that a curve is made of.
IndexRule nodes_of_real(double dimension) {
  const double whole = std::floor(dimension);
  IndexRule rule = index_panels(whole, 8, 4, 5);
  const Index n = rule.index.size();
  rule.index.conservativeResize(n + 1);
  rule.weight.conservativeResize(n + 1);
  rule.index[n] = whole + 1;
  rule.weight[n] = dimension - whole;
  return rule;
}

/// The step size must not change by more than a twentieth of its peak from one piece to the next.
std::vector<double> pieces(const Schedule& schedule, const ArrayXd& step) {
  std::vector<double> knots{0};
  for (const double k : schedule.breaks)
    if (k < step[step.size() - 1]) knots.push_back(k);
  if (schedule.warmup > 0) knots.push_back(schedule.warmup);
  knots.insert(knots.end(), step.begin(), step.end());
  std::sort(knots.begin(), knots.end());
  double peak = 0;
  for (const double k : knots) peak = std::max(peak, schedule(k));
  std::vector<double> fine{0};
  for (const double end : knots) {
    const double start = fine.back();
    if (end <= start || end > step[step.size() - 1]) continue;
    const double inside = 1e-9 * (end - start);
    const double change = std::abs(schedule(end - inside) - schedule(start + inside));
    const int parts = 1 + static_cast<int>(std::min(40.0, 20 * change / peak));
    for (int i = 1; i <= parts; ++i) fine.push_back(start + (end - start) * i / parts);
  }
  return fine;
}

}  // namespace

VectorProblem problem_of(const FitValues& values, FitModel model) {
  const IndexRule rule = nodes_of_real(values.dimension);
  const Index n = rule.index.size(), spikes = values.spike_share > 0;
  Spectrum spectrum{ArrayXd(n + spikes), ArrayXd(n + spikes), ArrayXd(n + spikes), {}};
  const ArrayXd falling = rule.index.pow(-2 * values.alpha);
  const ArrayXd squares = rule.weight * rule.index.pow(-2 * values.beta);
  spectrum.value.tail(n) = values.scale * falling;
  spectrum.multiplicity.tail(n) = rule.weight;
  spectrum.first.tail(n) = rule.index + static_cast<double>(spikes);
  VectorProblem problem;
  problem.initial.resize(n + spikes);
  problem.initial.tail(n) = squares * 2 * values.risk * (1 - values.spike_share) /
                            (values.scale * (falling * squares).sum());
  if (spikes) {
    spectrum.value[0] = values.scale * values.spike_rate;
    spectrum.multiplicity[0] = spectrum.first[0] = 1;
    problem.initial[0] = 2 * values.risk * values.spike_share / spectrum.value[0];
  }
  spectrum.last = spectrum.first;
  // nu copies of each direction answer to noise nu times as strong.
  const bool logs = model == FitModel::logs;
  const double power = logs ? kDominant * values.risk : values.floor;
  spectrum.multiplicity *= logs ? values.noise / power : values.noise;
  problem.covariance = from_spectrum(spectrum);
  problem.noise = power > 0 ? gaussian_noise(std::sqrt(2 * power)) : no_noise();
  problem.target = GivenTarget{};
  return problem;
}

Experiment experiment_of(const FitValues& values, FitModel model, const LossCurve& curve) {
  Experiment experiment;
  experiment.problem = problem_of(values, model);
  experiment.optimizer = curve.optimizer;
  experiment.chain = curve.chain;
  experiment.schedule = curve.schedule;
  experiment.signal = Signal::small;
  if (curve.step.size() > 0) experiment.run = run_for(curve.step[curve.step.size() - 1]);
  return experiment;
}

LinearCurves linear_curves(const FitValues& values, const BinnedCurve& curve, double power) {
  FitValues unit = values;
  unit.risk = 1;
  unit.floor = power;
  unit.noise = 1;
  const ModeSystem system =
      mode_system(experiment_of(unit, FitModel::least_squares, curve.trained));
  const Schedule& schedule = curve.trained.schedule;
  const Rates rates = system.steady_rates(0, schedule(0), 1e-6 * power);
  const ArrayXd source = 0.5 * system.weight * rates.diffusion;
  ArrayXd drift = 0.5 * system.weight * system.initial, noise = ArrayXd::Zero(drift.size());
  const Index count = curve.step.size();
  LinearCurves curves{ArrayXd(count), ArrayXd(count)};
  const std::vector<double> time = pieces(schedule, curve.step);
  Index next = 0;
  for (; next < count && curve.step[next] <= 0; ++next) {
    curves.drift[next] = drift.sum();
    curves.noise[next] = 0;
  }
  ArrayXd kept(drift.size());
  double last = -1;
  for (std::size_t i = 1; i < time.size(); ++i) {
    const double length = time[i] - time[i - 1], gamma = schedule(0.5 * (time[i] + time[i - 1]));
    if (gamma * length != last) kept = (-2 * (last = gamma * length) * rates.drift).exp();
    // The balance gamma c/(2a), where there is one.
    const double small = 1e-12;
    noise = kept * noise + (rates.drift * last > small)
                               .select(0.5 * gamma * source * (1 - kept) / rates.drift.max(1e-300),
                                       gamma * last * source);
    drift *= kept;
    for (; next < count && curve.step[next] <= time[i]; ++next) {
      curves.drift[next] = drift.sum();
      curves.noise[next] = noise.sum();
    }
  }
  curves.noise /= power;
  return curves;
}

ModeSystem slow_system(const ModeSystem& system) {
  if (!system.blocks && !system.squares) return system;
  const Index before = system.blocks ? system.blocks->before : 0;
  const double gain = system.blocks ? system.blocks->amplification : 1;
  ModeSystem slow = system;
  slow.blocks.reset();
  slow.squares.reset();
  slow.directions.reset();
  slow.observable.clear();
  // Noise before the map answers to a as the error does.
  slow.diffusion.leftCols(before).colwise() *= system.drift.col(0).square();
  slow.response = [system, before, gain](const Now& now) {
    Response factors = system.steady_response(system.steady(now.time, now.gamma, now.risk));
    factors.diffusion.head(before) *= std::pow(factors.drift[0], 2);
    factors.drift *= gain;
    factors.diffusion *= gain * gain;
    return factors;
  };
  return slow;
}

ArrayXd fitted_loss(const FitValues& values, FitModel model, const BinnedCurve& curve) {
  if (model == FitModel::logs) {
    const LinearCurves linear = linear_curves(values, curve, kDominant * values.risk);
    return values.floor + values.risk * linear.drift + values.noise * linear.noise;
  }
  ModeSystem system = mode_system(experiment_of(values, model, curve.trained));
  if (curve.slow) system = slow_system(system);
  SolveOptions options;
  options.rtol = 1e-6;
  options.max_steps = 600;
  if (curve.stepped) options.method = Method::recursion;
  const RiskCurve found = solve(system, curve.trained.schedule, curve.step, options);
  ArrayXd loss = ArrayXd::Constant(curve.step.size(), NAN);
  loss.head(found.risk.size()) = values.floor + found.risk;
  return loss;
}

}  // namespace riskcurve
