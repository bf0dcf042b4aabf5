#include "integrate/filtered_past.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "integrate/block_lanes.hpp"
#include "integrate/direction_modes.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr double kWindow = 4;       // times 1/(1 - beta): beyond, rests are not correlated
constexpr double kLongest = 400;    // of the window
constexpr double kSameRest = 0.01;  // rests that change by less are looked at half as often
constexpr double kRarely = 64;
constexpr double kUncorrelated = 1e-3;  // linear parts; rests go with the third power, or as c
constexpr double kTogether =
    5;  // of what lasts, steps are taken together a fifth of their age long

/// Lags at which rests are compared; between them they are interpolated.
bool looked_at(Index lag) {
  Index at = 1;
  while (at < lag) at = std::max(at + 1, at * 4 / 3);
  return at == lag;
}

std::size_t window_of(double momentum) {
  return static_cast<std::size_t>(
      std::clamp(std::ceil(kWindow / (1 - momentum)), kWindow, kLongest));
}

FilteredLag lag_of(const FilteredStep& step) {
  FilteredLag lag;
  lag.covariance = step.covariance;
  lag.response = step.at.step.push.transpose().array().replicate(step.part.rows(), 1);
  lag.linear = step.linear;
  lag.mean = step.mean;
  lag.answer = step.at.answer;
  return lag;
}

/// Two neighbours as one.
void join(FilteredLag& later, const FilteredLag& earlier) {
  const double all = later.steps + earlier.steps, x = earlier.steps / all;
  const auto between = [x](auto& a, const auto& b) {
    if (a.size() > 0 && b.size() > 0) a = (1 - x) * a + x * b;
  };
  between(later.covariance, earlier.covariance);
  between(later.linear, earlier.linear);
  between(later.mean, earlier.mean);
  between(later.rest, earlier.rest);
  later.response += earlier.response;
  later.steps = all;
}

/// A^n and sum_(i < n) A^i x, by doubling.
template <int M>
struct Repeated {
  Square<M> power = Square<M>::Identity();
  Eigen::Vector<double, M> sum = Eigen::Vector<double, M>::Zero();

  Repeated(const Square<M>& map, const Eigen::Vector<double, M>& x, double n) {
    Square<M> twice = map;
    Eigen::Vector<double, M> part = x;
    for (auto left = static_cast<long long>(n); left > 0; left /= 2) {
      if (left % 2 == 1) {
        sum = (part + twice * sum).eval();
        power = (twice * power).eval();
      }
      if (left == 1) break;
      part = (part + twice * part).eval();
      twice = (twice * twice).eval();
    }
  }
};

/// Carries lags over the steps of those that were `added`, and these to their end, the newest
/// first.
template <int M>
void carry_over(const FilteredStep& step, std::vector<FilteredLag>& added,
                std::deque<FilteredLag>& lags) {
  const Eigen::Vector<double, M> q = step.at.step.push;
  for (Index k = 0; k < step.part.rows(); ++k) {
    const Square<M> map = map_of_mode(step.at.step, step.part, k);
    const auto carry = [k](ArrayXXd& of, const Square<M>& by) {
      const Eigen::Vector<double, M> x = of.row(k).transpose().matrix();
      of.row(k) = (by * x).transpose().array();
    };
    Square<M> since = Square<M>::Identity();
    for (FilteredLag& lag : added) {
      const Repeated<M> within(map, q, lag.steps);
      lag.response.row(k) = (since * within.sum).transpose().array();
      carry(lag.covariance, since * Repeated<M>(map, q, std::floor(0.5 * lag.steps)).power);
      since = (since * within.power).eval();
    }
    for (FilteredLag& lag : lags)
      for (ArrayXXd* of : {&lag.covariance, &lag.response}) carry(*of, since);
  }
}

void keep_lags(const FilteredMap& map, const FilteredStep& step, std::deque<FilteredLag>& lags) {
  for (FilteredLag& lag : lags) {
    lag.covariance = mapped(step.at.step, step.part, lag.covariance);
    lag.response = mapped(step.at.step, step.part, lag.response);
  }
  FilteredLag newest = lag_of(step);
  if (!lags.empty()) newest.rest = lags.front().rest;
  // What was looked at stays with its lag, not with its step.
  if (!map.lasting)
    for (std::size_t n = 0; n + 1 < lags.size(); ++n) lags[n].rest = lags[n + 1].rest;
  lags.push_front(std::move(newest));
  if (map.lasting)
    join_old(lags);
  else if (lags.size() > window_of(step.at.now.momentum))
    lags.pop_back();
}

}  // namespace

ArrayXd rest_between(const FilteredMap& map, const FilteredAnswer& answer, const ArrayXXd& part,
                     const ArrayXd& linear, const ArrayXd& mean, const FilteredLag& lag) {
  if (!map.covariance) return ArrayXd::Zero(linear.size());
  const ArrayXd scale = (linear * lag.linear).sqrt();
  ArrayXd product = (part * lag.covariance).rowwise().sum();
  if (lag.mean.size() > 0) product += mean * lag.mean;
  const ArrayXd correlation =
      (scale > 0).select(product / scale.max(1e-300), 0.0).max(-1.0).min(1.0);
  if (!(correlation.abs().maxCoeff() > kUncorrelated)) return ArrayXd::Zero(correlation.size());
  return map.covariance(answer, *lag.answer, correlation);
}

