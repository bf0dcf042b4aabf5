#include "riskcurve/analysis/joint.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "analysis/few_modes.hpp"
#include "analysis/joint_quantities.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Slopes between solves of systems that know their past.
constexpr double kRough = 3e-3;

/// log R(horizon) and its slopes; +inf where the solver gives up.
struct JointPoint {
  VectorXd x, gradient;
  double value = HUGE_VAL;
  std::string message;
};

class JointSearch {
 public:
  JointSearch(const Experiment& experiment, double horizon, const JointOptions& options)
      : experiment_(experiment), horizon_(horizon), options_(options) {
    for (const std::string& name : options.over)
      of_.push_back(quantity(name, experiment, options.averaged));
  }

  Experiment at(const VectorXd& x) const {
    Experiment e = experiment_;
    for (std::size_t i = 0; i < of_.size(); ++i)
      of_[i].set(e, of_[i].scale.value(x[static_cast<Index>(i)]));
    return e;
  }
  JointPoint evaluate(const VectorXd& x) {
    ++evaluations;
    JointPoint point{x, VectorXd::Zero(x.size()), HUGE_VAL, ""};
    const Experiment e = at(x);
    if (const std::string refused = refusal(e); !refused.empty()) {
      point.message = refused;
      return point;
    }
    const ModeSystem& system = system_of(e);
    if (knows_the_past(system)) {
      by_differences = true;
      point.value = log_risk(x, point.message);
      for (Index k = 0; k < x.size() && std::isfinite(point.value); ++k)
        point.gradient[k] = difference(x, k, kWide);
      if (!point.gradient.allFinite()) point.value = HUGE_VAL;
      return point;
    }
    const SolveOptions solving = this->solving();
    FewModes modes(system, horizon_);
    const Sensitivity s = sensitivity(modes.under(e.schedule), e.schedule, horizon_, solving);
    if (s.curve.status == RiskCurve::Status::interrupted) throw Failure(s.curve.message);
    point.message = s.curve.message;
    if (s.curve.status != RiskCurve::Status::ok || !(s.risk > 0)) return point;
    for (std::size_t i = 0; i < of_.size(); ++i) {
      const auto k = static_cast<Index>(i);
      const Scale& scale = of_[i].scale;
      if (!of_[i].derivative) {
        point.gradient[k] = difference(x, k, kNear);
        continue;
      }
      point.gradient[k] = of_[i].derivative(s) * scale.slope(scale.value(x[k])) / s.risk;
    }
    if (point.gradient.allFinite()) point.value = std::log(s.risk);
    return point;
  }
  SolveOptions solving() const {
    SolveOptions solving = options_.solve;
    solving.averaged = options_.averaged;
    // Best steps are often too large for a continuum.
    if (horizon_ <= kMostRecursionSteps) solving.method = Method::recursion;
    return solving;
  }
  /// The same one while only the step size moves.
  const ModeSystem& system_of(const Experiment& e) {
    if (!system_ || e.optimizer != made_of_ || e.chain != around_) {
      system_ = mode_system(e);
      made_of_ = e.optimizer;
      around_ = e.chain;
    }
    return *system_;
  }
  /// Why the theory does not hold at a value of the search; empty: it does.
  std::string refusal(const Experiment& e) {
    try {
      system_of(e);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  /// log R(horizon); +inf where the solver gives up, `message` says why.
  double log_risk(const VectorXd& x, std::string& message) {
    const Experiment e = at(clamped(x));
    message = refusal(e);
    if (!message.empty()) return HUGE_VAL;
    const ModeSystem& system = system_of(e);
    FewModes modes(system, horizon_);
    const RiskCurve curve =
        solve(modes.under(e.schedule), e.schedule, ArrayXd::Constant(1, horizon_), solving());
    if (curve.status == RiskCurve::Status::interrupted) throw Failure(curve.message);
    message = curve.message;
    if (curve.status != RiskCurve::Status::ok) return HUGE_VAL;
    return std::log((options_.averaged ? curve.averaged_risk : curve.risk)[0]);
  }
  /// dlog R/dx_k; both ways, where the bounds allow it.
  double difference(const VectorXd& x, Index k, double d) {
    const auto at_shift = [&](double shift) {
      VectorXd moved = x;
      moved[k] += shift;
      evaluations += 1;
      std::string message;
      return log_risk(moved, message);
    };
    VectorXd up = x, down = x;
    up[k] += d;
    down[k] -= d;
    const double width = clamped(up)[k] - clamped(down)[k];
    return (at_shift(d) - at_shift(-d)) / width;
  }
  VectorXd start() const {
    VectorXd x(static_cast<Index>(of_.size()));
    for (std::size_t i = 0; i < of_.size(); ++i)
      x[static_cast<Index>(i)] = of_[i].scale.x(of_[i].start(experiment_, horizon_));
    return clamped(x);
  }
  VectorXd clamped(VectorXd x) const {
    for (std::size_t i = 0; i < of_.size(); ++i) {
      double& at = x[static_cast<Index>(i)];
      at = std::clamp(at, of_[i].low, of_[i].high);
    }
    return x;
  }
  /// The gradient without what pushes against a bound.
  VectorXd free(const JointPoint& point) const {
    VectorXd g = point.gradient;
    for (std::size_t i = 0; i < of_.size(); ++i) {
      const auto k = static_cast<Index>(i);
      if ((point.x[k] <= of_[i].low && g[k] > 0) || (point.x[k] >= of_[i].high && g[k] < 0))
        g[k] = 0;
    }
    return g;
  }
  const std::vector<Quantity>& of() const { return of_; }

  int evaluations = 0;
  bool by_differences = false;  ///< all slopes: then they are good to kRough

 private:
  static constexpr double kNear = 1e-3, kWide = 0.05;
  Experiment experiment_;
  double horizon_;
  JointOptions options_;
  std::vector<Quantity> of_;
  std::optional<ModeSystem> system_;  ///< of made_of_ and around_
  Optimizer made_of_;
  Chain around_;
};

}  // namespace

JointOptimum best_together(const Experiment& experiment, double horizon,
                           const JointOptions& options) {
  if (options.over.empty()) throw InputError("over", "nothing", "one quantity at least");
  JointSearch search(experiment, horizon, options);
  search.system_of(search.at(search.start()));  // throws what is refused as it stands
  JointOptimum best;
  JointPoint now = search.evaluate(search.start());
  for (int i = 0; i < 40 && !std::isfinite(now.value); ++i) {  // too large a step to begin with
    VectorXd x = now.x;
    for (std::size_t j = 0; j < search.of().size(); ++j)
      if (search.of()[j].name == "step") x[static_cast<Index>(j)] -= 1;
    now = search.evaluate(x);
  }
  if (!std::isfinite(now.value)) {
    best.message = "the prediction fails at the start: " + now.message;
    best.evaluations = search.evaluations;
    return best;
  }
  // BFGS, inverse Hessian; steps of at most one in any x.
  const Index n = now.x.size();
  MatrixXd inverse = MatrixXd::Identity(n, n);
  bool fresh = true;
  best.message = "the search ran out of solves";
  while (search.evaluations < options.max_solves) {
    const VectorXd g = search.free(now);
    best.gradient = g.norm();
    if (best.gradient <
        (search.by_differences ? std::max(kRough, options.tolerance) : options.tolerance)) {
      best.message = "converged";
      break;
    }
    VectorXd direction = -inverse * g;
    if (!(direction.dot(g) < 0)) direction = -g, inverse.setIdentity(), fresh = true;
    direction /= std::max(1.0, direction.cwiseAbs().maxCoeff());
    JointPoint next;
    double length = 1;
    for (; length > 1e-10; length *= std::isfinite(next.value) ? 0.5 : 0.25) {
      next = search.evaluate(search.clamped(now.x + length * direction));
      if (next.value <= now.value + 1e-4 * length * direction.dot(g)) break;
    }
    if (!(next.value < now.value)) {
      if (fresh) {
        best.message = fmt::format("no further descent at a gradient of {:.1e}", best.gradient);
        break;
      }
      inverse.setIdentity();
      fresh = true;
      continue;
    }
    const VectorXd step = next.x - now.x, change = search.free(next) - g;
    const double curvature = step.dot(change);
    if (curvature > 1e-12 * step.norm() * change.norm()) {
      if (fresh) inverse = curvature / change.squaredNorm() * MatrixXd::Identity(n, n);
      const MatrixXd left = MatrixXd::Identity(n, n) - step * change.transpose() / curvature;
      inverse = (left * inverse * left.transpose() + step * step.transpose() / curvature).eval();
      fresh = false;
    } else {  // it bends away: next time further
      inverse *= 4;
    }
    now = next;
  }
  best.found = best.message != "the search ran out of solves" &&
               best.gradient < (search.by_differences ? 3 * kRough : 1e-3);
  best.experiment = search.at(now.x);
  for (std::size_t i = 0; i < search.of().size(); ++i) {
    const std::string name = search.of()[i].name;
    double value = search.of()[i].scale.value(now.x[static_cast<Index>(i)]);
    // Its pull over the whole run is nothing: it would rather not be there.
    if (name == "weight_decay" && value * horizon * best.experiment.schedule(0) < 1e-6) {
      value = 0;
      best.experiment.chain.weight_decay.reset();
    }
    if (name == "momentum" && value < 1e-9) value = 0;
    best.value[name] = value;
  }
  best.risk = std::exp(now.value);
  best.evaluations = search.evaluations;
  return best;
}

}  // namespace riskcurve
