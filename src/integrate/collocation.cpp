#include "integrate/collocation.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "integrate/propagator.hpp"

namespace riskcurve {
namespace {

using Nodes = StepNodes;

}  // namespace

bool Collocation::solve(const Flow& flow, const Eigen::ArrayXd& state, double t0, double h,
                        double newton_tolerance) {
  const ModeSystem& system = *system_;
  const Eigen::Index extras = system.extra_initial.size();
  const Eigen::Index unknowns = (kStepNodes - 1) * (1 + extras);
  flow_ = &flow;
  state_ = state;
  t0_ = t0;
  h_ = h;
  summed_clock_.setConstant(std::numeric_limits<double>::quiet_NaN());
  const double risk0 = system.risk(state.head(system.modes()));
  if (!(risk0 > 0) || !std::isfinite(risk0)) return false;

  // Unknowns: log R at nodes 1..4, then each extra state at nodes 1..4.
  Eigen::ArrayXd unknown(unknowns), value(unknowns), moved(unknowns), value_there(unknowns);
  unknown.head(kStepNodes - 1) = guess(risk0).tail(kStepNodes - 1);
  for (Eigen::Index e = 0; e < extras; ++e)
    unknown.segment((e + 1) * (kStepNodes - 1), kStepNodes - 1)
        .setConstant(state[system.modes() + e]);

  // Newton with an inverse Jacobian that lives on from step to step: Broyden's updates keep it
  // current, and differences renew it where it does not gain.
  const auto fail = [&] {
    inverse_.resize(0, 0);
    return false;
  };
  const auto renew = [&] {
    Eigen::MatrixXd jacobian(unknowns, unknowns);
    for (Eigen::Index j = 0; j < unknowns; ++j) {
      moved = unknown;
      const double delta = 1e-6 * std::max(1.0, std::abs(unknown[j]) * (j >= kStepNodes - 1));
      moved[j] += delta;
      if (!residual(moved, value_there)) return false;
      jacobian.col(j) = ((value_there - value) / delta).matrix();
    }
    inverse_ = jacobian.inverse();
    return inverse_.allFinite();
  };
  if (!residual(unknown, value)) {
    unknown.head(kStepNodes - 1).setConstant(std::log(risk0));
    if (!residual(unknown, value)) return fail();
  }
  bool fresh = false;
  for (int iteration = 0; iteration < 16; ++iteration) {
    const double size = value.abs().maxCoeff();
    if (size <= newton_tolerance) {
      last_ = {t0, h, Nodes::Constant(std::log(risk0))};
      last_.log_risk.tail(kStepNodes - 1) = unknown.head(kStepNodes - 1);
      estimate_error();
      return std::isfinite(error_) || fail();
    }
    if (inverse_.rows() != unknowns) {
      if (!renew()) return fail();
      fresh = true;
    }
    Eigen::VectorXd correction = -(inverse_ * value.matrix());
    if (!correction.allFinite()) return fail();
    // A risk may not move by more than a factor e^3 in one correction.
    const double largest = correction.head(kStepNodes - 1).cwiseAbs().maxCoeff();
    if (largest > 3) correction *= 3 / largest;
    moved = unknown + correction.array();
    const bool sound = residual(moved, value_there);
    if (!fresh && !(sound && value_there.abs().maxCoeff() < 0.3 * size)) {
      inverse_.resize(0, 0);
      continue;
    }
    if (!sound || (iteration > 8 && value_there.abs().maxCoeff() > size)) return fail();
    const Eigen::VectorXd gained = inverse_ * (value_there - value).matrix();
    const double along = correction.dot(gained);
    if (std::abs(along) > 1e-3 * correction.squaredNorm())
      inverse_ += (correction - gained) * (correction.transpose() * inverse_) / along;
    unknown = moved;
    value = value_there;
    fresh = false;
  }
  return fail();
}

/// log R at the nodes: where a longer step was tried, as that had it; else with the rate at t0, as
/// a power of time (the same as an exponential where h << t0).
Collocation::Nodes Collocation::guess(double risk) const {
  const StepBasis& basis = step_basis();
  if (t0_ == last_.start && h_ < last_.length) {
    const Nodes p = (basis.to_monomial * last_.log_risk.matrix()).array();
    const Nodes theta = basis.node * (h_ / last_.length);
    return p[0] + theta * (p[1] + theta * (p[2] + theta * (p[3] + theta * p[4])));
  }
  const auto clock = [&](double x) { return t0_ > 0 ? std::log1p(x / t0_) : x / h_; };
  const double rate = log_risk_rate(risk) * (t0_ > 0 ? t0_ : h_);
  const double slope = std::isfinite(rate) ? std::clamp(rate, -3.0, 3.0) : 0;
  return std::log(risk) + slope * (basis.node * h_).unaryExpr(clock);
}

/// dlog R/dt at the start of the step.
double Collocation::log_risk_rate(double risk) const {
  const ModeSystem& system = *system_;
  const Eigen::ArrayXd s = state_.head(system.modes());
  const Now now{t0_, flow_->gamma(t0_), risk, state_.tail(system.extra_initial.size()), &s};
  const auto [descent, injected] = flux(system, system.rates(flow_->response(now)), s);
  return now.gamma * (0.5 * now.gamma * injected - descent) / risk;
}

void Collocation::fill_scalars(const Eigen::ArrayXd& unknown) {
  const ModeSystem& system = *system_;
  const Eigen::Index extras = system.extra_initial.size();
  extra_.resize(kStepNodes, extras);
  extra_rate_.resize(kStepNodes, extras);
  drift_.resize(kStepNodes, system.drift.cols());
  diffusion_.resize(kStepNodes, system.diffusion.cols());
  Now now;
  for (int j = 0; j < kStepNodes; ++j) {
    now.time = t0_ + step_basis().node[j] * h_;
    now.gamma = gamma_[j] = flow_->gamma(now.time);
    if (j == 0) {
      now.risk = system.risk(state_.head(system.modes()));
      now.extra = state_.tail(extras);
    } else {
      now.risk = std::exp(unknown[j - 1]);
      for (Eigen::Index e = 0; e < extras; ++e)
        now.extra[e] = unknown[(e + 1) * (kStepNodes - 1) + j - 1];
    }
    const Response response = flow_->response(now);
    drift_.row(j) = response.drift.transpose();
    diffusion_.row(j) = response.diffusion.transpose();
    if (extras > 0) {
      extra_.row(j) = now.extra.transpose();
      extra_rate_.row(j) = flow_->extra_rate(now).transpose();
    }
  }
  speed_ = drift_.colwise() * gamma_;
  source_ = diffusion_.colwise() * gamma_.square();
}

void Collocation::fill_clocks() {
  clock_ = (h_ * (step_basis().integrate * speed_.matrix())).array();
  if (speed_.cols() == 1) {
    // One clock for all modes. (gamma n/g, not a quotient of products: a schedule may end at
    // gamma = 0.)
    const double total = clock_(kStepNodes - 1, 0);
    const Nodes fraction = clock_.col(0) / total;
    polynomial_.resize(kStepNodes, source_.cols());
    for (Eigen::Index r = 0; r < source_.cols(); ++r)
      polynomial_.col(r) = monomials(fraction, gamma_ * diffusion_.col(r) / drift_.col(0) * total);
    return;
  }
  // Several responses: every mode has a clock, and a source in powers of it, of its own.
  const Eigen::ArrayXXd rate = combined(system_->drift, drift_.transpose()),
                        noise = combined(system_->diffusion, diffusion_.transpose());
  const Eigen::Index modes = system_->modes();
  polynomial_.resize(modes, kStepNodes);
  own_clock_.resize(modes, kStepNodes);
  total_.resize(modes);
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    const Eigen::Index count = std::min<Eigen::Index>(kBlock, modes - first);
    BlockNodes rate_here, noise_here;
    for (int j = 0; j < kStepNodes; ++j) {
      rate_here.col(j) = load(rate.col(j), first);
      noise_here.col(j) = gamma_[j] * load(noise.col(j), first);
    }
    const BlockClock own = block_clock(gamma_, rate_here, h_);
    const bool quiet = (noise_here == 0).all();
    const BlockNodes powers =
        quiet ? BlockNodes(BlockNodes::Zero()) : BlockMonomials(own.fraction)(noise_here * own.per);
    polynomial_.middleRows(first, count) = powers.topRows(count);
    own_clock_.middleRows(first, count) = (own.fraction.colwise() * own.total).topRows(count);
    total_.segment(first, count) = own.total.head(count);
  }
}

