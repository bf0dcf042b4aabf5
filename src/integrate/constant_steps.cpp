#include "integrate/constant_steps.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "integrate/propagator.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr int kLater = kStepNodes - 1;
constexpr int kAnOctave = 2;  // lengths of panels
constexpr int kMostPanels = 20000;
constexpr double kGrowthInClock = 1e30;  // over the start: divergence

double length_of(int panel) {
  return std::exp2(static_cast<double>(panel) / kAnOctave);
}
int panel_below(double length) {
  return static_cast<int>(std::floor(kAnOctave * std::log2(std::clamp(length, 1e-290, 1e290))));
}

/// The share that the T_4 coefficient, integrated, has in the integral, or in a thousandth of what
/// came before.
double rough_error(const StepNodes& values, double so_far, double length) {
  const double scale = std::max(values.mean(), 1e-3 * so_far / length);
  return std::abs((values * step_basis().last_chebyshev).sum()) / (15 * scale);
}

/// Where the integral of a positive polynomial comes to a share of the whole.
double where(const StepNodes& values, double wanted) {
  const StepNodes p = (step_basis().to_monomial * values.matrix()).array();
  const auto integral = [&](double u) {
    return u * (p[0] + u * (p[1] / 2 + u * (p[2] / 3 + u * (p[3] / 4 + u * p[4] / 5))));
  };
  double low = 0, high = 1, u = wanted / integral(1);
  for (int i = 0; i < 60; ++i) {
    const double error = integral(u) - wanted;
    (error > 0 ? high : low) = u;
    const double slope = p[0] + u * (p[1] + u * (p[2] + u * (p[3] + u * p[4])));
    double next = u - error / slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - u) < 1e-12) return next;
    u = next;
  }
  return u;
}

}  // namespace

bool ConstantSteps::knows(const ModeSystem& system) {
  if (system.drift.cols() != 1 || system.diffusion.cols() != 1 || system.extra_initial.size() > 0 ||
      system.blocks || system.directions || system.filtered || system.squares ||
      !system.breaks.empty() || (system.diffusion < 0).any() || !(system.drift > 0).any())
    return false;
  const double risk = system.risk(system.initial);
  if (!(risk > kVanishedRisk)) return false;
  const auto response = [&](double time, double gamma) {
    return system.response(Now{time, gamma, risk, {}, &system.initial});
  };
  const Response first = response(0, 1);
  for (const auto& [time, gamma] : {std::array{7.0, 1e-3}, std::array{1e6, 1e3}}) {
    const Response other = response(time, gamma);
    if (other.drift[0] != first.drift[0] || other.diffusion[0] != first.diffusion[0]) return false;
  }
  return true;
}

ConstantSteps::ConstantSteps(const ModeSystem& system, double rtol)
    : system_(&system), rtol_(rtol), rate_(system.modes()), start_(system.modes()) {
  std::vector<Index> order(static_cast<std::size_t>(system.modes()));
  std::iota(order.begin(), order.end(), 0);
  const auto noisy = std::stable_partition(order.begin(), order.end(), [&](Index k) {
    return system.weight[k] * system.diffusion(k, 0) == 0;
  });
  rate_ = 2 * system.drift.col(0)(order);
  start_ = 0.5 * (system.weight * system.initial)(order);
  noise_ = 0.5 * (system.weight * system.diffusion.col(0))(order).tail(order.end() - noisy);
}

const ConstantSteps::Span& ConstantSteps::span(int length) {
  const auto [found, missing] = spans_.try_emplace(length);
  Span& span = found->second;
  if (!missing) return span;
  const StepBasis& basis = step_basis();
  const double h = length_of(length);
  const Index modes = rate_.size(), noisy = noise_.size(), quiet = modes - noisy;
  span.kept.resize(modes, kLater);
  span.gained.resize(noisy, kStepNodes);
  span.gain.setZero();
  const Block none = Block::Zero();
  for (int j = 1; j < kStepNodes; ++j) {
    const double u = basis.node[j];
    for (Index first = 0; first < quiet; first += kBlock) {
      const Index count = std::min<Index>(kBlock, quiet - first);
      Block decay = Block::Ones();
      relax(h * u * load(rate_.head(quiet), first), none, StepNodes::Zero(), decay);
      span.kept.col(j - 1).segment(first, count) = decay.head(count).matrix();
    }
    StepNodes moment = StepNodes::Zero();
    for (Index first = 0; first < noisy; first += kBlock) {
      const Index count = std::min<Index>(kBlock, noisy - first);
      const ScalarPropagator over(h * u * load(rate_.tail(noisy), first));
      span.kept.col(j - 1).segment(quiet + first, count) = over.decay.head(count).matrix();
      const BlockNodes of = over.moment.colwise() * load(noise_, first);
      moment += of.colwise().sum().transpose();
      if (j == kLater)
        span.gained.middleRows(first, count) = h * of.matrix().topRows(count) * basis.to_monomial;
    }
    double power = h * u;
    for (int m = 0; m < kStepNodes; ++m, power *= u) moment[m] *= power;
    span.gain.row(j - 1) = moment.matrix().transpose() * basis.to_monomial;
  }
  return span;
}

