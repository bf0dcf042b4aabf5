// Blocks whose map sees signals of any size (docs/theory/signal.md#recursion).
#include <algorithm>
#include <cmath>
#include <vector>

#include "dynamics/filtered_variance.hpp"
#include "integrate/block_lanes.hpp"
#include "integrate/filtered_past.hpp"
#include "integrate/recursion.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// x^T S y of every mode, one direction; `spread`: of S - m m^T.
class Moments {
 public:
  Moments(const Recursion& recursion, const BlockState& state, bool spread = false)
      : state_(state),
        m_(recursion.blocks().size),
        modes_(recursion.system().modes()),
        multiplicity_(recursion.multiplicity().head(modes_)),
        spread_(spread && state.mean.size() > 0) {}
  ArrayXd at(int i, int j) const {
    ArrayXd moment =
        state_.own.col(entry(m_, std::min(i, j), std::max(i, j))).head(modes_) / multiplicity_;
    if (spread_) moment -= state_.mean.col(i).head(modes_) * state_.mean.col(j).head(modes_);
    return moment;
  }
  ArrayXd with(const BlockVector& x, int j) const {
    ArrayXd sum = ArrayXd::Zero(modes_);
    for (int i = 0; i < m_; ++i)
      if (x[i] != 0) sum += x[i] * at(i, j);
    return sum;
  }

 private:
  const BlockState& state_;
  int m_;
  Index modes_;
  ArrayXd multiplicity_;
  bool spread_;
};

/// m of every mode, empty where means are not seen.
ArrayXXd means_in(const Recursion& recursion, const BlockState& state) {
  return state.mean.topRows(state.mean.size() > 0 ? recursion.system().modes() : 0);
}

/// The linear part of the map as a vector over X, of every mode, by these slopes.
ArrayXXd linear_part(const Recursion& recursion, const BlockInstant& at, const ArrayXd& fresh_slope,
                     const ArrayXd& held_slope) {
  const Blocks& blocks = recursion.blocks();
  const ArrayXd& h = recursion.system().weight;
  const auto m = static_cast<int>(place_of_memory(at.step));
  ArrayXXd part = ArrayXXd::Zero(h.size(), blocks.size);
  const double fresh = at.step.read[0] / blocks.gradient_at[0];
  for (int i = 0; i < blocks.size; ++i)
    if (blocks.gradient_at[i] != 0) part.col(i) = fresh * blocks.gradient_at[i] * h * fresh_slope;
  part.col(m) += at.step.read[m] * h * held_slope;
  return part;
}

}  // namespace

void Recursion::answer_filtered(const BlockState& state, BlockInstant& at) const {
  const Moments moments(*this, state);
  const BlockVector& v = blocks_.gradient_at;
  const auto m = static_cast<int>(place_of_memory(at.step));
  FilteredGradient u;
  u.weight = system_.weight;
  u.multiplicity = multiplicity_.head(system_.modes());
  u.time = at.now.time;
  u.risk = at.now.risk;
  u.memory = state.past.weight > 0 ? state.past.risk : u.risk;
  u.momentum = at.now.momentum;
  u.fresh = at.step.read[0] / v[0];
  u.share = at.step.read[m];
  u.error = ArrayXd::Zero(system_.modes());
  for (int j = 0; j < blocks_.size; ++j)
    if (v[j] != 0) u.error += v[j] * moments.with(v, j);
  u.error = u.error.max(0.0);
  u.cross = moments.with(v, m);
  u.noise = state.past.noise;
  if (system_.squares) u.squares = state.squares.head(system_.modes());
  u.signal = (moments.at(m, m) - u.noise).max(0.0);
  if (const ArrayXXd mean = means_in(*this, state); mean.size() > 0) {
    u.mean = (mean.matrix() * v).array();
    u.held_mean = mean.col(m);
  }
  // What is kept moves when it is made anew, and leaps compare digits that it would change.
  const FilteredAnswer* last =
      state.past.lags.empty() || state.past.steady ? nullptr : state.past.lags.front().answer.get();
  at.answer = std::make_shared<const FilteredAnswer>(system_.filtered->answer(u, last));
}

