#include "dynamics/filtered_resolvent.hpp"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr double kStep = 0.5;  // of log x
constexpr int kMostNodes = 400;
constexpr double kFar = 1e3;   // t^2 over all variance at the first node
constexpr double kNear = 1e5;  // x over 1/V at the last
constexpr double kRemembers = 1e-6;
constexpr double kFaint = 1e-14;    // of the largest variance: not waited for
constexpr double kClose = 1e-8;     // to where t = 0
constexpr double kRanked = 0.02;    // of a rank of samples: beyond, powers are extrapolated
constexpr double kFull = 1 - 1e-5;  // of the rank, where that is the batch

/// V_j and its slope by log m.
struct Variances {
  ArrayXd value, slope;
};

class Equation {
 public:
  Equation(const Columns& columns, const FilteredGradient& gradient, const Saturation& now,
           const Saturation::Held& lags, double variance, double shift)
      : columns_(columns), now_(now), lags_(lags), shift_(shift) {
    const double r = gradient.fresh, p = gradient.share;
    const ArrayXd square = columns.lambda.square();
    error_ = r * r * square * gradient.error;
    cross_ = 2 * r * p * square * gradient.cross;
    memory_ = p * p * square * gradient.signal;
    const double power = 2 * gradient.risk + variance;
    sampled_ = columns.lambda * (power + 2 * columns.rows * columns.lambda * gradient.error) /
               columns.batch;
    fresh_ = r * r * sampled_;
    noise_ = p * p * square * gradient.noise;
    log_fresh_ = std::log(std::max(r * r * power, 1e-300));
    log_past_ = std::log(std::max(2 * gradient.memory + variance, 1e-300));
  }

  ArrayXd unsaturated() const { return error_ + cross_ + memory_ + fresh_ + noise_; }

  /// chi_0, chi_1, A_0; of heads, fresh and fresh_noise.
  struct Factors {
    double fresh, memory, fresh_noise;
    std::vector<Saturation::Fresh> heads;
  };
  Variances at(double log_m, Factors& factors) const {
    const auto fresh = now_.fresh(log_m + log_fresh_);
    const auto chi = lags_.drift(log_m + log_past_), kept = lags_.square(log_m + log_past_);
    const double b = chi.at;
    factors = {fresh.drift.at, b, fresh.noise.at, {}};
    const auto value = [&](const Saturation::Fresh& f, const auto& of) {
      const double a = f.drift.at;
      return a * a * of(error_) + a * b * of(cross_) + b * b * of(memory_) +
             f.noise.at * of(fresh_) + kept.at * of(noise_);
    };
    const auto slope = [&](const Saturation::Fresh& f, const auto& of) {
      const double a = f.drift.at;
      return 2 * a * f.drift.slope * of(error_) + (a * chi.slope + b * f.drift.slope) * of(cross_) +
             2 * b * chi.slope * of(memory_) + f.noise.slope * of(fresh_) + kept.slope * of(noise_);
    };
    const auto all = [](const ArrayXd& x) -> const ArrayXd& { return x; };
    Variances v;
    v.value = value(fresh, all);
    v.slope = slope(fresh, all);
    for (const Index j : now_.heads()) {
      factors.heads.push_back(now_.fresh(log_m + log_fresh_, j));
      const auto one = [j](const ArrayXd& x) { return x[j]; };
      v.value[j] = value(factors.heads.back(), one);
      v.slope[j] = slope(factors.heads.back(), one);
    }
    return v;
  }

  struct Point {
    double x, log_m, square;   // tau^2 = t^2 - shift^2
    double rise, square_rise;  // dlog m/dlog x, dt^2/dlog x
    ArrayXd variance, held;
    Factors factors;
    double stretch = 1;  // dlog x/dy
  };
  /// Newton for log m from a guess.
  Point solve(double x, double log_m) const {
    Point point{x, log_m, 0, 0, 0, {}, {}, {}, 1};
    for (int i = 0;; ++i) {
      const Variances v = at(point.log_m, point.factors);
      const ArrayXd whole = 1 + v.value * x;
      const ArrayXd w = columns_.count * columns_.lambda / whole;
      point.held = v.value * x / whole;
      const double sum = w.sum(), held = (w * point.held).sum() / sum;
      const double falls = 1 + (w * x * v.slope / whole).sum() / sum;
      const double miss = point.log_m - std::log(x / (columns_.batch * columns_.batch) * sum);
      if (std::abs(miss) > 1e-12 && i < 60) {
        point.log_m -= std::clamp(miss / falls, -3.0, 3.0);
        continue;
      }
      point.rise = (1 - held) / falls;
      point.variance = v.value;
      const double left = (columns_.rows - columns_.count.sum()) + (columns_.count / whole).sum();
      point.square = left / x - shift_ * shift_;
      point.square_rise =
          -left / x - (columns_.count * (v.value + v.slope * point.rise) / whole.square()).sum();
      return point;
    }
  }

 private:
  const Columns& columns_;
  const Saturation& now_;
  const Saturation::Held& lags_;
  ArrayXd error_, cross_, memory_, sampled_, fresh_, noise_;
  double log_fresh_, log_past_, shift_;
};

