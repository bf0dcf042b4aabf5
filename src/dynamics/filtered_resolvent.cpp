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

constexpr int kMostNodes = 400;
constexpr double kLeastFall =
    1e-3;                         // of the equation for m: where samples fill the rank, tables err
constexpr double kFar = 1e3;      // t^2 over all variance at the first node
constexpr double kNear = 1e5;     // x over 1/V at the last
constexpr double kFaint = 1e-14;  // of the largest variance: not waited for
constexpr double kMiss = 1e-10;   // of log m
constexpr double kClose = 1e-8;   // to where t = 0
constexpr double kRanked = 0.02;  // of a rank of samples: beyond, powers are extrapolated
constexpr double kFull = 1 - 1e-5;  // of the rank, where that is the batch

class Equation {
 public:
  Equation(const Columns& columns, const FilteredVariance& variance, double shift)
      : columns_(columns), variance_(variance), shift_(shift) {}

  ArrayXd unsaturated() const { return variance_.unsaturated(); }

  struct Point {
    double x, log_m, square;   // tau^2 = t^2 - shift^2
    double rise, square_rise;  // dlog m/dlog x, dt^2/dlog x
    ArrayXd variance, held;
    FilteredVariance::Factors factors;
    double stretch = 1;  // dlog x/dy
  };
  /// Newton for log m from a guess.
  Point solve(double x, double log_m) const {
    Point point{x, log_m, 0, 0, 0, {}, {}, {}, 1};
    for (int i = 0;; ++i) {
      const FilteredVariance::Value v = variance_.at(point.log_m, point.factors);
      const ArrayXd whole = 1 + v.value * x;
      const ArrayXd w = columns_.count * columns_.lambda / whole;
      point.held = v.value * x / whole;
      const double sum = w.sum(), held = (w * point.held).sum() / sum;
      const double falls = std::max(1 + (w * x * v.slope / whole).sum() / sum, kLeastFall);
      const double miss = point.log_m - std::log(x / (columns_.batch * columns_.batch) * sum);
      if (std::abs(miss) > kMiss && i < 60) {
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
  const FilteredVariance& variance_;
  double shift_;
};

/// Nodes x = 1/(e^-y + 1/top), y uniform: from t far above all singular values to t near 0.
/// rank: how many samples are in the filter.
std::vector<Equation::Point> nodes(const Columns& columns, const Equation& equation, double rank,
                                   const ResolventMixture& f) {
  const ArrayXd variance = equation.unsaturated();
  // A single column may hold most of what there is.
  const double all =
      std::max((columns.count * variance).sum(), columns.rows * variance.maxCoeff()) +
      f.shift * f.shift;
  const double far = std::pow(kFar, 1 + std::max(f.exponent, 0.0));  // g^q lies further out
  const double first = std::log(columns.rows / (far * all));
  const double weight = (columns.count * columns.lambda).sum() / (columns.batch * columns.batch);
  double top = 0;  // 1/x at t = 0
  for (;;) {
    std::vector<Equation::Point> points;
    double log_m = first + std::log(weight), log_x = first, log_before = first;
    bool again = false;
    for (int i = 0; i < kMostNodes; ++i) {
      const double x = 1 / (std::exp(-(first + columns.node_step * i)) + top);
      // On the parabola of the last two slopes.
      if (!points.empty()) {
        const Equation::Point& last = points.back();
        const double ahead = std::log(x) - log_x,
                     bend = points.size() > 1 ? (last.rise - points[points.size() - 2].rise) /
                                                    (log_x - log_before)
                                              : 0;
        log_m = last.log_m + ahead * (last.rise + 0.5 * bend * ahead);
      }
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
      log_before = log_x;
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
  MixtureSums(const std::vector<Equation::Point>& points, double step, const ResolventMixture& f,
              bool by_samples)
      : points_(points),
        step_(step),
        by_samples_(by_samples),
        q_(std::min(f.exponent, 1 - 1e-9)),
        cosine_(std::sin(0.5 * std::numbers::pi * (1 - std::abs(q_)))) {}

  /// (2/pi) cos(pi q/2) tau^q dtau of node i.
  double weight(std::size_t i) const {
    const double beyond = i == 0                    ? end(0.5 * (1 - q_))
                          : i + 1 == points_.size() ? end((1 + q_) * fall(i))
                                                    : 1;
    return 2 / std::numbers::pi * cosine_ * step_ * fall(i) *
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
    const std::size_t few = std::min<std::size_t>(2, last / 2);
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
        -std::log(left) / (static_cast<double>(few) * step_) + 2 * q_ * fall(before);
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
      sum += beyond * step_ * fall(i) * std::pow(points_[i].square, q_) * of(i);
    }
    return sum * (4 / std::numbers::pi * cosine_ * std::sin(0.5 * std::numbers::pi * std::abs(q_)));
  }
  /// -dlog tau/dy.
  double fall(std::size_t i) const {
    return -points_[i].square_rise * points_[i].stretch / (2 * points_[i].square);
  }
  double end(double decay) const { return 1 / -std::expm1(-decay * step_); }
  const std::vector<Equation::Point>& points_;
  double step_;
  bool by_samples_;
  double q_, cosine_;
};

}  // namespace

ArrayXd sampled_variance(const Columns& columns, const ArrayXd& error) {
  const ArrayXd of_entry = columns.lambda * error;
  const double of_row = (columns.count * of_entry).sum();
  return (1 + 2 * of_row + (2 * columns.rows + 4) * of_entry) / (columns.batch * columns.lambda);
}

std::shared_ptr<FilteredResolvent> filtered_resolvent(const Columns& columns, const NoiseLaw& noise,
                                                      double risk, double memory,
                                                      const FilteredGradient& gradient,
                                                      const FilteredResolvent* last,
                                                      const ResolventMixture& f) {
  auto result = std::make_shared<FilteredResolvent>();
  const ArrayXd share = columns.rows * columns.lambda * gradient.error;
  result->tables = filter_tables(noise, risk, memory, gradient, share, columns.count,
                                 last ? &last->tables : nullptr);
  const double part_of_noise = noise.variance / (2 * risk + noise.variance);
  const ArrayXd sampled = columns.lambda.square() * sampled_variance(columns, gradient.error);
  const FilteredVariance variance(gradient, columns.lambda, sampled, result->tables, part_of_noise);
  const Equation equation(columns, variance, f.shift);
  const double rank = columns.batch * result->tables.gradients(gradient.momentum);
  const std::vector<Equation::Point> points = nodes(columns, equation, rank, f);
  const MixtureSums sums(points, columns.node_step, f,
                         rank < std::min(columns.rows, columns.count.sum()));
  const auto count = static_cast<Index>(points.size()), modes = columns.lambda.size();
  result->weight.resize(count);
  result->held.resize(modes, count);
  result->root.resize(modes, count);
  result->slopes.clear(modes);
  for (Index i = 0; i < count; ++i) {
    const Equation::Point& at = points[static_cast<std::size_t>(i)];
    const double w = result->weight[i] = sums.weight(static_cast<std::size_t>(i));
    const ArrayXd whole = 1 + at.variance * at.x;
    result->held.col(i) = at.held;
    result->root.col(i) = at.x * at.variance.max(0.0).sqrt() / whole;
    const ArrayXd part = w * at.x / whole;
    result->slopes.add(part, part, at.factors, variance.heads());
  }
  FilteredSlopes& slopes = result->slopes;
  for (ArrayXd* sum : {&slopes.fresh, &slopes.memory, &slopes.fresh_noise}) *sum /= columns.rows;
  if (f.exponent == 0) {
    result->power = result->held.col(count - 1);
    // Where samples are fewer, the last node may lie beyond what they span.
    const double all = (columns.count * result->power).sum();
    if (all > rank) result->power *= rank / all;
  } else {
    result->power = sums.power();
  }
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
