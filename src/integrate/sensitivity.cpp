#include "riskcurve/integrate/sensitivity.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "integrate/propagator.hpp"
#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr int kN = kStepNodes;

/// The scalars of a panel at its nodes.
struct Scalars {
  StepNodes time, gamma, risk;
  Eigen::ArrayXXd drift, drift_slope;          // g_q and dg_q/dR, shape (Q, 5)
  Eigen::ArrayXXd diffusion, diffusion_slope;  // n_r and dn_r/dR, shape (N, 5)
};

Scalars scalars_of(const ModeSystem& system, const Schedule& step, const Panel& panel) {
  Scalars now;
  now.drift.resize(system.drift.cols(), kN);
  now.drift_slope = now.drift;
  now.diffusion.resize(system.diffusion.cols(), kN);
  now.diffusion_slope = now.diffusion;
  for (int j = 0; j < kN; ++j) {
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
/// decay * p(end) + source * nu with nu = mu/gamma at the nodes: p relaxes in reversed time as s
/// does forwards.
struct Relaxation {
  std::array<Block, kN> decay;                   // one a node
  std::array<std::array<Block, kN>, kN> source;  // [of p at a node][by nu at a node]
};

/// The clocks of a block of modes over a panel, backwards.
struct BlockClock {
  Block total = Block::Zero();
  BlockNodes fraction = BlockNodes::Zero(), per = fraction;
  std::array<BlockNodes, kN> cardinal;  // [node]: in powers of the fraction

  BlockClock() { cardinal.fill(fraction); }  // lanes past the last mode stay finite

  void set(Eigen::Index lane, const ScalarClock& clock) {
    total[lane] = clock.total;
    fraction.row(lane) = clock.fraction.transpose();
    per.row(lane) = clock.per.transpose();
    const StepMatrix polynomial = riskcurve::cardinal(clock.fraction);
    for (int l = 0; l < kN; ++l)
      cardinal[static_cast<std::size_t>(l)].row(lane) = polynomial.col(l).transpose();
  }
};

/// half_weight: h_k/2.
Relaxation relaxation(const BlockClock& clock, const Block& half_weight) {
  Relaxation modes;
  modes.decay[0].setOnes();
  for (Block& none : modes.source[0]) none.setZero();
  for (std::size_t i = 1; i < kN; ++i) {
    const Block u = clock.fraction.col(static_cast<int>(i));
    const ScalarPropagator over(2 * clock.total * u);
    modes.decay[i] = over.decay;
    for (std::size_t l = 0; l < kN; ++l)
      modes.source[i][l] =
          half_weight * clock.per.col(static_cast<int>(l)) * over.gain(clock.cardinal[l], u);
  }
  return modes;
}

/// Carries p back over a panel, with a at its nodes; p there in increasing time.
Eigen::ArrayXXd sweep(const ModeSystem& system, const Panel& panel, const Scalars& now,
                      const Eigen::ArrayXXd& rate, Eigen::ArrayXd& p) {
  const Eigen::Index modes = system.modes();
  // What the risk's change does to ds_k/dt, over gamma.
  Eigen::ArrayXXd pull = -2 * panel.modes * system.drift_of(now.drift_slope);
  pull += system.diffusion_of(now.diffusion_slope).rowwise() * now.gamma.transpose();
  const StepNodes gamma = now.gamma.reverse();
  const bool one_clock = system.drift.cols() == 1 && now.drift.minCoeff() > 0;
  ScalarClock shared{};
  BlockClock clock;
  if (one_clock) {
    shared = scalar_clock(gamma, now.drift.row(0).transpose().reverse(), panel.length);
    for (Eigen::Index lane = 0; lane < kBlock; ++lane) clock.set(lane, shared);
  }
  std::vector<Relaxation> blocks;
  blocks.reserve(static_cast<std::size_t>(modes / kBlock + 1));
  StepMatrix coupling = StepMatrix::Identity();
  StepNodes known = StepNodes::Zero();
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    if (one_clock)
      clock.total = shared.total * load(system.drift.col(0), first);
    else
      for (Eigen::Index lane = 0; lane < std::min<Eigen::Index>(kBlock, modes - first); ++lane)
        clock.set(lane,
                  scalar_clock(gamma, rate.row(first + lane).transpose().reverse(), panel.length));
    const Relaxation& r = blocks.emplace_back(relaxation(clock, 0.5 * load(system.weight, first)));
    const Block end = load(p, first);
    for (std::size_t i = 0; i < kN; ++i) {
      const auto row = static_cast<int>(i);
      const Block w = load(pull.col(kN - 1 - row), first);
      known[row] += (w * r.decay[i] * end).sum();
      for (std::size_t l = 0; l < kN; ++l)
        coupling(row, static_cast<int>(l)) -= (w * r.source[i][l]).sum();
    }
  }
  const StepNodes nu = coupling.partialPivLu().solve(known.matrix()).array();
  Eigen::ArrayXXd at_nodes(modes, kN);
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    const Relaxation& r = blocks[static_cast<std::size_t>(first / kBlock)];
    const Eigen::Index count = std::min<Eigen::Index>(kBlock, modes - first);
    const Block end = load(p, first);
    for (std::size_t i = 0; i < kN; ++i) {
      Block back = r.decay[i] * end;
      for (std::size_t l = 0; l < kN; ++l) back += r.source[i][l] * nu[static_cast<int>(l)];
      at_nodes.col(kN - 1 - static_cast<int>(i)).segment(first, count) = back.head(count);
      if (i == kN - 1) store(back, first, p);
    }
  }
  return at_nodes;
}

