#include "dynamics/resolvent.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dynamics/newton.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

ResolventCurve::Side ResolventCurve::side(const Spectrum& spectrum, const char* field,
                                          double batch) {
  const auto used = (spectrum.value > 0 && spectrum.multiplicity > 0).eval();
  Side s;
  s.value.resize(used.count());
  s.weight.resize(used.count());
  for (Index k = 0, n = 0; k < spectrum.size(); ++k) {
    if (!used[k]) continue;
    s.value[n] = spectrum.value[k];
    s.weight[n++] = spectrum.multiplicity[k] / batch;
  }
  if (s.value.size() == 0) throw InputError(field, "0", "at least one positive eigenvalue");
  if (!(s.value.maxCoeff() < 1e40 * s.value.minCoeff()))
    throw InputError(field, s.value.maxCoeff() / s.value.minCoeff(),
                     "the ratio of the largest to the least eigenvalue > 0 below 1e40");
  return s;
}

ResolventCurve::ResolventCurve(const Spectrum& out, const Spectrum& in, double batch)
    : batch_(batch) {
  if (!(batch > 0 && std::isfinite(batch)))
    throw InputError("optimizer.batch", batch, "a finite number > 0");
  out_ = side(out, "problem.covariance_out, eigenvalues", batch);
  in_ = side(in, "problem.covariance_in, eigenvalues", batch);
  const double out_limit = out_.weight.sum(), in_limit = in_.weight.sum();
  p_max_ = std::min({1.0, out_limit, in_limit});
  // Ties are decided up to the roundoff of the sums: a false excess of 1e-16 would matter at p_max.
  const auto excess = [&](double limit) {
    return limit > p_max_ * (1 + 1e-12) ? limit - p_max_ : 0.0;
  };
  out_.excess = excess(out_limit);
  in_.excess = excess(in_limit);
  excess_ = excess(1);
  primary_ = out_binds() ? Primary::out : in_binds() ? Primary::in : Primary::batch;
}

ResolventCurve::Side::Sums ResolventCurve::Side::at(double log_a) const {
  const double a = std::exp(log_a);
  Sums s{0, 0, 0};
  for (Index k = 0; k < value.size(); ++k) {
    const double free = 1 / (1 + a * value[k]), held = a * value[k] * free;
    s.p += weight[k] * held;
    s.rest += weight[k] * free;
    s.slope += weight[k] * held * free;
  }
  return s;
}

double ResolventCurve::Side::solve(double p, double rest, double start) const {
  // The odds p/rest lie between those of the smallest and of the largest eigenvalue.
  const double target = std::log(p / rest);
  const double low = target - std::log(value.maxCoeff());
  const double high = target - std::log(value.minCoeff());
  if (high - low < 1e-14) return low;
  return increasing_root(
      [&](double x) {
        const Sums s = at(x);
        return std::pair{std::log(s.p / s.rest) - target, s.slope * (1 / s.p + 1 / s.rest)};
      },
      start, low - 1e-12, high + 1e-12);
}

MatrixXd ResolventCurve::Side::pairs(const ArrayXd& log_a) const {
  const ArrayXd a = log_a.exp();
  MatrixXd v(log_a.size(), value.size());
  for (Index k = 0; k < value.size(); ++k)
    v.col(k) = std::sqrt(weight[k] * value[k]) / (1 + a * value[k]);
  return v * v.transpose();
}

double ResolventCurve::Point::log_t() const {
  return std::log(p) - 0.5 * (log_a + log_b + log_m);
}

double ResolventCurve::Point::dp() const {
  return -2 / (1 / slope_a + 1 / slope_b + 1 / slope_m - 2 / p);
}

ResolventCurve::Point ResolventCurve::point(double primary, const Point& guess,
                                            const ResidualTransform& residual) const {
  Point x = guess;
  const auto set_out = [&](double log_a) {
    const Side::Sums s = out_.at(x.log_a = log_a);
    x.slope_a = s.slope;
    return s;
  };
  const auto set_in = [&](double log_b) {
    const Side::Sums s = in_.at(x.log_b = log_b);
    x.slope_b = s.slope;
    return s;
  };
  const auto set_batch = [&](double log_m) {
    const ResidualTransform::Values s = residual.at(x.log_m = log_m);
    x.slope_m = s.slope;
    x.chi = s.chi;
    return s;
  };
  const auto take = [&](const auto& s) {
    x.p = s.p;
    x.rest = s.rest;
  };
  if (primary_ == Primary::out) take(set_out(primary));
  if (primary_ == Primary::in) take(set_in(primary));
  if (primary_ == Primary::batch) take(set_batch(primary));
  if (primary_ != Primary::out) set_out(out_.solve(x.p, out_.excess + x.rest, guess.log_a));
  if (primary_ != Primary::in) set_in(in_.solve(x.p, in_.excess + x.rest, guess.log_b));
  if (primary_ != Primary::batch) set_batch(residual.log_m(x.p, excess_ + x.rest, guess.log_m));
  return x;
}