void join_old(std::deque<FilteredLag>& lags) {
  double age = 0;
  for (std::size_t n = 0; n + 1 < lags.size(); ++n) {
    FilteredLag& later = lags[n];
    const FilteredLag& earlier = lags[n + 1];
    if (kTogether * (later.steps + earlier.steps) <= age) {
      join(later, earlier);
      lags.erase(lags.begin() + static_cast<std::ptrdiff_t>(n) + 1);
    }
    age += lags[n].steps;
  }
}

ArrayXXd mapped(const BlockStep& step, const ArrayXXd& part, const ArrayXXd& x) {
  const Index size = x.cols();
  ArrayXd answer = part.col(0) * x.col(0);
  for (Index j = 1; j < size; ++j) answer += part.col(j) * x.col(j);
  ArrayXXd result(x.rows(), size);
  for (Index i = 0; i < size; ++i) {
    result.col(i) = step.push[i] * answer;
    for (Index j = 0; j < size; ++j)
      if (step.fixed(i, j) != 0) result.col(i) += step.fixed(i, j) * x.col(j);
  }
  return result;
}

BlockMatrix map_of_mode(const BlockStep& step, const ArrayXXd& part, Index k) {
  return step.fixed + step.push * part.row(k).matrix();
}

void look_back(const FilteredMap& map, const FilteredStep& step, FilteredPast& past) {
  if (!map.covariance) return;
  const auto count = static_cast<Index>(past.lags.size());
  double changed = 0, all = 0;
  Index last = 0;
  for (Index n = 1; n <= count; ++n) {
    if (!map.lasting && !looked_at(n) && n < count) continue;
    FilteredLag& lag = past.lags[static_cast<std::size_t>(n - 1)];
    const ArrayXd rest = rest_between(map, *step.at.answer, step.part, step.linear, step.mean, lag);
    changed += lag.steps * (lag.rest.size() > 0 ? ArrayXd(rest - lag.rest) : rest).abs().sum();
    all += lag.steps * rest.abs().sum();
    lag.rest = rest;
    for (Index k = last + 1; k < n; ++k) {
      const double x = static_cast<double>(k - last) / static_cast<double>(n - last);
      past.lags[static_cast<std::size_t>(k - 1)].rest =
          (1 - x) * past.lags[static_cast<std::size_t>(last - 1)].rest + x * rest;
    }
    last = n;
  }
  past.looked = step.at.now.time;
  past.interval = changed < kSameRest * all ? std::min(2 * past.interval, kRarely)
                                            : std::max(0.5 * past.interval, 1.0);
}

ArrayXXd remembered(const FilteredPast& past, Index modes, int size) {
  ArrayXXd sum = ArrayXXd::Zero(modes, size);
  for (const FilteredLag& lag : past.lags)
    if (lag.rest.size() > 0) sum += lag.response.colwise() * lag.rest;
  return sum;
}

void remember(const FilteredMap& map, const FilteredStep& step, FilteredPast& past) {
  past.steady = false;
  if (map.covariance) {
    keep_lags(map, step, past.lags);
  } else {
    past.lags.resize(1);
    past.lags.front().answer = step.at.answer;
  }
  const ArrayXd& sampled = step.at.answer->sampled;
  const double beta = step.at.now.momentum, taken = (1 - beta) * (1 - beta);
  past.noise = beta * beta * past.noise + taken * sampled;
  const double weight = beta * beta * past.weight + taken;
  past.risk = (beta * beta * past.weight * past.risk + taken * step.at.now.risk) / weight;
  past.weight = weight;
}

std::deque<FilteredLag> lasting_after(const FilteredStep& step, std::deque<FilteredLag> lags,
                                      double n) {
  std::vector<FilteredLag> added;  // the newest first, steps together as join_old() has them
  std::vector<double> lengths;
  for (double upto = n; upto >= 1; upto -= lengths.back())
    lengths.push_back(std::max(1.0, std::floor(upto / (kTogether + 1))));
  for (auto length = lengths.rbegin(); length != lengths.rend(); ++length) {
    added.push_back(lag_of(step));
    added.back().steps = *length;
  }
  with_size(static_cast<int>(step.part.cols()),
            [&](auto m) { carry_over<m()>(step, added, lags); });
  lags.insert(lags.begin(), std::make_move_iterator(added.begin()),
              std::make_move_iterator(added.end()));
  join_old(lags);
  return lags;
}

std::deque<FilteredLag> lags_alike(const FilteredStep& step) {
  std::deque<FilteredLag> lags;
  FilteredLag lag = lag_of(step);
  while (lags.size() < window_of(step.at.now.momentum)) {
    lags.push_back(lag);
    lag.covariance = mapped(step.at.step, step.part, lag.covariance);
    lag.response = mapped(step.at.step, step.part, lag.response);
  }
  return lags;
}

}  // namespace riskcurve