/// Nodes x = 1/(e^-y + 1/top), y uniform: from t far above all singular values to t near 0.
/// rank: how many samples are in the filter.
std::vector<Equation::Point> nodes(const Columns& columns, const Equation& equation, double rank,
                                   const ResolventMixture& f) {
  const ArrayXd variance = equation.unsaturated();
  const double all = (columns.count * variance).sum() + f.shift * f.shift;
  const double far = std::pow(kFar, 1 + std::max(f.exponent, 0.0));  // g^q lies further out
  const double first = std::log(columns.rows / (far * all));
  const double weight = (columns.count * columns.lambda).sum() / (columns.batch * columns.batch);
  double top = 0;  // 1/x at t = 0
  for (;;) {
    std::vector<Equation::Point> points;
    double log_m = first + std::log(weight), log_x = first;
    bool again = false;
    for (int i = 0; i < kMostNodes; ++i) {
      const double x = 1 / (std::exp(-(first + kStep * i)) + top);
      if (!points.empty()) log_m = points.back().log_m + points.back().rise * (std::log(x) - log_x);
      Equation::Point point = equation.solve(x, log_m);
      if (!(point.square > 0)) {
        if (top > 0 || points.empty()) break;
        // More columns than rows, or a shift: where tau comes to 0.
        boost::uintmax_t most = 60;
        const auto square = [&](double at) {
          return equation.solve(std::exp(at), points.back().log_m).square;
        };
        const double low = std::log(points.back().x), high = std::log(x);
        const auto [a, b] =
            boost::math::tools::toms748_solve(square, low, high, points.back().square, point.square,
                                              boost::math::tools::eps_tolerance<double>(46), most);
        top = std::exp(-0.5 * (a + b));
        again = true;
        break;
      }
      log_x = std::log(x);
      point.stretch = 1 - top * x;
      points.push_back(std::move(point));
      const ArrayXd& v = points.back().variance;
      const bool near =
          top > 0
              ? points.back().stretch < kClose
              : ((columns.lambda > 0) && (v > kFaint * v.maxCoeff())).select(v, 1e300).minCoeff() *
                        x >
                    kNear;
      const bool few = rank < std::min(columns.rows, columns.count.sum());
      if (near || (few && (columns.count * points.back().held).sum() > kFull * rank)) break;
    }
    if (!again) return points;
  }
}

/// Sums over the nodes; beyond the ends what is summed is geometric in y.
class MixtureSums {
 public:
  /// by_samples: whether the rank is that of the samples.
  MixtureSums(const std::vector<Equation::Point>& points, const ResolventMixture& f,
              bool by_samples)
      : points_(points),
        by_samples_(by_samples),
        q_(std::min(f.exponent, 1 - 1e-9)),
        cosine_(std::sin(0.5 * std::numbers::pi * (1 - std::abs(q_)))) {}

  /// (2/pi) cos(pi q/2) tau^q dtau of node i.
  double weight(std::size_t i) const {
    const double beyond = i == 0                    ? end(0.5 * (1 - q_))
                          : i + 1 == points_.size() ? end((1 + q_) * fall(i))
                                                    : 1;
    return 2 / std::numbers::pi * cosine_ * kStep * fall(i) *
           std::pow(points_[i].square, 0.5 * (1 + q_)) * beyond;
  }
  /// (2/pi) sin(pi |q|) int tau^(2q - 1) Y dtau of g^q, Y = Z, of q < 0 its end C less Z.
  ArrayXd power() const {
    const std::size_t last = points_.size() - 1;
    if (q_ > 0) {
      const double ends = 2 * q_ * fall(last);
      return integral([&](std::size_t i) { return points_[i].held; }, last, 1 - q_, ends);
    }
    // How small singular values thin out depends on samples and sides: seen over a few nodes.
    const auto held = [this](std::size_t i) -> const ArrayXd& { return points_[i].held; };
    const std::size_t few = std::min<std::size_t>(4, last / 2);
    std::size_t before = last - few;
    ArrayXd whole = held(last);
    if (by_samples_) {  // where what samples keep is known to a thousandth
      while (before > few && (whole - held(before)).sum() < kRanked * whole.sum()) --before;
    } else {
      const double ratio = (whole - held(before)).sum() / (held(before) - held(before - few)).sum();
      whole += (whole - held(before)) * (ratio / (1 - ratio));
    }
    const double left = (whole - held(before)).sum() / (whole - held(before - few)).sum();
    const double ends =
        -std::log(left) / (static_cast<double>(few) * kStep) + 2 * q_ * fall(before);
    if (!(left > 0 && ends > 0.02))
      throw InputError("optimizer.exponent", q_,
                       "larger: singular values of the gradient reach 0 and E f^2 is infinite");
    return integral([&](std::size_t i) -> ArrayXd { return whole - held(i); }, before, -q_, ends);
  }