/// Of one clock for all, int g gamma dt so far.
void Collocation::modes_at(double clock, Eigen::ArrayXd& s) const {
  const ModeSystem& system = *system_;
  // Powers of the fraction at the evaluation point turn int_0^u into int_0^1.
  const double u = clock / clock_(kStepNodes - 1, 0);
  Eigen::ArrayXXd scaled = polynomial_;
  double power = u;
  for (int m = 0; m < kStepNodes; ++m, power *= u) scaled.row(m) *= power;
  for (Eigen::Index first = 0; first < system.modes(); first += kBlock) {
    const Block z = 2 * clock * load(system.drift.col(0), first);
    Block now = load(state_, first);
    if (source_.cols() == 1) {
      relax(z, load(system.diffusion.col(0), first), scaled.col(0), now);
    } else {
      const ScalarPropagator over(z);
      now *= over.decay;
      for (Eigen::Index r = 0; r < source_.cols(); ++r)
        now += load(system.diffusion.col(r), first) * over.gain(scaled.col(r));
    }
    store(now, first, s);
  }
}

/// Of a clock for each, at theta of the step.
template <class Clocks>
void Collocation::modes_at(double theta, const Clocks& own, Eigen::ArrayXd& s) const {
  const Eigen::Index modes = system_->modes();
  for (Eigen::Index first = 0; first < modes; first += kBlock) {
    const Block total = load(total_, first), x = (total > 0).select(load(own, first), 0.0);
    const Block u = (total > 0).select(x / total, theta);
    BlockNodes p;
    for (int m = 0; m < kStepNodes; ++m) p.col(m) = load(polynomial_.col(m), first);
    const ScalarPropagator over(2 * x);
    store(load(state_.head(modes), first) * over.decay + over.gain(p, u), first, s);
  }
}

