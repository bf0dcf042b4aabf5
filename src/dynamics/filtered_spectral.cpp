#include "dynamics/filtered_spectral.hpp"

#include <cmath>

#include "dynamics/local_law.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

constexpr double kMoved = 0.02;  // of a column's share of all variance: f is then asked again

/// What f makes of columns, and for which.
struct Asked {
  ArrayXd variance;
  AgainstPolar of;
};

struct Resolvent : FilteredResolvent {
  std::shared_ptr<const Asked> asked;
};

ArrayXd variance_of(const Columns& columns, const FilteredGradient& u, const ArrayXd& sampled) {
  return columns.lambda.square() *
         (u.fresh * u.fresh * (u.error + sampled) + 2 * u.fresh * u.share * u.cross +
          u.share * u.share * (u.signal + u.noise));
}

/// E of the square of what is linear.
ArrayXd linear_power(const Columns& columns, const FilteredGradient& u,
                     const FilteredAnswer& answer) {
  const ArrayXd a = u.fresh * answer.fresh, b = u.share * answer.held,
                z = u.fresh * answer.fresh_noise;
  return columns.lambda.square() *
         (a.square() * u.error + 2 * a * b * u.cross + b.square() * (u.signal + u.noise) +
          z.square() * answer.sampled);
}

std::shared_ptr<const Asked> ask(const Columns& columns, const ArrayXd& variance,
                                 const SingularFunction& function,
                                 const std::shared_ptr<const Asked>& last) {
  const auto shares = [&](const ArrayXd& v) -> ArrayXd {
    return function.normalised ? ArrayXd(v / (columns.count * v).sum()) : v;
  };
  if (last && ((shares(variance) / shares(last->variance)).log().abs() < kMoved).all()) return last;
  return std::make_shared<const Asked>(
      Asked{variance,
            against_polar(columns.rows, columns.count, variance, function.f, function.normalised)});
}

}  // namespace

FilteredMap filtered_map(const Columns& columns, const NoiseLaw& noise,
                         const SingularFunction& function) {
  FilteredMap map;
  map.answer = [columns, noise, function](const FilteredGradient& u, const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const Resolvent*>(last->resolvent.get()) : nullptr;
    const auto now = std::make_shared<Resolvent>();
    static_cast<FilteredResolvent&>(*now) = *filtered_resolvent(columns, noise, u, before);
    FilteredAnswer answer;
    answer.fresh = now->fresh;
    answer.held = now->memory;
    answer.fresh_noise = now->fresh_noise;
    const double power = 2 * u.risk + noise.variance;
    answer.sampled =
        (power + 2 * columns.rows * columns.lambda * u.error) / (columns.batch * columns.lambda);
    answer.power = now->power / columns.rows;
    if (function.f) {
      const ArrayXd rest = answer.power - linear_power(columns, u, answer);
      now->asked = ask(columns, variance_of(columns, u, answer.sampled), function,
                       before ? before->asked : nullptr);
      const AgainstPolar& of = now->asked->of;
      for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise}) *slope *= of.slope;
      answer.power *= of.power;
      now->rest_ratio = ((answer.power - linear_power(columns, u, answer)) / rest).max(0.0);
    }
    for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise})
      *slope *= function.scale;
    answer.power *= function.scale * function.scale;
    answer.resolvent = now;
    return answer;
  };
  map.covariance = [columns, scale = function.scale](const FilteredAnswer& now,
                                                     const FilteredAnswer& then,
                                                     const ArrayXd& correlation) -> ArrayXd {
    return scale * scale *
           rest_covariance(columns, *static_cast<const Resolvent*>(now.resolvent.get()),
                           *static_cast<const Resolvent*>(then.resolvent.get()), correlation);
  };
  return map;
}

}  // namespace riskcurve
