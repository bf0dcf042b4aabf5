#include "integrate/sde_step.hpp"

#include <algorithm>
#include <cmath>

#include "integrate/relaxation.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kLeast = 1e-300;  // a response is only defined for R > 0

void combine(const Eigen::ArrayXXd& products, const ArrayXd& by, double scale, ArrayXd& out) {
  out = (scale * by[0]) * products.col(0);
  for (Index q = 1; q < by.size(); ++q) out += (scale * by[q]) * products.col(q);
}

/// decay = e^(-z), spread = int_0^1 e^(-2z(1-v)) ((1-v) from + v to) dv, mode by mode.
void relax(const ArrayXd& z, const ArrayXd& from, const ArrayXd& to, ArrayXd& decay,
           ArrayXd& spread) {
  const Index n = z.size();
  decay.resize(n);
  spread.resize(n);
  for (Index at = 0; at < n; at += kBlock) {
    const Index count = std::min<Index>(kBlock, n - at);
    Block rate = Block::Zero();
    rate.head(count) = z.segment(at, count).max(0.0);
    const Block once = (-rate).exp();
    const BlockMoments moment = relaxation_moments(Block(2 * rate), Block(once.square()));
    decay.segment(at, count) = once.head(count);
    spread.segment(at, count) =
        from.segment(at, count) * (moment.col(0) - moment.col(1)).head(count) +
        to.segment(at, count) * moment.col(1).head(count);
  }
}

/// Largest |change| of the entries of a over the largest entry.
double change_of(const ArrayXd& a, const ArrayXd& b) {
  const double scale = std::max(a.abs().maxCoeff(), b.abs().maxCoeff());
  return scale > 0 ? (b - a).abs().maxCoeff() / scale : 0;
}

}  // namespace

void SdeStep::start(double t, const ArrayXd& s, const ArrayXd& extra) {
  t_ = t;
  s_ = s;
  extra_ = extra;
  gamma_ = schedule_(t);
  risk_ = std::max(system_.risk(s), kLeast);
  response_ = system_.response(t, risk_, extra);
  combine(system_.drift, response_.drift, gamma_, rate_);
  combine(system_.diffusion, response_.diffusion, gamma_ * gamma_, source_);
  source_ = source_.max(0.0);  // a sum of products may be a rounding below 0
}

double SdeStep::longest(double change, double most) const {
  const double loss = (system_.weight * rate_ * s_).sum();
  const double gain = 0.5 * (system_.weight * source_).sum();
  double h = std::min(most, change * risk_ / (std::abs(loss) + gain));
  if (method_ == SdeMethod::euler_maruyama) h = std::min(h, change / fastest());
  // The schedule, and a response that depends on time: by trial.
  while (h > change) {
    const double end = std::nextafter(t_ + h, t_), gamma = schedule_(end);
    const Response then = system_.response(end, risk_, extra_);
    if (change_of(gamma_ * response_.drift, gamma * then.drift) <= change &&
        change_of(gamma_ * gamma_ * response_.diffusion, gamma * gamma * then.diffusion) <= change)
      break;
    h /= 2;
  }
  return std::min(most, std::max(h, change));
}

void SdeStep::finish(double h) {
  const bool extras = extra_.size() > 0;
  const ArrayXd slope = extras ? system_.extra_rate(t_, risk_, extra_) : ArrayXd();
  const ArrayXd& m = system_.multiplicity;
  if (method_ == SdeMethod::euler_maruyama) {
    decay = 1 - h * rate_;
    deviation = (m > 0).select(h * source_ / m, 0.0).sqrt();
    extra = extras ? ArrayXd(extra_ + h * slope) : extra_;
    return;
  }
  // The risk at the end as it is on average under coefficients frozen at the start. From the left:
  // the schedule may jump there.
  relax(h * rate_, source_, source_, decay, deviation);
  const double predicted = std::max(system_.risk(decay.square() * s_ + h * deviation), kLeast);
  const double end = std::nextafter(t_ + h, t_), gamma = schedule_(end);
  const ArrayXd ahead = extras ? ArrayXd(extra_ + h * slope) : extra_;
  const Response response = system_.response(end, predicted, ahead);
  combine(system_.drift, response.drift, gamma, rate_end_);
  combine(system_.diffusion, response.diffusion, gamma * gamma, source_end_);
  source_end_ = source_end_.max(0.0);
  relax(0.5 * h * (rate_ + rate_end_), source_, source_end_, decay, deviation);
  deviation = (m > 0).select(h * deviation / m, 0.0).sqrt();
  extra = extras ? ArrayXd(extra_ + 0.5 * h * (slope + system_.extra_rate(end, predicted, ahead)))
                 : extra_;
}

}  // namespace riskcurve