/// Once a system: nothing but the state changes from step to step.
void Collocation::lay_out() {
  const ModeSystem& system = *system_;
  const Eigen::Index noises = system.diffusion.cols(),
                     blocks = (system.modes() + kBlock - 1) / kBlock;
  layout_.resize(static_cast<std::size_t>(blocks));
  force_.resize(static_cast<std::size_t>(blocks * noises));
  for (Eigen::Index i = 0; i < blocks; ++i) {
    Modes& of = layout_[static_cast<std::size_t>(i)];
    of.half_weight = 0.5 * load(system.weight, i * kBlock);
    of.rate = 2 * load(system.drift.col(0), i * kBlock);
    of.still = true;
    for (Eigen::Index r = 0; r < noises; ++r) {
      Block& force = force_[static_cast<std::size_t>(i * noises + r)];
      const Block diffusion = load(system.diffusion.col(r), i * kBlock);
      of.still = of.still && (diffusion == 0).all();
      force = of.half_weight * diffusion;
    }
  }
}

void Collocation::sum_over_modes() {
  const Eigen::Index noises = source_.cols();
  if (layout_.empty()) lay_out();
  std::vector<Block> kept(kStepNodes, Block::Zero());
  std::vector<BlockNodes> gain(static_cast<std::size_t>(kStepNodes * noises), BlockNodes::Zero());
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    const Modes& of = layout_[i];
    const Block start = of.half_weight * load(state_, static_cast<Eigen::Index>(i) * kBlock);
    if (of.still && (start == 0).all()) continue;
    const Block* const force = &force_[i * static_cast<std::size_t>(noises)];
    for (int j = 1; j < kStepNodes; ++j) {
      const Block z = clock_(j, 0) * of.rate;
      Block& kept_here = kept[static_cast<std::size_t>(j)];
      if (of.still) {
        add_decayed(z, start, kept_here);
        continue;
      }
      if (noises == 1) {
        add_propagated(z, start, *force, kept_here, gain[static_cast<std::size_t>(j)]);
        continue;
      }
      const ScalarPropagator over(z);
      kept_here += start * over.decay;
      for (Eigen::Index r = 0; r < noises; ++r)
        gain[static_cast<std::size_t>(j * noises + r)] += over.moment.colwise() * force[r];
    }
  }
  gain_.resize(kStepNodes * noises, kStepNodes);
  for (int j = 1; j < kStepNodes; ++j) {
    kept_[j] = kept[static_cast<std::size_t>(j)].sum();
    for (Eigen::Index r = 0; r < noises; ++r)
      gain_.col(j).segment(kStepNodes * r, kStepNodes) =
          gain[static_cast<std::size_t>(j * noises + r)].colwise().sum().transpose();
  }
  summed_clock_ = clock_.col(0);
}

/// The risk that the unknowns lead to at a node.
double Collocation::risk_at(int node) {
  const ModeSystem& system = *system_;
  if (speed_.cols() != 1) {
    scratch_.resize(system.modes());
    modes_at(step_basis().node[node], own_clock_.col(node), scratch_);
    return system.risk(scratch_);
  }
  if ((clock_.col(0) != summed_clock_).any()) sum_over_modes();
  const double u = clock_(node, 0) / clock_(kStepNodes - 1, 0);
  double risk = kept_[node];
  for (Eigen::Index r = 0; r < source_.cols(); ++r) {
    double power = u;
    for (int m = 0; m < kStepNodes; ++m, power *= u)
      risk += polynomial_(m, r) * power * gain_(kStepNodes * r + m, node);
  }
  return risk;
}

