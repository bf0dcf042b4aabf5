#include "integrate/sde_step.hpp"

#include <algorithm>
#include <cmath>

#include "integrate/propagator.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kLeast = 1e-300;  // a response is only defined for R > 0

/// decay = e^(-z), spread = int_0^1 e^(-2z(1-v)) ((1-v) from + v to) dv, mode by mode.
void relax(const ArrayXd& z, const ArrayXd& from, const ArrayXd& to, ArrayXd& decay,
           ArrayXd& spread) {
  decay.resize(z.size());
  spread.resize(z.size());
  for (Index at = 0; at < z.size(); at += kBlock) {
    const Block rate = load(z, at).max(0.0), once = (-rate).exp();
    const ScalarPropagator over(2 * rate);
    store(once, at, decay);
    store(load(from, at) * (over.moment.col(0) - over.moment.col(1)) +
              load(to, at) * over.moment.col(1),
          at, spread);
  }
}

/// Largest |change| of the entries of a over the largest entry.
double change_of(const ArrayXd& a, const ArrayXd& b) {
  const double scale = std::max(a.abs().maxCoeff(), b.abs().maxCoeff());
  return scale > 0 ? (b - a).abs().maxCoeff() / scale : 0;
}

}  // namespace

Rates SdeStep::scaled(const Now& now, const Response& response) const {
  Rates rates = system_.rates(
      Response{now.gamma * response.drift, now.gamma * now.gamma * response.diffusion});
  rates.diffusion = rates.diffusion.max(0.0);  // a sum of products may be a rounding below 0
  return rates;
}

void SdeStep::start(double t, const ArrayXd& s, const ArrayXd& e) {
  s_ = s;
  now_ = {t, schedule_(t), std::max(system_.risk(s), kLeast), e, &s_};
  response_ = system_.response(now_);
  rates_ = scaled(now_, response_);
}

double SdeStep::longest(double change, double most) const {
  const auto [loss, gain] = flux(system_, rates_, s_);
  double h = std::min(most, change * now_.risk / (std::abs(loss) + 0.5 * gain));
  if (method_ == SdeMethod::euler_maruyama) h = std::min(h, change / fastest());
  // The schedule, and a response that depends on time: by trial.
  while (h > change) {
    Now end = now_;
    end.time = std::nextafter(now_.time + h, now_.time);
    end.gamma = schedule_(end.time);
    const Response then = system_.response(end);
    const double gamma = now_.gamma;
    if (change_of(gamma * response_.drift, end.gamma * then.drift) <= change &&
        change_of(gamma * gamma * response_.diffusion, end.gamma * end.gamma * then.diffusion) <=
            change)
      break;
    h /= 2;
  }
  return std::min(most, std::max(h, change));
}

void SdeStep::finish(double h) {
  const bool extras = now_.extra.size() > 0;
  const ArrayXd slope = extras ? system_.extra_rate(now_) : ArrayXd();
  const ArrayXd& m = system_.multiplicity;
  const ArrayXd &rate = rates_.drift, &source = rates_.diffusion;
  if (method_ == SdeMethod::euler_maruyama) {
    decay = 1 - h * rate;
    deviation = (m > 0).select(h * source / m, 0.0).sqrt();
    extra = extras ? ArrayXd(now_.extra + h * slope) : now_.extra;
    return;
  }
  // The state at the end as it is on average under coefficients frozen at the start. From the left:
  // the schedule may jump there.
  relax(h * rate, source, source, decay, deviation);
  const ArrayXd ahead = decay.square() * s_ + h * deviation;
  const double t = std::nextafter(now_.time + h, now_.time);
  const Now end{t, schedule_(t), std::max(system_.risk(ahead), kLeast),
                extras ? ArrayXd(now_.extra + h * slope) : now_.extra, &ahead};
  const Rates then = scaled(end, system_.response(end));
  relax(0.5 * h * (rate + then.drift), source, then.diffusion, decay, deviation);
  deviation = (m > 0).select(h * deviation / m, 0.0).sqrt();
  extra = extras ? ArrayXd(now_.extra + 0.5 * h * (slope + system_.extra_rate(end))) : now_.extra;
}

}  // namespace riskcurve
