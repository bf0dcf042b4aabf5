// Blocks whose map sees signals of any size (docs/theory/signal.md#recursion).
#include <algorithm>
#include <cmath>
#include <vector>

#include "integrate/block_lanes.hpp"
#include "integrate/recursion.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr double kWindow = 4;       // times 1/(1 - beta): beyond, rests are not correlated
constexpr double kLongest = 400;    // of the window
constexpr double kSameRest = 0.01;  // rests that change by less are looked at half as often
constexpr double kRarely = 64;

/// Where the buffer stands: a fresh gradient's noise enters it.
int place_of_momentum(const BlockStep& step) {
  Index place = 0;
  step.noise_fixed.cwiseAbs().maxCoeff(&place);
  return static_cast<int>(place);
}

/// x^T S y of every mode, one direction.
class Moments {
 public:
  Moments(const Recursion& recursion, const BlockState& state)
      : state_(state),
        m_(recursion.blocks().size),
        modes_(recursion.system().modes()),
        multiplicity_(recursion.multiplicity().head(modes_)) {}
  ArrayXd at(int i, int j) const {
    return state_.own.col(entry(m_, std::min(i, j), std::max(i, j))).head(modes_) / multiplicity_;
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
};

/// The linear part of the map as a vector over X, of every mode.
ArrayXXd linear_part(const Recursion& recursion, const BlockInstant& at) {
  const Blocks& blocks = recursion.blocks();
  const ArrayXd& h = recursion.system().weight;
  const int m = place_of_momentum(at.step);
  ArrayXXd part = ArrayXXd::Zero(h.size(), blocks.size);
  const double fresh = at.step.read[0] / blocks.gradient_at[0];
  for (int i = 0; i < blocks.size; ++i)
    if (blocks.gradient_at[i] != 0)
      part.col(i) = fresh * blocks.gradient_at[i] * h * at.answer->fresh;
  part.col(m) += at.step.read[m] * h * at.answer->held;
  return part;
}

/// A x of every mode: the fixed part, and where the linear part of the map goes.
ArrayXXd mapped(const BlockStep& step, const ArrayXXd& part, const ArrayXXd& x) {
  ArrayXXd result = (x.matrix() * step.fixed.transpose()).array();
  const ArrayXd answer = (part * x).rowwise().sum();
  for (Index i = 0; i < step.push.size(); ++i)
    if (step.push[i] != 0) result.col(i) += step.push[i] * answer;
  return result;
}

/// Lags at which rests are compared; between them they are interpolated.
bool looked_at(Index lag) {
  Index at = 1;
  while (at < lag) at = std::max(at + 1, at * 4 / 3);
  return at == lag;
}

/// E of the rest now and of those before.
void look_back(const FilteredMap& map, const ArrayXXd& part, const ArrayXd& linear,
               const BlockInstant& at, FilteredPast& past) {
  const auto count = static_cast<Index>(past.lags.size());
  double changed = 0, all = 0;
  Index last = 0;
  for (Index n = 1; n <= count; ++n) {
    if (!looked_at(n) && n < count) continue;
    FilteredLag& lag = past.lags[static_cast<std::size_t>(n - 1)];
    const ArrayXd scale = (linear * lag.linear).sqrt();
    const ArrayXd correlation =
        (scale > 0)
            .select((part * lag.covariance).rowwise().sum() / scale.max(1e-300), 0.0)
            .max(-1.0)
            .min(1.0);
    const ArrayXd rest = map.covariance(*at.answer, *lag.answer, correlation);
    if (lag.rest.size() > 0)
      changed += (rest - lag.rest).abs().sum();
    else
      changed += rest.abs().sum();
    all += rest.abs().sum();
    lag.rest = rest;
    for (Index k = last + 1; k < n; ++k) {
      const double x = static_cast<double>(k - last) / static_cast<double>(n - last);
      past.lags[static_cast<std::size_t>(k - 1)].rest =
          (1 - x) * past.lags[static_cast<std::size_t>(last - 1)].rest + x * rest;
    }
    last = n;
  }
  past.looked = at.now.time;
  past.interval = changed < kSameRest * all ? std::min(2 * past.interval, kRarely)
                                            : std::max(0.5 * past.interval, 1.0);
}

std::size_t window_of(double momentum) {
  return static_cast<std::size_t>(
      std::clamp(std::ceil(kWindow / (1 - momentum)), kWindow, kLongest));
}

}  // namespace

