#include "riskcurve/analysis/clipping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/interpolators/cardinal_cubic_b_spline.hpp>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "dynamics/gradient_modes.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

void check(const char* field, double value) {
  if (!(value > 0) || !std::isfinite(value)) throw InputError(field, value, "a finite number > 0");
}

/// The median of |l|, within 10 %.
double median(const ResidualLaw& law, double risk) {
  double low = -700, high = 700;
  while (high - low > 0.1) {
    const double middle = 0.5 * (low + high);
    (law.within(risk, std::exp(middle)) < 0.5 ? low : high) = middle;
  }
  return std::exp(low);
}

/// A cubic spline through log f against log x: smooth, as solvers need. Constant below, and above
/// the power law x^growth.
class LogSpline {
 public:
  LogSpline(const std::function<double(double)>& f, double from, double to, double stride,
            double growth)
      : start_(std::log(from)), end_(start_), growth_(growth) {
    std::vector<double> knots{std::log(f(from))};
    while (end_ < std::log(to)) knots.push_back(std::log(f(std::exp(end_ += stride))));
    spline_ = {knots.begin(), knots.end(), start_, stride};
  }
  double operator()(double x) const {
    const double y = std::log(x);
    return std::exp(spline_(std::clamp(y, start_, end_)) + growth_ * std::max(0.0, y - end_));
  }

 private:
  double start_, end_, growth_;
  boost::math::interpolators::cardinal_cubic_b_spline<double> spline_;
};

/// c* as a run can use it, and mu and nu there, from 1e-9 to 1e3 times a risk. What the spline of
/// c* is off by changes mu^2/nu in second order only. At larger risks the residual is all signal.
struct OptimalClip {
  LogSpline threshold, mu, nu;

  OptimalClip(const ResidualLaw& law, double risk)
      : threshold(
            [&](double R) {
              const double best = optimal_threshold(law, R);
              if (std::isinf(best)) return 20 * std::sqrt(2 * R + law.noise_variance());
              return std::max(best, 1e-3 * median(law, R));
            },
            1e-9 * risk, 1e3 * risk, 0.25, 0.5),
        mu([&](double R) { return law.within(R, threshold(R)); }, 1e-9 * risk, 1e3 * risk, 0.05, 0),
        nu([&](double R) { return law.clipped_square(R, threshold(R)); }, 1e-9 * risk, 1e3 * risk,
           0.05, 1) {}
};

}  // namespace

Clipping clipping(const ResidualLaw& law, double risk, double threshold) {
  check("risk", risk);
  check("threshold", threshold);
  const double mu = law.within(risk, threshold), nu = law.clipped_square(risk, threshold);
  const double square = 2 * risk + law.noise_variance();
  return {threshold, mu, nu, mu * mu * square / nu, mu * square / nu};
}

double optimal_threshold(const ResidualLaw& law, double risk) {
  check("risk", risk);
  // The gain mu^2/nu relative to none where that is finite; in log of the threshold.
  const double square = 2 * risk + law.noise_variance();
  const double none = std::isfinite(square) ? 1 / square : 0;
  const auto gain = [&](double x) {
    const double c = std::exp(x), mu = law.within(risk, c);
    return mu * mu / law.clipped_square(risk, c);
  };
  // A grid around the median, then Brent's method.
  const double centre = std::log(median(law, risk)), stride = 0.25;
  constexpr int below = 40, above = 60;
  double best = -1;
  int at = 0;
  for (int k = -below; k <= above; ++k) {
    const double value = gain(centre + k * stride);
    if (value > best * (1 + 1e-9)) best = value, at = k;
  }
  if (best <= none * (1 + 1e-9)) return std::numeric_limits<double>::infinity();
  if (at == -below) return 0;
  boost::uintmax_t most = 60;
  const double x = boost::math::tools::brent_find_minima([&](double y) { return -gain(y); },
                                                         centre + (at - 1) * stride,
                                                         centre + (at + 1) * stride, 40, most)
                       .first;
  return std::exp(x);
}

ClippingCurve optimal_clipping(const ResidualLaw& law, const Eigen::ArrayXd& risk) {
  ClippingCurve curve;
  curve.threshold.resize(risk.size());
  curve.comparison = curve.stability = Eigen::ArrayXd::Ones(risk.size());
  for (Eigen::Index i = 0; i < risk.size(); ++i) {
    curve.threshold[i] = optimal_threshold(law, risk[i]);
    if (std::isinf(curve.threshold[i])) continue;
    const Clipping at =
        clipping(law, risk[i], std::max(curve.threshold[i], 1e-5 * median(law, risk[i])));
    curve.comparison[i] = at.comparison;
    curve.stability[i] = at.stability;
  }
  return curve;
}

ModeSystem optimally_clipped_sgd(const VectorProblem& problem, int batch) {
  ModeSystem system = gradient_modes(problem, batch);
  system.optimizer = "optimally clipped sgd";
  const auto clip =
      std::make_shared<const OptimalClip>(ResidualLaw(problem.noise), problem.initial_risk());
  system.response = [clip](const Now& now) {
    return Response{Eigen::ArrayXd::Constant(1, clip->mu(now.risk)),
                    Eigen::ArrayXd::Constant(1, clip->nu(now.risk))};
  };
  system.observable["threshold"] = [clip](const ModeSystem&, const Now& now,
                                          const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->threshold(now.risk) : NAN;
  };
  return system;
}

ModeSystem optimally_clipped_sgd(const Experiment& experiment) {
  const auto* const clipped = std::get_if<ClippedSgd>(&experiment.optimizer);
  if (!clipped) throw InputError("optimizer.name", name_of(experiment.optimizer), ClippedSgd::name);
  if (clipped->clip == ClippedSgd::Clip::batch)
    throw InputError("optimizer.clip", "\"batch\"", "\"sample\", for a threshold of every moment");
  return optimally_clipped_sgd(experiment.vector(), clipped->batch);
}

std::optional<ClippingCurve> optimal_clipping(const Experiment& experiment,
                                              const Eigen::ArrayXd& risk) {
  if (!std::holds_alternative<ClippedSgd>(experiment.optimizer)) return {};
  return optimal_clipping(ResidualLaw(experiment.noise()), risk);
}

}  // namespace riskcurve
