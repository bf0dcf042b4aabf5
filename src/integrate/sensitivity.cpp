#include "riskcurve/integrate/sensitivity.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "integrate/propagator.hpp"
#include "integrate/recursion.hpp"
#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

/// The scalars of a panel at its nodes.
struct Scalars {
  StepNodes time, gamma, risk;
  Eigen::ArrayXXd drift, drift_slope;          // g_q and dg_q/dR, shape (Q, 5)
  Eigen::ArrayXXd diffusion, diffusion_slope;  // n_r and dn_r/dR, shape (N, 5)
};

Scalars scalars_of(const ModeSystem& system, const Schedule& step, const Panel& panel) {
  Scalars now;
  now.drift.resize(system.drift.cols(), kStepNodes);
  now.drift_slope = now.drift;
  now.diffusion.resize(system.diffusion.cols(), kStepNodes);
  now.diffusion_slope = now.diffusion;
  for (int j = 0; j < kStepNodes; ++j) {
    // Inside the panel: a break of the schedule may stand at its end.
    const double end = (panel.start + panel.length) * (1 - 4e-16);
    const double t = std::min(panel.start + step_basis().node[j] * panel.length, end);
    const double risk = system.risk(panel.modes.col(j));
    const double gamma = step(t);
    const auto at = [&](double shift) {
      return system.response(Now{t, gamma, risk * std::exp(shift)});
    };
    const double d = 2e-3;
    const Response r = at(0), up = at(d), down = at(-d), far_up = at(2 * d), far_down = at(-2 * d);
    const auto slope = [&](auto part) -> Eigen::ArrayXd {
      return (8 * (up.*part - down.*part) - (far_up.*part - far_down.*part)) / (12 * d * risk);
    };
    now.time[j] = t;
    now.gamma[j] = gamma;
    now.risk[j] = risk;
    now.drift.col(j) = r.drift;
    now.drift_slope.col(j) = slope(&Response::drift);
    now.diffusion.col(j) = r.diffusion;
    now.diffusion_slope.col(j) = slope(&Response::diffusion);
  }
  return now;
}

/// p of a block of modes at the nodes of one panel, counted backwards from its end, as
/// decay * p(end) + gain * (spread nu) with nu = mu/gamma at the nodes: p relaxes in reversed time
/// as s does forwards.
struct Relaxation {
  std::array<Block, kStepNodes> decay;  // one a node
  std::array<std::array<Block, kStepNodes>, kStepNodes>
      gain;  // [of p at a node][by a row of spread nu]

  Relaxation() {  // at the end of a panel, where a sweep starts, p is what it was
    decay.fill(Block::Ones());
    for (auto& node : gain) node.fill(Block::Zero());
  }
};

/// half_weight: h_k/2. What spreads nu is the identity.
void relax(const BlockClock& clock, const Block& half_weight, Relaxation& modes) {
  const BlockMonomials monomials(clock.fraction);
  std::array<BlockNodes, kStepNodes> cardinal;
  for (std::size_t l = 0; l < kStepNodes; ++l)
    cardinal[l] = monomials.cardinal(static_cast<int>(l));
  for (std::size_t i = 1; i < kStepNodes; ++i) {
    const Block u = clock.fraction.col(static_cast<int>(i));
    const ScalarPropagator over(2 * clock.total * u);
    modes.decay[i] = over.decay;
    for (std::size_t l = 0; l < kStepNodes; ++l)
      modes.gain[i][l] =
          half_weight * clock.per.col(static_cast<int>(l)) * over.gain(cardinal[l], u);
  }
}

/// Of modes that one clock drives, scaled by `rate`: nu is spread over powers of its fraction.
void relax(const ScalarClock& clock, const Block& rate, const Block& half_weight,
           Relaxation& modes) {
  for (std::size_t i = 1; i < kStepNodes; ++i) {
    const ScalarPropagator over(2 * clock.total * clock.fraction[static_cast<int>(i)] * rate);
    modes.decay[i] = over.decay;
    for (std::size_t m = 0; m < kStepNodes; ++m)
      modes.gain[i][m] = half_weight * over.moment.col(static_cast<int>(m));
  }
}
/// What spreads nu then, at each node: its polynomial over the panel, in powers of the fraction so
/// far.
std::array<StepMatrix, kStepNodes> powers(const ScalarClock& clock) {
  const StepMatrix in_powers = cardinal(clock.fraction) * clock.per.matrix().asDiagonal();
  std::array<StepMatrix, kStepNodes> spread;
  for (int i = 0; i < kStepNodes; ++i) {
    double power = 1;
    for (int m = 0; m < kStepNodes; ++m)
      spread[static_cast<std::size_t>(i)].row(m) = (power *= clock.fraction[i]) * in_powers.row(m);
  }
  return spread;
}