bool Collocation::residual(const Eigen::ArrayXd& unknown, Eigen::ArrayXd& out) {
  ++evaluations_;
  fill_scalars(unknown);
  fill_clocks();
  if (!speed_.isFinite().all() || !source_.isFinite().all() || !extra_rate_.isFinite().all())
    return false;
  if (speed_.cols() == 1 && !(drift_.minCoeff() > 0 && clock_(kStepNodes - 1, 0) > 0)) return false;
  const Eigen::Index extras = system_->extra_initial.size();
  for (int j = 1; j < kStepNodes; ++j) {
    const double risk = risk_at(j);
    if (!(risk > 0) || !std::isfinite(risk)) return false;
    out[j - 1] = unknown[j - 1] - std::log(risk);
    for (Eigen::Index e = 0; e < extras; ++e)
      out[(e + 1) * (kStepNodes - 1) + j - 1] =
          extra_(j, e) - extra_(0, e) -
          h_ * step_basis().integrate.row(j).dot(extra_rate_.col(e).matrix());
  }
  return true;
}

void Collocation::accept() {
  clock_so_far_ += clock_.row(kStepNodes - 1).transpose();
  source_so_far_ +=
      h_ *
      (step_basis().integrate * source_.abs().matrix()).row(kStepNodes - 1).transpose().array();
}

void Collocation::estimate_error() {
  // The T_4 coefficient, integrated over the step: the error of the rule one degree lower. It is
  // weighed by the integral over the step, or by a thousandth of the integral so far if that is
  // more: a schedule that fades to nothing need not be resolved to its last digit.
  const auto relative = [](const Eigen::ArrayXd& values, double scale) {
    return scale > 0 ? std::abs((values * step_basis().last_chebyshev).sum()) / (15 * scale) : 0.0;
  };
  const auto worst = [&](const Eigen::ArrayXXd& columns, const Eigen::ArrayXd& so_far) {
    // Columns of a sum of products matter only together: they share a scale.
    Eigen::ArrayXd scale = columns.abs().colwise().mean().transpose().max(1e-3 * so_far / h_);
    if (columns.cols() > 1) scale.setConstant(scale.maxCoeff());
    double error = 0;
    for (Eigen::Index q = 0; q < columns.cols(); ++q)
      error = std::max(error, relative(columns.col(q), scale[q]));
    return error;
  };
  error_ = std::max(worst(speed_, clock_so_far_), worst(source_, source_so_far_));
  if (gamma_.maxCoeff() > 1.1 * gamma_.minCoeff()) error_ = std::max(error_, clock_error());
  for (Eigen::Index e = 0; e < extra_.cols(); ++e)
    error_ = std::max(error_, relative(h_ * extra_rate_.col(e), extra_.col(e).abs().maxCoeff()));
}

/// The same for the source as a polynomial of the clock, which a step size that changes by much
/// makes a root of it: gamma ~ t is gamma ~ sqrt(clock), and where it starts or ends at 0 no step
/// resolves that. It is weighed by what the modes remember of sources too: what is small beside it
/// is so for each of them, and beside the risk.
double Collocation::clock_error() const {
  const ModeSystem& system = *system_;
  const Nodes clock = h_ * (step_basis().integrate * gamma_.matrix()).array();
  const double total = clock[kStepNodes - 1];
  const Eigen::ArrayXd noise = system.diffusion.abs().rowwise().sum();
  const Eigen::ArrayXd s = state_.head(system.modes());
  const double remembered = (noise > 0).select(s / noise, HUGE_VAL).minCoeff();
  const double risk = (system.weight * s).sum() / (system.weight * noise).sum();
  double scale = std::max(1e-3 * remembered, 1e-6 * risk), error = 0;
  scale = std::max(scale, h_ * source_.abs().colwise().mean().maxCoeff());
  for (Eigen::Index r = 0; r < diffusion_.cols(); ++r)
    error = std::max(
        error, std::abs(monomials(clock / total, gamma_ * diffusion_.col(r))[kStepNodes - 1]));
  return scale > 0 ? error * total / (128 * 15 * scale) : 0;
}

void Collocation::state_at(double theta, Eigen::ArrayXd& out) const {
  const Eigen::Index modes = system_->modes(), extras = system_->extra_initial.size();
  out.resize(modes + extras);
  Nodes power;
  for (int m = 0; m < kStepNodes; ++m) power[m] = std::pow(theta, m + 1);
  const auto integral = [&](const Eigen::ArrayXd& values) {
    const Nodes p = (step_basis().to_monomial * values.matrix()).array();
    double sum = 0;
    for (int m = 0; m < kStepNodes; ++m) sum += p[m] * power[m] / (m + 1);
    return h_ * sum;
  };
  Eigen::ArrayXd clock(speed_.cols()), s(modes);
  for (Eigen::Index q = 0; q < speed_.cols(); ++q) clock[q] = integral(speed_.col(q));
  if (speed_.cols() == 1)
    modes_at(clock[0], s);
  else
    modes_at(theta, combined(system_->drift, clock).col(0), s);
  out.head(modes) = s;
  for (Eigen::Index e = 0; e < extras; ++e)
    out[modes + e] = extra_(0, e) + integral(extra_rate_.col(e));
}

}  // namespace riskcurve