FilteredParts::FilteredParts(const Recursion& recursion, const BlockInstant& at,
                             const BlockState& state)
    : step{at, linear_part(recursion, at, at.answer->fresh, at.answer->held), {}, {}, {}},
      mean(means_in(recursion, state)) {
  const FilteredAnswer& answer = *at.answer;
  const Moments spread(recursion, state, true);
  const ArrayXXd& part = step.part;
  const ArrayXd& h = recursion.system().weight;
  const int size = recursion.blocks().size;
  ArrayXXd with_linear = ArrayXXd::Zero(h.size(), size);  // C u^
  for (int i = 0; i < size; ++i)
    for (int j = 0; j < size; ++j) with_linear.col(i) += spread.at(i, j) * part.col(j);
  const ArrayXd seen =  // of the newest noise in u^
      at.step.read[0] / recursion.blocks().gradient_at[0] * h * answer.fresh_noise;
  step.linear = ((part * with_linear).rowwise().sum() + seen.square() * answer.sampled).max(0.0);
  rest = answer.power - step.linear;
  if (mean.size() > 0) {
    of_mean = linear_part(recursion, at, answer.fresh_of_mean, answer.held_of_mean);
    rest -= (of_mean * mean).rowwise().sum().square();
    step.mean = (part * mean).rowwise().sum();
    step.linear += step.mean.square();
  }
  rest = rest.max(0.0);
  z.resize(h.size(), size);
  for (int i = 0; i < size; ++i)
    z.col(i) = at.step.noise_fixed[i] + h * answer.fresh_noise * at.step.noise_drift[i];
  if (recursion.system().filtered->covariance)
    step.covariance = mapped(at.step, part, with_linear) + z.colwise() * (answer.sampled * seen);
}

void advance_filtered(const Recursion& recursion, const BlockInstant& at, BlockState& state) {
  const ModeSystem& system = recursion.system();
  const FilteredAnswer& answer = *at.answer;
  const BlockStep& step = at.step;
  const int size = recursion.blocks().size;
  const Index modes = system.modes();
  const Moments moments(recursion, state, true);
  const FilteredParts parts(recursion, at, state);
  const ArrayXXd &part = parts.step.part, &z = parts.z;

  FilteredPast& past = state.past;
  if (past.looked < 0 || at.now.time >= past.looked + past.interval)
    look_back(*system.filtered, parts.step, past);
  const ArrayXXd comes = mapped(step, part, remembered(past, modes, size));

  // A C A^T in two products.
  std::vector<ArrayXXd> once(static_cast<std::size_t>(size));  // (A C)^T, row by row of C
  for (int j = 0; j < size; ++j) {
    ArrayXXd column(modes, size);
    for (int i = 0; i < size; ++i) column.col(i) = moments.at(i, j);
    once[static_cast<std::size_t>(j)] = mapped(step, part, column);
  }
  ArrayXXd mean;
  if (parts.mean.size() > 0) mean = mapped(step, parts.of_mean, parts.mean);
  const ArrayXd multiplicity = recursion.multiplicity().head(modes);
  ArrayXXd next = ArrayXXd::Zero(state.own.rows(), state.own.cols());
  for (int i = 0; i < size; ++i) {
    ArrayXXd row(modes, size);  // (A C)_i.
    for (int j = 0; j < size; ++j) row.col(j) = once[static_cast<std::size_t>(j)].col(i);
    const ArrayXXd twice = mapped(step, part, row);
    for (int j = i; j < size; ++j) {
      ArrayXd moment = twice.col(j) + answer.sampled * z.col(i) * z.col(j) +
                       parts.rest * step.push[i] * step.push[j] + comes.col(i) * step.push[j] +
                       step.push[i] * comes.col(j);
      // Rests that are only known to a percent may take more than there is.
      if (i == j) moment = moment.max(0.0);
      if (mean.size() > 0) moment += mean.col(i) * mean.col(j);
      next.col(entry(size, i, j)).head(modes) = multiplicity * moment;
    }
  }
  state.own = next;
  if (answer.squares.size() > 0) state.squares.head(modes) = answer.squares;
  if (mean.size() > 0) state.mean.topRows(modes) = mean;
  remember(*system.filtered, parts.step, past);
}

}  // namespace riskcurve
