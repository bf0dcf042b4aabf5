// The continuum of a chain: dS/dt = L S + S L^T + noise, L = A - 1, to leading order in small
// steps.
#include <fmt/format.h>

#include <algorithm>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <vector>

#include "integrate/block_lanes.hpp"
#include "integrate/recursion.hpp"
#include "integrate/watch.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

template <int M>
void rate_lanes(const BlockInstant& at, const ArrayXd& inverse, const ArrayXXd& moments,
                ArrayXXd& rate) {
  for (Index first = 0; first < moments.rows(); first += kBlock) {
    const Block a = at.drift.segment<kBlock>(first);
    Block l;
    if (inverse.size() > 0) l = inverse.segment<kBlock>(first);
    LaneMatrix<M> map = maps<M>(at.step, a, inverse.size() > 0 ? &l : nullptr);
    for (int i = 0; i < M; ++i) map[i][i] -= 1;
    const LaneMatrix<M> moved = product<M>(map, load_moments<M>(moments, first));
    const Block after = at.after.segment<kBlock>(first);
    const LaneVector<M> z = noise_before<M>(at.step, a);
    LaneMatrix<M> sum;
    for (int i = 0; i < M; ++i)
      for (int j = i; j < M; ++j) {
        sum[i][j] = moved[i][j] + moved[j][i] + after * (at.step.push[i] * at.step.push[j]);
        if (at.before.size() > 0) sum[i][j] += at.before.segment<kBlock>(first) * z[i] * z[j];
      }
    store_moments<M>(sum, first, rate);
  }
}

}  // namespace

RiskCurve solve_block_flow(const ModeSystem& system, const Schedule& step, const ArrayXd& at,
                           const SolveOptions& options) {
  namespace odeint = boost::numeric::odeint;
  const Recursion recursion(system, step);
  const Blocks& blocks = recursion.blocks();
  if (blocks.jump_period > 0 || blocks.weight_power != 0)
    throw InputError("method", "dopri5",
                     "recursion: lookahead, workers and weighted averages have no continuum");
  if (recursion.sees_directions() || system.squares || system.filtered)
    throw InputError("method", "dopri5",
                     "recursion: the mean and the variance of single directions, and what updates "
                     "are divided by, have no continuum");
  RiskCurve curve;
  curve.warnings = system.warnings;
  const BlockState start = recursion.start();
  using State = std::vector<double>;
  State x(start.own.data(), start.own.data() + start.own.size());
  const auto state_of = [&](const State& from) {
    BlockState state;
    state.own = Eigen::Map<const ArrayXXd>(from.data(), start.own.rows(), start.own.cols());
    return state;
  };
  Watch watch(options, at[at.size() - 1]);
  watch.enter(0, at[at.size() - 1]);
  ArrayXXd rate(start.own.rows(), start.own.cols());
  const auto flow = [&](const State& from, State& to, double t) {
    if (++curve.evaluations % 6 == 0) {
      watch.at(t);
      watch.attempt();
    }
    const BlockState state = state_of(from);
    const BlockInstant instant = recursion.instant(t, t, state);
    with_size(blocks.size,
              [&](auto m) { rate_lanes<m()>(instant, recursion.inverse(), state.own, rate); });
    to.assign(rate.data(), rate.data() + rate.size());
  };
  std::vector<double> risk, averaged;
  try {
    double t = 0;
    const double scale = *std::max_element(x.begin(), x.end());
    const auto stepper = odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(
        std::max(options.atol, options.rtol * 1e-3 * scale), options.rtol);
    for (const double end : at) {
      if (end > t) odeint::integrate_adaptive(stepper, flow, x, t, end, std::min(0.1, end - t));
      t = end;
      const BlockState state = state_of(x);
      if (!state.own.allFinite() || recursion.risk(state) > 1e30 * recursion.risk(start))
        throw Stopped{RiskCurve::Status::diverged,
                      fmt::format("the risk diverges at step {:g}", t)};
      risk.push_back(recursion.risk(state));
      averaged.push_back(recursion.averaged_risk(state));
    }
    curve.status = RiskCurve::Status::ok;
    curve.message = "solved";
  } catch (const Stopped& stopped) {
    curve.status = stopped.status;
    curve.message = stopped.message;
  }
  curve.accepted = watch.tries();
  curve.steps = at.head(std::ssize(risk));
  curve.risk = Eigen::Map<const ArrayXd>(risk.data(), std::ssize(risk));
  if (blocks.report_at.size() > 0)
    curve.averaged_risk = Eigen::Map<const ArrayXd>(averaged.data(), std::ssize(averaged));
  return curve;
}

}  // namespace riskcurve