/// Carries p back over a panel, with a at its nodes; p there in increasing time. `blocks` is room
/// to work in, one for kBlock modes.
Eigen::ArrayXXd sweep(const ModeSystem& system, const Panel& panel, const Scalars& now,
                      const Eigen::ArrayXXd& rate, Eigen::ArrayXd& p,
                      std::vector<Relaxation>& blocks) {
  const Eigen::Index modes = system.modes();
  // What the risk's change does to ds_k/dt, over gamma.
  Eigen::ArrayXXd pull = -2 * panel.modes * combined(system.drift, now.drift_slope);
  pull += combined(system.diffusion, now.diffusion_slope).rowwise() * now.gamma.transpose();
  const StepNodes gamma = now.gamma.reverse();
  const bool one_clock = system.drift.cols() == 1 && now.drift.minCoeff() > 0;
  ScalarClock shared{};
  std::array<StepMatrix, kStepNodes> spread;
  spread.fill(StepMatrix::Identity());
  if (one_clock) {
    shared = scalar_clock(gamma, now.drift.row(0).transpose().reverse(), panel.length);
    spread = powers(shared);
  }
  StepMatrix coupling = StepMatrix::Zero();
  StepNodes known = StepNodes::Zero();
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    Relaxation& r = blocks[static_cast<std::size_t>(first / kBlock)];
    const Block half_weight = 0.5 * load(system.weight, first);
    if (one_clock) {
      relax(shared, load(system.drift.col(0), first), half_weight, r);
    } else {
      BlockNodes backwards;
      for (int j = 0; j < kStepNodes; ++j)
        backwards.col(kStepNodes - 1 - j) = load(rate.col(j), first);
      relax(block_clock(gamma, backwards, panel.length), half_weight, r);
    }
    const Block end = load(p, first);
    for (std::size_t i = 0; i < kStepNodes; ++i) {
      const auto row = static_cast<int>(i);
      const Block w = load(pull.col(kStepNodes - 1 - row), first);
      known[row] += (w * r.decay[i] * end).sum();
      for (std::size_t l = 0; l < kStepNodes; ++l)
        coupling(row, static_cast<int>(l)) += (w * r.gain[i][l]).sum();
    }
  }
  for (int i = 0; i < kStepNodes; ++i)
    coupling.row(i) = (coupling.row(i) * spread[static_cast<std::size_t>(i)]).eval();
  const Eigen::Matrix<double, kStepNodes, 1> nu =
      (StepMatrix::Identity() - coupling).partialPivLu().solve(known.matrix());
  std::array<StepNodes, kStepNodes> source;
  for (std::size_t i = 0; i < kStepNodes; ++i) source[i] = (spread[i] * nu).array();
  Eigen::ArrayXXd at_nodes(modes, kStepNodes);
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    const Relaxation& r = blocks[static_cast<std::size_t>(first / kBlock)];
    const Eigen::Index count = std::min<Eigen::Index>(kBlock, modes - first);
    const Block end = load(p, first);
    for (std::size_t i = 0; i < kStepNodes; ++i) {
      Block back = r.decay[i] * end;
      for (std::size_t l = 0; l < kStepNodes; ++l)
        back += r.gain[i][l] * source[i][static_cast<int>(l)];
      at_nodes.col(kStepNodes - 1 - static_cast<int>(i)).segment(first, count) = back.head(count);
      if (i == kStepNodes - 1) store(back, first, p);
    }
  }
  return at_nodes;
}

double fastest_rate(const ModeSystem& system, double t, double gamma, double risk) {
  return 2 * gamma * system.rates(Now{t, gamma, risk}).drift.maxCoeff();
}

/// Geometric panels at either end, down to the memory of the fastest mode: as long as five nodes
/// resolve powers of the time to either end, to a hundredth of rtol in sums over a panel.
std::vector<double> graded(double horizon, double rate_at_start, double rate_at_end, double rtol) {
  const double ellipse = std::max(std::pow(0.01 * rtol, -1.0 / 8), 2.0);
  const double ratio = std::min(std::pow((ellipse - 1) / (ellipse + 1), 2), 0.75);
  std::vector<double> stops;
  for (double part = 0.5 * horizon; part > 1e-12 * horizon; part *= ratio) {
    if (part * rate_at_start > 0.05) stops.push_back(part);
    if (part * rate_at_end > 0.05 && part < 0.5 * horizon) stops.push_back(horizon - part);
  }
  std::sort(stops.begin(), stops.end());
  return stops;
}

}  // namespace

