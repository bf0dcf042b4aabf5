#include "riskcurve/integrate/sde.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/poisson_distribution.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <tuple>
#include <vector>

#include "integrate/sde_step.hpp"
#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/ensemble.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double kRunAway = 1e30;  // growth over the start that counts as divergence
constexpr Index kAhead = 32;       // steps whose correlated noise is drawn by one product

enum SdePurpose : std::uint64_t { normals = 16, others = 17 };

EnsembleOptions ensemble_options(const SdeOptions& options) {
  return {options.runs, options.seed, options.threads, options.progress, options.kept};
}

void check(const ModeSystem& system, const Correlation& noise, const ArrayXd& at,
           const SdeOptions& options) {
  check_ensemble(at, "at", ensemble_options(options));
  if (system.blocks)
    throw InputError("optimizer", "(with a chain)",
                     "the bare update for the SDE: momentum, decay and averages have steps, not a "
                     "diffusion; simulate runs the algorithm");
  if (!(options.change > 0 && options.change <= 1))
    throw InputError("change", options.change, "a number in (0, 1]");
  if (!(options.step >= 0 && std::isfinite(options.step)))
    throw InputError("step", options.step, "a finite number >= 0");

  validate(system);
  const auto shape = [&](const char* field, Index rows) {
    if (rows != system.modes())
      throw InputError(field, fmt::format("{} rows", rows),
                       fmt::format("one for each of the {} modes", system.modes()));
  };
  shape("mode system: multiplicity", system.multiplicity.size());
  if (noise.initial.size() > 0) shape("correlation: initial", noise.initial.size());
  if (noise.factor.size() > 0) {
    shape("correlation: factor", noise.factor.rows());
    if ((system.multiplicity != 1.0).any())
      throw InputError("mode system: multiplicity", "not all 1",
                       "single directions where noise is correlated");
  }
  if ((system.multiplicity <= 0 && system.weight * system.initial > 0).any())
    throw InputError("mode system: multiplicity", "0 where there is initial error",
                     "whole directions; a compressed system has lost them");
}

/// Everything the runs share.
struct Setting {
  const ModeSystem& system;
  Schedule schedule;
  SdeOptions options;
  ArrayXd initial;
  const Eigen::MatrixXd& correlation;
  std::vector<double> breaks;
  double blown_up;

  Setting(const ModeSystem& of, const Correlation& between, const Schedule& step,
          const SdeOptions& chosen)
      : system(of),
        schedule(step),
        options(chosen),
        initial(between.initial.size() > 0 ? between.initial : ArrayXd(of.initial.sqrt())),
        correlation(between.factor),
        breaks(step.breaks) {
    breaks.insert(breaks.end(), system.breaks.begin(), system.breaks.end());
    std::sort(breaks.begin(), breaks.end());
    const double noise = std::isfinite(system.noise_variance) ? 0.5 * system.noise_variance : 0.0;
    blown_up = kRunAway * std::max(system.risk(initial.square()) + noise, 1e-250);
  }
  Setting(const Setting&) = delete;
};

/// One run in flight.
class Walk {
 public:
  Walk(const Setting& setting, std::uint64_t number)
      : setting_(setting),
        number_(number),
        step_(setting.system, setting.schedule, setting.options.method),
        x_(setting.initial),
        extra_(setting.system.extra_initial),
        xi_(setting.system.modes()) {}

  double risk() const { return setting_.system.risk(x_.square()); }
  bool sound() const { return risk() <= setting_.blown_up; }

  /// To time `end`; stops where the run has diverged.
  void advance(double end) {
    while (t_ < end && sound()) {
      const auto next = std::upper_bound(setting_.breaks.begin(), setting_.breaks.end(), t_);
      const double until = next == setting_.breaks.end() ? end : std::min(end, *next);
      step_.start(t_, x_.square(), extra_);
      const double left = until - t_, pieces = std::ceil(left / longest(left) * (1 - 1e-12));
      const double h = pieces > 1 ? left / pieces : left;
      step_.finish(h);
      extra_ = step_.extra;
      move();
      t_ = pieces > 1 ? t_ + h : until;
      ++count_;
    }
  }