void Recursion::answer_filtered(const BlockState& state, BlockInstant& at) const {
  const Moments moments(*this, state);
  const BlockVector& v = blocks_.gradient_at;
  const int m = place_of_momentum(at.step);
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
  u.signal = (moments.at(m, m) - u.noise).max(0.0);
  // What is kept moves when it is made anew, and leaps compare digits that it would change.
  const FilteredAnswer* last =
      state.past.lags.empty() || state.past.steady ? nullptr : state.past.lags.front().answer.get();
  at.answer = std::make_shared<const FilteredAnswer>(system_.filtered->answer(u, last));
}

namespace {

/// What one step is made of, all modes.
struct Parts {
  ArrayXXd part;         // u^ over X
  ArrayXXd with_linear;  // S u^
  ArrayXd seen;          // of the newest noise in u^
  ArrayXd linear, rest;  // variances of u^, with that noise, and of the rest
  ArrayXXd z;

  Parts(const Recursion& recursion, const BlockInstant& at, const BlockState& state)
      : part(linear_part(recursion, at)) {
    const FilteredAnswer& answer = *at.answer;
    const Moments moments(recursion, state);
    const ArrayXd& h = recursion.system().weight;
    const int size = recursion.blocks().size;
    with_linear = ArrayXXd::Zero(h.size(), size);
    for (int i = 0; i < size; ++i)
      for (int j = 0; j < size; ++j) with_linear.col(i) += moments.at(i, j) * part.col(j);
    seen = at.step.read[0] / recursion.blocks().gradient_at[0] * h * answer.fresh_noise;
    linear = ((part * with_linear).rowwise().sum() + seen.square() * answer.sampled).max(0.0);
    rest = (answer.power - linear).max(0.0);
    z.resize(h.size(), size);
    for (int i = 0; i < size; ++i)
      z.col(i) = at.step.noise_fixed[i] + h * answer.fresh_noise * at.step.noise_drift[i];
  }
};

/// What this step will be to later ones.
FilteredLag lag_of(const BlockInstant& at, const Parts& parts) {
  FilteredLag lag;
  lag.covariance = mapped(at.step, parts.part, parts.with_linear) +
                   parts.z.colwise() * (at.answer->sampled * parts.seen);
  lag.response = at.step.push.transpose().array().replicate(parts.part.rows(), 1);
  lag.linear = parts.linear;
  lag.answer = at.answer;
  return lag;
}

/// E X rho: of the rests before, what X holds.
ArrayXXd remembered(const FilteredPast& past, Index modes, int size) {
  ArrayXXd sum = ArrayXXd::Zero(modes, size);
  for (const FilteredLag& lag : past.lags)
    if (lag.rest.size() > 0) sum += lag.response.colwise() * lag.rest;
  return sum;
}

}  // namespace

