#include "dynamics/filtered_variance.hpp"

#include <algorithm>
#include <cmath>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kRemembers = 1e-6;

}  // namespace

int FilterTables::gradients(double momentum) const {
  return 1 + (momentum > kRemembers ? lag_count : 0);
}

FilterTables filter_tables(const NoiseLaw& noise, double risk, double memory,
                           const FilteredGradient& gradient, const ArrayXd& share,
                           const ArrayXd& count, const FilterTables* last) {
  const auto table = [&](double of_risk, const ArrayXd& of,
                         const std::shared_ptr<const Saturation>* old) {
    return old && (*old)->serves(of_risk, of)
               ? *old
               : std::make_shared<const Saturation>(noise, of_risk, of, count);
  };
  FilterTables tables;
  tables.now = table(risk, share, last ? &last->now : nullptr);
  // What is remembered is spread over samples: few columns change little there.
  tables.past = table(memory, {}, last ? &last->past : nullptr);
  const int most =
      static_cast<int>(std::ceil(std::log(0.01) / std::log(std::max(gradient.momentum, 1e-12))));
  tables.lag_count = static_cast<int>(std::clamp(gradient.time, 0.0, std::max(1.0, 1.0 * most)));
  tables.lags =
      last && last->past == tables.past && last->lag_count == tables.lag_count
          ? last->lags
          : std::make_shared<const Saturation::Held>(tables.past->held(
                gradient.share * (1 - gradient.momentum), gradient.momentum, tables.lag_count));
  return tables;
}

Index place_of_memory(const BlockStep& step) {
  Index place = 0;
  step.noise_fixed.cwiseAbs().maxCoeff(&place);
  return place;
}

FilteredGradient long_held(const ModeSystem& system, double momentum, double fresh, double share) {
  FilteredGradient u;
  u.weight = system.weight;
  u.multiplicity = system.multiplicity;
  u.time = 1e6;
  u.momentum = momentum;
  u.fresh = fresh;
  u.share = share;
  u.error = u.cross = u.signal = system.initial / system.multiplicity;
  u.noise = ArrayXd::Zero(system.modes());
  return u;
}

FilteredGradient in_units(const FilteredGradient& given, double power) {
  FilteredGradient u = given;
  u.risk /= power;
  u.memory /= power;
  for (ArrayXd* square : {&u.error, &u.cross, &u.signal, &u.noise}) *square /= power;
  return u;
}

ArrayXd variance_of(const FilteredGradient& u, const ArrayXd& sampled) {
  return u.weight.square() *
         (u.fresh * u.fresh * (u.error + sampled) + 2 * u.fresh * u.share * u.cross +
          u.share * u.share * (u.signal + u.noise));
}

FilteredGradient apart_in(const FilteredGradient& u) {
  FilteredGradient apart = u;
  apart.error = (u.error - u.mean.square()).max(0.0);
  apart.cross = u.cross - u.mean * u.held_mean;
  apart.signal = (u.signal - u.held_mean.square()).max(0.0);
  return apart;
}

ArrayXd signal_of(const FilteredGradient& u) {
  return u.weight.square() * (u.fresh * u.fresh * u.error + 2 * u.fresh * u.share * u.cross +
                              u.share * u.share * u.signal);
}

ArrayXd linear_power(const FilteredGradient& u, const FilteredAnswer& answer) {
  const ArrayXd a = u.fresh * answer.fresh, b = u.share * answer.held,
                z = u.fresh * answer.fresh_noise;
  return u.weight.square() * (a.square() * u.error + 2 * a * b * u.cross +
                              b.square() * (u.signal + u.noise) + z.square() * answer.sampled);
}

void give_units(FilteredAnswer& answer, double scale, double power) {
  const double root = std::sqrt(power);
  for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise}) *slope *= scale / root;
  answer.power *= scale * scale;
  answer.sampled *= power;
}

FilteredVariance::FilteredVariance(const FilteredGradient& gradient, const ArrayXd& weight,
                                   const ArrayXd& sampled, const FilterTables& tables,
                                   double variance)
    : now_(*tables.now), lags_(*tables.lags) {
  const double r = gradient.fresh, p = gradient.share;
  const ArrayXd square = weight.square();
  error_ = r * r * square * gradient.error;
  cross_ = 2 * r * p * square * gradient.cross;
  memory_ = p * p * square * gradient.signal;
  const double power = 2 * gradient.risk + variance;
  fresh_ = r * r * sampled;
  noise_ = p * p * square * gradient.noise;
  log_fresh_ = std::log(std::max(r * r * power, 1e-300));
  log_past_ = std::log(std::max(2 * gradient.memory + variance, 1e-300));
}

FilteredVariance::Value FilteredVariance::at(double log_m, Factors& factors) const {
  const auto fresh = now_.fresh(log_m + log_fresh_);
  const auto chi = lags_.drift(log_m + log_past_), kept = lags_.square(log_m + log_past_);
  const double b = chi.at;
  factors = {fresh.drift.at, b, fresh.noise.at, {}};
  const auto signal = [&](const Saturation::Fresh& f, const auto& of) {
    const double a = f.drift.at;
    return a * a * of(error_) + a * b * of(cross_) + b * b * of(memory_);
  };
  const auto sampled = [&](const Saturation::Fresh& f, const auto& of) {
    return f.noise.at * of(fresh_) + kept.at * of(noise_);
  };
  const auto slope = [&](const Saturation::Fresh& f, const auto& of) {
    const double a = f.drift.at;
    return 2 * a * f.drift.slope * of(error_) + (a * chi.slope + b * f.drift.slope) * of(cross_) +
           2 * b * chi.slope * of(memory_) + f.noise.slope * of(fresh_) + kept.slope * of(noise_);
  };
  const auto all = [](const ArrayXd& x) -> const ArrayXd& { return x; };
  Value v;
  v.signal = signal(fresh, all);
  v.value = v.signal + sampled(fresh, all);
  v.slope = slope(fresh, all);
  for (const Index j : now_.heads()) {
    factors.heads.push_back(now_.fresh(log_m + log_fresh_, j));
    const auto one = [j](const ArrayXd& x) { return x[j]; };
    v.signal[j] = signal(factors.heads.back(), one);
    v.value[j] = v.signal[j] + sampled(factors.heads.back(), one);
    v.slope[j] = slope(factors.heads.back(), one);
  }
  return v;
}

void FilteredSlopes::clear(Index modes) {
  for (ArrayXd* sum : {&fresh, &memory, &fresh_noise}) sum->setZero(modes);
}

void FilteredSlopes::add(const ArrayXd& part, const ArrayXd& noise_part,
                         const FilteredVariance::Factors& factors,
                         const std::vector<Index>& heads) {
  fresh += factors.fresh * part;
  memory += factors.memory * part;
  fresh_noise += factors.fresh_noise * noise_part;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const Index j = heads[h];
    fresh[j] += (factors.heads[h].drift.at - factors.fresh) * part[j];
    fresh_noise[j] += (factors.heads[h].noise.at - factors.fresh_noise) * noise_part[j];
  }
}

}  // namespace riskcurve