 private:
  double longest(double left) const {
    const SdeOptions& options = setting_.options;
    if (options.step > 0) return std::min(options.step, left);
    double h = step_.longest(options.change, left);
    if (setting_.correlation.size() > 0) h = std::min(h, 1 / step_.fastest());
    return h;
  }

  void move() {
    const ArrayXd& m = setting_.system.multiplicity;
    draw();
    Random random(setting_.options.seed, number_, count_, SdePurpose::others);
    const auto chi_square = [&](double degrees) {
      return degrees > 0 ? 2 * boost::random::gamma_distribution<double>(degrees / 2)(random) : 0.0;
    };
    for (Index k = 0; k < x_.size(); ++k) {
      const double mean = step_.decay[k] * x_[k], sigma = step_.deviation[k];
      x_[k] = mean + sigma * xi_[k];
      if (m[k] == 1 || sigma == 0) continue;
      if (m[k] > 1) {  // turn the directions so that all error lies along the first
        const double s = x_[k] * x_[k] + sigma * sigma * chi_square(m[k] - 1);
        x_[k] = std::copysign(std::sqrt(s), x_[k]);
      } else {  // part of a direction: a quadrature node's; the chi-square as a Poisson mixture
        const double half = 0.5 * (mean / sigma) * (mean / sigma);
        // Beyond this the mixture's extra spread (1 - m)/(4 half) is nothing.
        if (half > 1e6) continue;
        const double terms =
            half > 0 ? static_cast<double>(
                           boost::random::poisson_distribution<long, double>(half)(random))
                     : 0.0;
        x_[k] = sigma * std::sqrt(chi_square(m[k] + 2 * terms));
      }
    }
  }

  /// xi_ for this step: each step has a stream of its own, so how many are drawn at once changes no
  /// number.
  void draw() {
    const auto& [options, correlation] = std::tie(setting_.options, setting_.correlation);
    if (correlation.size() == 0) {
      Random(options.seed, number_, count_, SdePurpose::normals)
          .normals(xi_.data(), static_cast<std::size_t>(xi_.size()));
      return;
    }
    const Index slot = static_cast<Index>(count_ % kAhead);
    if (slot == 0) {
      Eigen::MatrixXd eta(correlation.cols(), kAhead);
      for (Index i = 0; i < kAhead; ++i)
        Random(options.seed, number_, count_ + static_cast<std::uint64_t>(i), SdePurpose::normals)
            .normals(eta.col(i).data(), static_cast<std::size_t>(eta.rows()));
      ahead_.noalias() = correlation * eta;
    }
    xi_ = ahead_.col(slot).array();
  }

  const Setting& setting_;
  const std::uint64_t number_;
  SdeStep step_;
  double t_ = 0;
  ArrayXd x_, extra_, xi_;
  std::uint64_t count_ = 0;
  Eigen::MatrixXd ahead_;
};

}  // namespace

Ensemble solve_sde(const ModeSystem& system, const Schedule& step, const ArrayXd& at,
                   const SdeOptions& options) {
  const Correlation between = system.correlation ? system.correlation() : Correlation{};
  check(system, between, at, options);
  const Setting setting(system, between, step, options);
  return run_ensemble(at, static_cast<double>(at.size()), ensemble_options(options),
                      [&](std::uint64_t number) -> Trajectory {
                        const auto walk = std::make_shared<Walk>(setting, number);
                        return {[walk](double, double to, Progress& progress) {
                                  walk->advance(to);
                                  progress.count();
                                  return true;
                                },
                                [walk] { return walk->sound() ? walk->risk() : infinity; }};
                      });
}

}  // namespace riskcurve