ResolventCurve::Point ResolventCurve::first_guess(const ResidualTransform& residual) const {
  Point x{};
  x.p = x.rest = 0.5 * p_max_;
  x.log_a = out_.solve(x.p, out_.excess + x.rest, 0);
  x.log_b = in_.solve(x.p, in_.excess + x.rest, 0);
  x.log_m = residual.log_m(x.p, excess_ + x.rest);
  return point(primary_ == Primary::out  ? x.log_a
               : primary_ == Primary::in ? x.log_b
                                         : x.log_m,
               x, residual);
}

ResolventPoints ResolventCurve::at(const ArrayXd& log_t, const ResidualTransform& residual) const {
  const Index n = log_t.size();
  ResolventPoints r;
  for (ArrayXd* column :
       {&r.p, &r.rest, &r.log_a, &r.log_b, &r.log_m, &r.log_t, &r.dp, &r.dlog_t, &r.chi})
    column->resize(n);
  Point x = first_guess(residual);
  for (Index k = 0; k < n; ++k) {
    double primary = primary_ == Primary::out  ? x.log_a
                     : primary_ == Primary::in ? x.log_b
                                               : x.log_m;
    const auto slope = [&] {  // -dlog t/d(primary)
      const double s = primary_ == Primary::out  ? x.slope_a
                       : primary_ == Primary::in ? x.slope_b
                                                 : x.slope_m;
      return -s / x.dp();
    };
    // A first-order step along the curve, all three unknowns at once: the inner solves start close.
    const double step = log_t[k] - x.log_t(), dp = x.dp();
    if (std::abs(step) < 2) {
      x.log_a += step * dp / x.slope_a;
      x.log_b += step * dp / x.slope_b;
      x.log_m += step * dp / x.slope_m;
      primary = primary_ == Primary::out ? x.log_a : primary_ == Primary::in ? x.log_b : x.log_m;
    }
    primary = increasing_root(
        [&](double u) {
          x = point(u, x, residual);
          return std::pair{log_t[k] - x.log_t(), slope()};
        },
        primary);
    x = point(primary, x, residual);
    r.p[k] = x.p;
    r.rest[k] = x.rest;
    r.log_a[k] = x.log_a;
    r.log_b[k] = x.log_b;
    r.log_m[k] = x.log_m;
    r.log_t[k] = x.log_t();
    r.dp[k] = x.dp();
    r.dlog_t[k] = 1;
    r.chi[k] = x.chi;
  }
  return r;
}

ResolventPoints ResolventCurve::moved(const ResolventPoints& points,
                                      const ResidualTransform& residual) const {
  ResolventPoints r = points;
  double shift = 0;  // of log m, from one point to the next
  for (Index k = 0; k < r.size(); ++k) {
    const double p = r.p[k], rest = excess_ + r.rest[k];
    r.log_m[k] = residual.log_m(p, rest, points.log_m[k] + shift);
    shift = r.log_m[k] - points.log_m[k];
    const ResidualTransform::Values v = residual.at(r.log_m[k]);
    r.chi[k] = v.chi;
    r.log_t[k] -= 0.5 * shift;
    const double slope_a = out_.at(r.log_a[k]).slope, slope_b = in_.at(r.log_b[k]).slope;
    r.dlog_t[k] = r.dp[k] * (1 / p - 0.5 * (1 / slope_a + 1 / slope_b + 1 / v.slope));
  }
  return r;
}

ResolventCurve::Range ResolventCurve::range(const ResidualTransform& residual, double depth) const {
  Point x = first_guess(residual);
  const double stride = 1;
  const auto primary = [&] {
    return primary_ == Primary::out ? x.log_a : primary_ == Primary::in ? x.log_b : x.log_m;
  };
  const auto small = [&] {
    return std::max({std::exp(x.log_a) * out_.value.maxCoeff(),
                     std::exp(x.log_b) * in_.value.maxCoeff(), x.p}) <= depth;
  };
  const auto saturated = [&] {
    return (!out_binds() || std::exp(x.log_a) * out_.value.minCoeff() >= 1 / depth) &&
           (!in_binds() || std::exp(x.log_b) * in_.value.minCoeff() >= 1 / depth) &&
           (!batch_binds() || x.rest <= depth);
  };
  const Point middle = x;
  while (!small()) x = point(primary() - stride, x, residual);
  const double high = x.log_t();
  x = middle;
  while (!saturated()) x = point(primary() + stride, x, residual);
  return {x.log_t(), high};
}

MatrixXd ResolventCurve::out_pairs(const ResolventPoints& points) const {
  return out_.pairs(points.log_a);
}

MatrixXd ResolventCurve::in_pairs(const ResolventPoints& points) const {
  return in_.pairs(points.log_b);
}

double ResolventCurve::difference(const ResolventPoints& x, Index k, Index l, const MatrixXd& out,
                                  const MatrixXd& in) const {
  // The unknown that the curve is followed in is exact where p hardly moves (a gap in the
  // spectrum).
  if (primary_ == Primary::out)
    return std::exp(x.log_a[l]) * std::expm1(x.log_a[k] - x.log_a[l]) * out(k, l);
  if (primary_ == Primary::in)
    return std::exp(x.log_b[l]) * std::expm1(x.log_b[k] - x.log_b[l]) * in(k, l);
  return x.p[k] < x.rest[k] ? x.p[k] - x.p[l] : x.rest[l] - x.rest[k];
}

}  // namespace riskcurve