 private:
  template <class Of>
  ArrayXd integral(const Of& of, std::size_t last, double first_decay, double last_decay) const {
    ArrayXd sum = ArrayXd::Zero(points_[0].held.size());
    for (std::size_t i = 0; i <= last; ++i) {
      const double beyond = i == 0 ? end(first_decay) : i == last ? end(last_decay) : 1;
      sum += beyond * kStep * fall(i) * std::pow(points_[i].square, q_) * of(i);
    }
    return sum * (4 / std::numbers::pi * cosine_ * std::sin(0.5 * std::numbers::pi * std::abs(q_)));
  }
  /// -dlog tau/dy.
  double fall(std::size_t i) const {
    return -points_[i].square_rise * points_[i].stretch / (2 * points_[i].square);
  }
  static double end(double decay) { return 1 / -std::expm1(-decay * kStep); }
  const std::vector<Equation::Point>& points_;
  bool by_samples_;
  double q_, cosine_;
};

}  // namespace

std::shared_ptr<FilteredResolvent> filtered_resolvent(const Columns& columns, const NoiseLaw& noise,
                                                      double risk, double memory,
                                                      const FilteredGradient& gradient,
                                                      const FilteredResolvent* last,
                                                      const ResolventMixture& f) {
  auto result = std::make_shared<FilteredResolvent>();
  const ArrayXd share = columns.rows * columns.lambda * gradient.error;
  const auto table = [&](double of_risk, const ArrayXd& of,
                         const std::shared_ptr<const Saturation>* old) {
    return old && (*old)->serves(of_risk, of)
               ? *old
               : std::make_shared<const Saturation>(noise, of_risk, of, columns.count);
  };
  result->now = table(risk, share, last ? &last->now : nullptr);
  // What is remembered is spread over samples: few columns change little there.
  result->past = table(memory, {}, last ? &last->past : nullptr);
  const int most =
      static_cast<int>(std::ceil(std::log(0.01) / std::log(std::max(gradient.momentum, 1e-12))));
  result->lag_count = static_cast<int>(std::clamp(gradient.time, 0.0, std::max(1.0, 1.0 * most)));
  result->lags =
      last && last->past == result->past && last->lag_count == result->lag_count
          ? last->lags
          : std::make_shared<const Saturation::Held>(result->past->held(
                gradient.share * (1 - gradient.momentum), gradient.momentum, result->lag_count));
  const Equation equation(columns, gradient, *result->now, *result->lags,
                          noise.variance / (2 * risk + noise.variance), f.shift);
  const double rank =
      columns.batch * (1 + (gradient.momentum > kRemembers ? result->lag_count : 0));
  const std::vector<Equation::Point> points = nodes(columns, equation, rank, f);
  const MixtureSums sums(points, f, rank < std::min(columns.rows, columns.count.sum()));
  const auto count = static_cast<Index>(points.size()), modes = columns.lambda.size();
  result->weight.resize(count);
  result->held.resize(modes, count);
  result->root.resize(modes, count);
  for (ArrayXd* sum : {&result->fresh, &result->memory, &result->fresh_noise}) sum->setZero(modes);
  for (Index i = 0; i < count; ++i) {
    const Equation::Point& at = points[static_cast<std::size_t>(i)];
    const double w = result->weight[i] = sums.weight(static_cast<std::size_t>(i));
    const ArrayXd whole = 1 + at.variance * at.x;
    result->held.col(i) = at.held;
    result->root.col(i) = at.x * at.variance.max(0.0).sqrt() / whole;
    const ArrayXd part = w * at.x / whole;
    result->fresh += at.factors.fresh * part;
    result->memory += at.factors.memory * part;
    result->fresh_noise += at.factors.fresh_noise * part;
    for (std::size_t h = 0; h < at.factors.heads.size(); ++h) {
      const Index j = result->now->heads()[h];
      result->fresh[j] += (at.factors.heads[h].drift.at - at.factors.fresh) * part[j];
      result->fresh_noise[j] += (at.factors.heads[h].noise.at - at.factors.fresh_noise) * part[j];
    }
  }
  for (ArrayXd* sum : {&result->fresh, &result->memory, &result->fresh_noise}) *sum /= columns.rows;
  result->power = f.exponent == 0 ? ArrayXd(result->held.rightCols(1)) : sums.power();
  result->overlap = (result->held.matrix() * result->weight.matrix()).array();
  return result;
}

ArrayXd rest_covariance(const Columns& columns, const FilteredResolvent& now,
                        const FilteredResolvent& then, const ArrayXd& correlation) {
  const ArrayXd square = correlation.square().min(1 - 1e-9);
  const Eigen::MatrixXd weighted =
      (then.held.colwise() * (columns.count * square / columns.rows)).matrix();
  ArrayXXd kernel = (now.held.matrix().transpose() * weighted).array().min(1 - 1e-9);
  kernel = kernel / (1 - kernel);
  kernel.colwise() *= now.weight;
  kernel.rowwise() *= then.weight.transpose();
  const ArrayXXd seen = (now.root.matrix() * kernel.matrix()).array();
  ArrayXd covariance = (seen * then.root).rowwise().sum();
  covariance *= correlation / (columns.rows * columns.rows);
  if (now.rest_ratio.size() > 0) covariance *= (now.rest_ratio * then.rest_ratio).max(0.0).sqrt();
  return covariance;
}

}  // namespace riskcurve
