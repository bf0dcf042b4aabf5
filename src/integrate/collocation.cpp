#include "integrate/collocation.hpp"

#include <Eigen/LU>
#include <cmath>

namespace riskcurve {
namespace {

constexpr int kN = kStepNodes;
using Nodes = StepNodes;

/// sum_m p_m int_0^1 e^{-z(1-v)} v^m dv, z >= 0, given e^{-z}.
double relaxed(const Nodes& p, double z, double decay) {
  return (p * relaxation_moments(z, decay)).sum();
}

}  // namespace

bool Collocation::solve(const StepSize& step_size, const Eigen::ArrayXd& state, double t0, double h,
                        double newton_tolerance) {
  const ModeSystem& system = *system_;
  const Eigen::Index extras = system.extra_initial.size();
  const Eigen::Index unknowns = (kN - 1) * (1 + extras);
  step_size_ = &step_size;
  state_ = state;
  t0_ = t0;
  h_ = h;
  const double risk0 = system.risk(state.head(system.modes()));
  if (!(risk0 > 0) || !std::isfinite(risk0)) return false;

  // Unknowns: log R at nodes 1..4, then each extra state at nodes 1..4.
  Eigen::ArrayXd unknown(unknowns), value(unknowns), moved(unknowns), shifted(unknowns);
  unknown.head(kN - 1).setConstant(std::log(risk0));
  for (Eigen::Index e = 0; e < extras; ++e)
    unknown.segment((e + 1) * (kN - 1), kN - 1).setConstant(state[system.modes() + e]);

  Eigen::PartialPivLU<Eigen::MatrixXd> newton;
  double previous = INFINITY;
  for (int iteration = 0; iteration < 12; ++iteration) {
    if (!residual(unknown, value)) return false;
    const bool refresh = iteration == 0 || value.abs().maxCoeff() > 0.05 * previous;
    const double size = value.abs().maxCoeff();
    if (size <= newton_tolerance && iteration > 0) {
      estimate_error();
      return std::isfinite(error_);
    }
    if (iteration > 6 && size > previous) return false;
    previous = size;
    if (refresh) {
      Eigen::MatrixXd jacobian(unknowns, unknowns);
      for (Eigen::Index j = 0; j < unknowns; ++j) {
        shifted = unknown;
        const double delta = 1e-6 * std::max(1.0, std::abs(unknown[j]) * (j >= kN - 1));
        shifted[j] += delta;
        if (!residual(shifted, moved)) return false;
        jacobian.col(j) = ((moved - value) / delta).matrix();
      }
      newton.compute(jacobian);
    }
    Eigen::ArrayXd correction = newton.solve(value.matrix()).array();
    if (!correction.isFinite().all()) return false;
    // A risk may not move by more than a factor e^3 in one correction.
    const double largest = correction.head(kN - 1).abs().maxCoeff();
    if (largest > 3) correction *= 3 / largest;
    unknown -= correction;
  }
  return false;
}

void Collocation::fill_scalars(const Eigen::ArrayXd& unknown) {
  const ModeSystem& system = *system_;
  const Eigen::Index extras = system.extra_initial.size();
  Eigen::ArrayXd extra(extras);
  extra_.resize(kN, extras);
  extra_rate_.resize(kN, extras);
  drift_.resize(kN, system.drift.cols());
  diffusion_.resize(kN, system.diffusion.cols());
  for (int j = 0; j < kN; ++j) {
    const double t = t0_ + step_basis().node[j] * h_;
    double risk;
    if (j == 0) {
      risk = system.risk(state_.head(system.modes()));
      extra = state_.tail(extras);
    } else {
      risk = std::exp(unknown[j - 1]);
      for (Eigen::Index e = 0; e < extras; ++e) extra[e] = unknown[(e + 1) * (kN - 1) + j - 1];
    }
    const Response response = system.response(t, risk, extra);
    gamma_[j] = (*step_size_)(t);
    drift_.row(j) = response.drift.transpose();
    diffusion_.row(j) = response.diffusion.transpose();
    if (extras > 0) {
      extra_.row(j) = extra.transpose();
      extra_rate_.row(j) = system.extra_rate(t, risk, extra).transpose();
    }
  }
  speed_ = drift_.colwise() * gamma_;
  source_ = diffusion_.colwise() * gamma_.square();
}

void Collocation::fill_clocks() {
  clock_ = (h_ * (step_basis().integrate * speed_.matrix())).array();
  if (speed_.cols() != 1) return;
  // One clock for all modes: the source in powers of its fraction, once. (gamma n/g, not a quotient
  // of products: a schedule may end at gamma = 0.)
  const double total = clock_(kN - 1, 0);
  const Nodes fraction = clock_.col(0) / total;
  polynomial_.resize(kN, source_.cols());
  for (Eigen::Index r = 0; r < source_.cols(); ++r)
    polynomial_.col(r) = monomials(fraction, gamma_ * diffusion_.col(r) / drift_.col(0) * total);
}

void Collocation::modes_at(const Nodes& theta_power, const Eigen::ArrayXd& clock,
                           Eigen::ArrayXd& s) const {
  // Powers of the clock fraction at the evaluation point turn int_0^u into int_0^1.
  const ModeSystem& system = *system_;
  const Eigen::Index modes = system.modes();
  if (speed_.cols() == 1) {
    const double total = clock_(kN - 1, 0), u = clock[0] / total;
    Eigen::ArrayXXd scaled = polynomial_;
    double power = u;
    for (int m = 0; m < kN; ++m, power *= u) scaled.row(m) *= power;
    for (Eigen::Index k = 0; k < modes; ++k) {
      const double z = 2 * system.drift(k, 0) * clock[0];
      const double decay = std::exp(-z);
      double gained = 0;
      for (Eigen::Index r = 0; r < source_.cols(); ++r)
        if (system.diffusion(k, r) != 0)
          gained += system.diffusion(k, r) * relaxed(scaled.col(r), z, decay);
      s[k] = decay * state_[k] + gained;
    }
    return;
  }
  // Several responses: every mode has a clock, and a source in powers of it, of its own.
  for (Eigen::Index k = 0; k < modes; ++k) {
    const Nodes rate = (drift_.matrix() * system.drift.row(k).matrix().transpose()).array();
    const Nodes noise =
        (diffusion_.matrix() * system.diffusion.row(k).matrix().transpose()).array();
    const Nodes own = (clock_.matrix() * system.drift.row(k).matrix().transpose()).array();
    const double now = (system.drift.row(k).transpose() * clock).sum(), total = own[kN - 1];
    if (!(rate.minCoeff() > 0) || !(total > 0)) {  // no drift: a plain integral
      const Nodes p = (step_basis().to_monomial * (gamma_.square() * noise).matrix()).array();
      double gained = 0;
      for (int m = 0; m < kN; ++m) gained += p[m] * theta_power[m] / (m + 1);
      s[k] = state_[k] + h_ * gained;
      continue;
    }
    Nodes p = monomials(own / total, gamma_ * noise / rate * total);
    const double u = now / total, decay = std::exp(-2 * now);
    double power = u;
    for (int m = 0; m < kN; ++m, power *= u) p[m] *= power;
    s[k] = decay * state_[k] + relaxed(p, 2 * now, decay);
  }
}

bool Collocation::residual(const Eigen::ArrayXd& unknown, Eigen::ArrayXd& out) {
  ++evaluations_;
  fill_scalars(unknown);
  fill_clocks();
  if (!speed_.isFinite().all() || !source_.isFinite().all() || !extra_rate_.isFinite().all())
    return false;
  if (speed_.cols() == 1 && !(drift_.minCoeff() > 0 && clock_(kN - 1, 0) > 0)) return false;
  const Eigen::Index extras = system_->extra_initial.size();
  scratch_.resize(system_->modes());
  for (int j = 1; j < kN; ++j) {
    Nodes power;
    for (int m = 0; m < kN; ++m) power[m] = std::pow(step_basis().node[j], m + 1);
    modes_at(power, clock_.row(j).transpose(), scratch_);
    const double risk = system_->risk(scratch_);
    if (!(risk > 0) || !std::isfinite(risk)) return false;
    out[j - 1] = unknown[j - 1] - std::log(risk);
    for (Eigen::Index e = 0; e < extras; ++e)
      out[(e + 1) * (kN - 1) + j - 1] =
          extra_(j, e) - extra_(0, e) -
          h_ * step_basis().integrate.row(j).dot(extra_rate_.col(e).matrix());
  }
  return true;
}

void Collocation::accept() {
  clock_so_far_ += clock_.row(kN - 1).transpose();
  source_so_far_ +=
      h_ * (step_basis().integrate * source_.abs().matrix()).row(kN - 1).transpose().array();
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
  for (Eigen::Index e = 0; e < extra_.cols(); ++e)
    error_ = std::max(error_, relative(h_ * extra_rate_.col(e), extra_.col(e).abs().maxCoeff()));
}

void Collocation::state_at(double theta, Eigen::ArrayXd& out) const {
  const Eigen::Index modes = system_->modes(), extras = system_->extra_initial.size();
  out.resize(modes + extras);
  Nodes power;
  for (int m = 0; m < kN; ++m) power[m] = std::pow(theta, m + 1);
  const auto integral = [&](const Eigen::ArrayXd& values) {
    const Nodes p = (step_basis().to_monomial * values.matrix()).array();
    double sum = 0;
    for (int m = 0; m < kN; ++m) sum += p[m] * power[m] / (m + 1);
    return h_ * sum;
  };
  Eigen::ArrayXd clock(speed_.cols()), s(modes);
  for (Eigen::Index q = 0; q < speed_.cols(); ++q) clock[q] = integral(speed_.col(q));
  modes_at(power, clock, s);
  out.head(modes) = s;
  for (Eigen::Index e = 0; e < extras; ++e)
    out[modes + e] = extra_(0, e) + integral(extra_rate_.col(e));
}

}  // namespace riskcurve