void ConstantSteps::respond(Course& course, int node) const {
  Now now;
  now.risk = course.risk[node];
  const Response response = system_->response(now);
  course.source[node] = response.diffusion[0] / response.drift[0];
  course.per_clock[node] = 1 / response.drift[0];
}

/// From node 0 to the others. The first guess has n/g as a power of R.
bool ConstantSteps::advance(const Span& span, double step, Course& course) {
  using Later = Eigen::Array<double, kLater, 1>;
  using Square = Eigen::Matrix<double, kLater, kLater>;
  const Later kept = (span.kept.transpose() * mass_).array();
  const double risk = course.risk[0], source = course.source[0];
  Later guess = Later::Constant(risk), of_guess = Later::Constant(source);
  bool known = false;  // of_guess is the system's
  for (int i = 0; i < 16; ++i) {
    StepNodes at;
    at << source, of_guess;
    const Later error = guess - kept - step * (span.gain * at.matrix()).array();
    if (!error.isFinite().all()) return false;
    if (known && (error.abs() < 1e-3 * rtol_ * guess).all()) {
      course.risk.tail<kLater>() = guess;
      course.source.tail<kLater>() = of_guess;
      return (course.per_clock > 0).all();
    }
    const Later slope = exponent_ * of_guess / guess;
    const Square newton =
        Square::Identity() - step * span.gain.rightCols<kLater>() * slope.matrix().asDiagonal();
    const Later change = (newton.inverse() * error.matrix()).array();
    if (!change.isFinite().all()) return false;
    guess = (change < 0.95 * guess).select(guess - change, 0.05 * guess);
    if (i == 0) {
      of_guess = source * (guess / risk).pow(exponent_);
      continue;
    }
    Course next = course;
    next.risk.tail<kLater>() = guess;
    for (int j = 1; j < kStepNodes; ++j) respond(next, j);
    of_guess = next.source.tail<kLater>();
    course.per_clock = next.per_clock;
    known = true;
    const double moved = std::log(guess[kLater - 1] / risk);
    if (std::abs(moved) > 1e-4) {
      const double exponent = std::log(of_guess[kLater - 1] / source) / moved;
      if (std::isfinite(exponent)) exponent_ = std::clamp(exponent, -3.0, 3.0);
    }
  }
  return false;
}

double ConstantSteps::risk_after(double horizon, double step) {
  const StepBasis& basis = step_basis();
  mass_ = start_.matrix();
  Course course;
  course.risk[0] = start_.sum();
  respond(course, 0);
  exponent_ = 0.5;
  const double most = kGrowthInClock * std::max(course.risk[0], 1e-250);
  double time = 0, source_so_far = 0;
  int next = panel_below(0.02 / rate_.maxCoeff());
  for (int i = 0; i < kMostPanels; ++i) {
    // Not much beyond what is left at this pace.
    const int length =
        std::min(next, 1 + panel_below((horizon - time) * step / course.per_clock[0]));
    const double h = length_of(length);
    const Span& over = span(length);
    Course tried = course;
    if (!advance(over, step, tried)) {
      next = length - 2 * kAnOctave;
      continue;
    }
    const double error = std::max(rough_error(tried.source, source_so_far, h),
                                  rough_error(tried.per_clock, time * step, h)) /
                         rtol_;
    const int change = static_cast<int>(
        std::floor(kAnOctave * std::log2(0.9 * std::pow(std::max(error, 1e-12), -0.2))));
    if (!(error <= 1)) {
      next = length + std::clamp(change, -3 * kAnOctave, -1);
      continue;
    }
    const double taken = h / step * basis.integrate.row(kLater).dot(tried.per_clock.matrix());
    if (!(time + taken > time)) break;
    if (time + taken >= horizon) {
      const double u = where(tried.per_clock, (horizon - time) * step / h);
      const StepNodes p = (basis.to_monomial * tried.risk.log().matrix()).array();
      return std::exp(p[0] + u * (p[1] + u * (p[2] + u * (p[3] + u * p[4]))));
    }
    time += taken;
    source_so_far += h * basis.integrate.row(kLater).dot(tried.source.matrix());
    mass_.array() *= over.kept.col(kLater - 1).array();
    mass_.tail(noise_.size()) += step * (over.gained * tried.source.matrix());
    for (StepNodes* of : {&tried.risk, &tried.source, &tried.per_clock}) (*of)[0] = (*of)[kLater];
    course = tried;
    if (course.risk[0] > most) return HUGE_VAL;
    if (course.risk[0] < kVanishedRisk) return 0;
    next = length + std::clamp(change, -kAnOctave, 2 * kAnOctave);
  }
  return std::nan("");
}

}  // namespace riskcurve