Sensitivity sensitivity(const ModeSystem& system, const Schedule& step, double horizon,
                        SolveOptions options) {
  if (system.filtered)
    throw InputError("sensitivity", "of " + system.optimizer + " at any size of the signal",
                     "a system whose rates know no past");
  if (system.blocks || options.method == Method::recursion)
    return sensitivity_of_recursion(system, step, horizon, options);
  if (system.extra_initial.size() > 0)
    throw InputError("sensitivity", "a mode system with extra states", "one without");
  Sensitivity result;
  const double end = horizon * (1 - 4e-16), start_risk = system.risk(system.initial);
  const double at_start = start_risk > 0 ? fastest_rate(system, 0, step(0), start_risk) : 0;
  // Rates grow as the risk falls, under SignSGD as 1/sqrt(R).
  const double at_end = std::max(fastest_rate(system, end, step(end), start_risk),
                                 fastest_rate(system, end, step(end), 1e-4 * start_risk));
  if (options.stops.empty()) options.stops = graded(horizon, at_start, at_end, options.rtol);
  options.keep_panels = true;
  result.curve = solve(system, step, Eigen::ArrayXd::Constant(1, horizon), options);
  if (result.curve.status != RiskCurve::Status::ok) return result;
  const std::vector<Panel>& panels = result.curve.panels;

  const auto count = static_cast<Eigen::Index>(panels.size());
  for (Eigen::ArrayXd* values :
       {&result.time, &result.step, &result.weight, &result.gradient, &result.curvature,
        &result.progress, &result.injected, &result.greedy, &result.risk_at})
    values->resize(kStepNodes * count);
  Eigen::ArrayXd share;  // 1/m, and 0 for modes that stand for no direction
  if (system.multiplicity.size() > 0) {
    share = (system.multiplicity > 0).select(1 / system.multiplicity, 0.0);
    result.scatter.resize(kStepNodes * count);
  }
  Eigen::ArrayXd p = 0.5 * system.weight;
  if (count > 0)
    result.risk = system.risk(panels.back().modes.col(kStepNodes - 1));  // else it stays 0
  const double unit = result.unit = power_of_two(result.risk);
  std::vector<Relaxation> blocks(static_cast<std::size_t>(system.modes() / kBlock + 1));
  for (Eigen::Index i = count - 1; i >= 0; --i) {
    const Panel& panel = panels[static_cast<std::size_t>(i)];
    const Scalars now = scalars_of(system, step, panel);
    const Eigen::ArrayXXd a = combined(system.drift, now.drift),
                          c = combined(system.diffusion, now.diffusion);
    const Eigen::ArrayXXd back = sweep(system, panel, now, a, p, blocks);
    const auto sum = [](const auto& terms) -> StepNodes { return terms.colwise().sum(); };
    const StepNodes noise = sum(back * c);
    const auto weighted = [&](const Eigen::ArrayXXd& terms) -> StepNodes {
      return (system.weight.matrix().transpose() * terms.matrix()).array();
    };
    const StepNodes descent = weighted(a * panel.modes), injected = weighted(c);
    const auto put = [&](Eigen::ArrayXd& values, const StepNodes& here) {
      values.segment(kStepNodes * i, kStepNodes) = here;
    };
    put(result.time, now.time);
    put(result.step, now.gamma);
    put(result.weight,
        panel.length * step_basis().integrate.row(kStepNodes - 1).transpose().array());
    const StepNodes progress = sum(back * a * panel.modes);
    put(result.gradient, -2 * progress + 2 * now.gamma * noise);
    put(result.curvature, 2 * noise);
    put(result.progress, progress);
    put(result.injected, noise);
    put(result.risk_at, now.risk);
    if (share.size() > 0)
      put(result.scatter,
          4 * sum((back.square() * (panel.modes / unit) * (c / unit)).colwise() * share));
    put(result.greedy, descent / injected);
    if (i == count - 1)
      result.rate =
          -now.gamma[kStepNodes - 1] * descent[kStepNodes - 1] +
          0.5 * now.gamma[kStepNodes - 1] * now.gamma[kStepNodes - 1] * injected[kStepNodes - 1];
  }
  result.initial = p;
  return result;
}

}  // namespace riskcurve