void advance_filtered(const Recursion& recursion, const BlockInstant& at, BlockState& state) {
  const ModeSystem& system = recursion.system();
  const FilteredAnswer& answer = *at.answer;
  const BlockStep& step = at.step;
  const int size = recursion.blocks().size;
  const Index modes = system.modes();
  const Moments moments(recursion, state);
  const Parts parts(recursion, at, state);
  const ArrayXXd &part = parts.part, &z = parts.z;

  FilteredPast& past = state.past;
  if (past.looked < 0 || at.now.time >= past.looked + past.interval)
    look_back(*system.filtered, part, parts.linear, at, past);
  const ArrayXXd comes = mapped(step, part, remembered(past, modes, size));

  // A S A^T in two products.
  std::vector<ArrayXXd> once(static_cast<std::size_t>(size));  // (A S)^T, row by row of S
  for (int j = 0; j < size; ++j) {
    ArrayXXd column(modes, size);
    for (int i = 0; i < size; ++i) column.col(i) = moments.at(i, j);
    once[static_cast<std::size_t>(j)] = mapped(step, part, column);
  }
  const ArrayXd multiplicity = recursion.multiplicity().head(modes);
  ArrayXXd next = ArrayXXd::Zero(state.own.rows(), state.own.cols());
  for (int i = 0; i < size; ++i) {
    ArrayXXd row(modes, size);  // (A S)_i.
    for (int j = 0; j < size; ++j) row.col(j) = once[static_cast<std::size_t>(j)].col(i);
    const ArrayXXd twice = mapped(step, part, row);
    for (int j = i; j < size; ++j)
      next.col(entry(size, i, j)).head(modes) =
          multiplicity * (twice.col(j) + answer.sampled * z.col(i) * z.col(j) +
                          parts.rest * step.push[i] * step.push[j] + comes.col(i) * step.push[j] +
                          step.push[i] * comes.col(j));
  }
  // Rests that are only known to a percent may take more than there is.
  for (int i = 0; i < size; ++i) next.col(entry(size, i, i)) = next.col(entry(size, i, i)).max(0.0);
  state.own = next;

  for (FilteredLag& lag : past.lags) {
    lag.covariance = mapped(step, part, lag.covariance);
    lag.response = mapped(step, part, lag.response);
  }
  FilteredLag newest = lag_of(at, parts);
  const double beta = at.now.momentum;
  // What was looked at stays with its lag, not with its step.
  if (!past.lags.empty()) {
    newest.rest = past.lags.front().rest;
    for (std::size_t n = 0; n + 1 < past.lags.size(); ++n)
      past.lags[n].rest = past.lags[n + 1].rest;
  }
  past.steady = false;
  past.lags.push_front(std::move(newest));
  if (past.lags.size() > window_of(beta)) past.lags.pop_back();
  past.noise = beta * beta * past.noise + (1 - beta) * (1 - beta) * answer.sampled;
  const double weight = beta * beta * past.weight + (1 - beta) * (1 - beta);
  past.risk =
      (beta * beta * past.weight * past.risk + (1 - beta) * (1 - beta) * at.now.risk) / weight;
  past.weight = weight;
}

namespace {

/// The past of steps that were all like this one.
FilteredPast steady_past(const Recursion& recursion, const BlockInstant& at, const Parts& parts) {
  const double beta = at.now.momentum;
  FilteredPast past;
  FilteredLag lag = lag_of(at, parts);
  while (past.lags.size() < window_of(beta)) {
    past.lags.push_back(lag);
    lag.covariance = mapped(at.step, parts.part, lag.covariance);
    lag.response = mapped(at.step, parts.part, lag.response);
  }
  past.noise = (1 - beta) / (1 + beta) * at.answer->sampled;
  past.risk = at.now.risk;
  past.weight = (1 - beta) / (1 + beta);
  past.steady = true;
  look_back(*recursion.system().filtered, parts.part, parts.linear, at, past);
  return past;
}

}  // namespace

BlockState lead_filtered(const Recursion& recursion, const BlockInstant& at, double steps,
                         const BlockState& from) {
  const int size = recursion.blocks().size;
  const Index modes = recursion.system().modes();
  const BlockStep& step = at.step;
  const Parts parts(recursion, at, from);
  BlockState to = from;
  to.past = steady_past(recursion, at, parts);
  const ArrayXXd comes = mapped(step, parts.part, remembered(to.past, modes, size));
  for (Index k = 0; k < modes; ++k) {
    const BlockVector u = parts.part.row(k).transpose().matrix(),
                      z = parts.z.row(k).transpose().matrix(),
                      e = comes.row(k).transpose().matrix();
    const BlockVector& q = step.push;
    BlockMatrix map = step.fixed + q * u.transpose();
    BlockMatrix noise = at.answer->sampled[k] * z * z.transpose() +
                        parts.rest[k] * q * q.transpose() + e * q.transpose() + q * e.transpose();
    const double n = recursion.multiplicity()[k];
    BlockMatrix s(size, size);
    for (int i = 0; i < size; ++i)
      for (int j = 0; j < size; ++j)
        s(i, j) = from.own(k, entry(size, std::min(i, j), std::max(i, j))) / n;
    for (auto left = static_cast<long>(steps); left > 0; left /= 2) {
      if (left % 2 == 1) s = (map * s * map.transpose() + noise).eval();
      noise = (map * noise * map.transpose() + noise).eval();
      map = (map * map).eval();
    }
    for (int i = 0; i < size; ++i)
      for (int j = i; j < size; ++j) to.own(k, entry(size, i, j)) = n * s(i, j);
  }
  return to;
}

}  // namespace riskcurve