double fastest_rate(const ModeSystem& system, double t, double gamma, double risk) {
  return 2 * gamma * system.rates(Now{t, gamma, risk}).drift.maxCoeff();
}

/// Geometric panels at either end, down to the memory of the fastest mode.
std::vector<double> graded(double horizon, double rate_at_start, double rate_at_end) {
  std::vector<double> stops;
  for (double part = 0.5 * horizon; part > 1e-12 * horizon; part *= 0.75) {
    if (part * rate_at_start > 0.05) stops.push_back(part);
    if (part * rate_at_end > 0.05 && part < 0.5 * horizon) stops.push_back(horizon - part);
  }
  std::sort(stops.begin(), stops.end());
  return stops;
}

}  // namespace

Sensitivity sensitivity(const ModeSystem& system, const Schedule& step, double horizon,
                        SolveOptions options) {
  if (system.extra_initial.size() > 0)
    throw InputError("sensitivity", "a mode system with extra states", "one without");
  Sensitivity result;
  const double end = horizon * (1 - 4e-16), start_risk = system.risk(system.initial);
  const double at_start = start_risk > 0 ? fastest_rate(system, 0, step(0), start_risk) : 0;
  // Rates grow as the risk falls, under SignSGD as 1/sqrt(R).
  const double at_end = std::max(fastest_rate(system, end, step(end), start_risk),
                                 fastest_rate(system, end, step(end), 1e-4 * start_risk));
  if (options.stops.empty()) options.stops = graded(horizon, at_start, at_end);
  options.keep_panels = true;
  result.curve = solve(system, step, Eigen::ArrayXd::Constant(1, horizon), options);
  if (result.curve.status != RiskCurve::Status::ok) return result;
  const std::vector<Panel>& panels = result.curve.panels;

  const auto count = static_cast<Eigen::Index>(panels.size());
  for (Eigen::ArrayXd* values : {&result.time, &result.step, &result.weight, &result.gradient,
                                 &result.curvature, &result.greedy, &result.risk_at})
    values->resize(kN * count);
  Eigen::ArrayXd share;  // 1/m, and 0 for modes that stand for no direction
  if (system.multiplicity.size() > 0) {
    share = (system.multiplicity > 0).select(1 / system.multiplicity, 0.0);
    result.scatter.resize(kN * count);
  }
  Eigen::ArrayXd p = 0.5 * system.weight;
  if (count > 0) result.risk = system.risk(panels.back().modes.col(kN - 1));  // else it stays 0
  const double unit = result.unit = power_of_two(result.risk);
  for (Eigen::Index i = count - 1; i >= 0; --i) {
    const Panel& panel = panels[static_cast<std::size_t>(i)];
    const Scalars now = scalars_of(system, step, panel);
    const Eigen::ArrayXXd a = system.drift_of(now.drift), c = system.diffusion_of(now.diffusion);
    const Eigen::ArrayXXd back = sweep(system, panel, now, a, p);
    const auto sum = [](const auto& terms) -> StepNodes { return terms.colwise().sum(); };
    const StepNodes noise = sum(back * c);
    const auto weighted = [&](const Eigen::ArrayXXd& terms) -> StepNodes {
      return (system.weight.matrix().transpose() * terms.matrix()).array();
    };
    const StepNodes descent = weighted(a * panel.modes), injected = weighted(c);
    const auto put = [&](Eigen::ArrayXd& values, const StepNodes& here) {
      values.segment(kN * i, kN) = here;
    };
    put(result.time, now.time);
    put(result.step, now.gamma);
    put(result.weight, panel.length * step_basis().integrate.row(kN - 1).transpose().array());
    put(result.gradient, -2 * sum(back * a * panel.modes) + 2 * now.gamma * noise);
    put(result.curvature, 2 * noise);
    put(result.risk_at, now.risk);
    if (share.size() > 0)
      put(result.scatter,
          4 * sum((back.square() * (panel.modes / unit) * (c / unit)).colwise() * share));
    put(result.greedy, descent / injected);
    if (i == count - 1)
      result.rate = -now.gamma[kN - 1] * descent[kN - 1] +
                    0.5 * now.gamma[kN - 1] * now.gamma[kN - 1] * injected[kN - 1];
  }
  result.initial = p;
  return result;
}

}  // namespace riskcurve
