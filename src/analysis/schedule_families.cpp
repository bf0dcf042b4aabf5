#include <algorithm>
#include <cmath>
#include <numbers>

#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::Index;

ScheduleFamily constant_family() {
  return {"constant",
          {"step"},
          [](const ArrayXd& p) { return constant_schedule(p[0]); },
          [](const ArrayXd& p, double) { return p; }};
}

ScheduleFamily power_decay_family() {
  return {"power_decay",
          {"step", "exponent", "delay"},
          [](const ArrayXd& p) { return power_decay_schedule(p[0], p[1], p[2]); },
          [](const ArrayXd& p, double t) {
            const double gamma = p[0] * std::pow(1 + t / p[2], -p[1]);
            ArrayXd by(3);
            by << gamma, -gamma * p[1] * std::log1p(t / p[2]), gamma * p[1] * t / (t + p[2]);
            return by;
          }};
}

ScheduleFamily cosine_family(double horizon) {
  return {"cosine",
          {"step", "warmup"},
          [=](const ArrayXd& p) { return warm_up(cosine_schedule(p[0], 0, horizon), p[1]); },
          [=](const ArrayXd& p, double t) {
            const bool warming = p[1] > 1 && t + 1 < p[1];
            const double c = std::cos(0.5 * std::numbers::pi * std::min(t / horizon, 1.0));
            const double gamma = p[0] * c * c * (warming ? (t + 1) / p[1] : 1);
            ArrayXd by(2);
            by << gamma, warming ? -gamma : 0;
            return by;
          }};
}

ScheduleFamily polynomial_family(double horizon) {
  return {"polynomial",
          {"step", "exponent"},
          [=](const ArrayXd& p) { return polynomial_schedule(p[0], p[1], horizon); },
          [=](const ArrayXd& p, double t) {
            const double left = 1 - t / horizon;
            ArrayXd by = ArrayXd::Zero(2);
            if (left > 0) {
              by[0] = p[0] * std::pow(left, p[1]);
              by[1] = by[0] * p[1] * std::log(left);
            }
            return by;
          }};
}

ScheduleFamily peak_family(const Schedule& shape) {
  return {shape.kind,
          {"step"},
          [=](const ArrayXd& p) { return times(shape, p[0]); },
          [=](const ArrayXd& p, double t) { return ArrayXd::Constant(1, p[0] * shape(t)); }};
}

ScheduleFamily tabulated_family(const ArrayXd& at) {
  const std::vector<double> times(at.begin(), at.end());
  return {"tabulated",
          {"step"},
          [times](const ArrayXd& p) {
            return tabulated_schedule(times, std::vector<double>(p.begin(), p.end()));
          },
          [times](const ArrayXd& p, double t) {
            ArrayXd by = ArrayXd::Zero(p.size());
            const auto right = std::upper_bound(times.begin(), times.end(), t);
            const Index j = right - times.begin();
            if (j == 0) {
              by[0] = p[0];
            } else if (j == p.size()) {
              by[j - 1] = p[j - 1];
            } else {
              const double share = (t - *(right - 1)) / (*right - *(right - 1));
              by[j - 1] = (1 - share) * p[j - 1];
              by[j] = share * p[j];
            }
            return by;
          },
          false};  // given p and s, R is quadratic in gamma
}

ArrayXd schedule_mesh(double horizon, int count) {
  if (!(horizon > 0) || !std::isfinite(horizon))
    throw InputError("horizon", horizon, "a finite number of steps > 0");
  if (count < 5) throw InputError("mesh", std::to_string(count), "at least 5 times");
  const Index half = (count - 1) / 2;  // 0, half times up to horizon/2, and their mirror images
  const auto spaces = static_cast<double>(half - 1);
  const double first = std::min(std::max(0.5, 1e-6 * horizon), 0.5 * horizon / (spaces + 1));
  ArrayXd at(2 * half + 1);
  at[0] = 0;
  for (Index i = 1; i <= half; ++i)
    at[i] = first * std::pow(0.5 * horizon / first, static_cast<double>(i - 1) / spaces);
  for (Index i = 0; i <= half; ++i) at[2 * half - i] = horizon - at[i];
  at[half] = 0.5 * horizon;
  return at;
}

}  // namespace riskcurve
