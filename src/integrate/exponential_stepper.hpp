#pragma once
#include <Eigen/Core>
#include <boost/numeric/odeint/stepper/controlled_step_result.hpp>
#include <boost/numeric/odeint/stepper/stepper_categories.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "integrate/collocation.hpp"
#include "integrate/flow.hpp"

namespace riskcurve {

/// Exponential collocation as an Odeint controlled stepper: its system is a Flow, its state [s; e].
class ControlledExponential {
 public:
  using state_type = std::vector<double>;
  using deriv_type = state_type;
  using value_type = double;
  using time_type = double;
  using stepper_category = boost::numeric::odeint::controlled_stepper_tag;
  using order_type = unsigned short;

  ControlledExponential(const ModeSystem& system, double rtol) : step_(system), rtol_(rtol) {}
  static order_type order() { return Collocation::kOrder; }

  /// Tries a step of dt. Success moves x and t on and proposes the next dt; fail shrinks dt.
  boost::numeric::odeint::controlled_step_result try_step(const Flow& flow, state_type& x,
                                                          double& t, double& dt) {
    namespace odeint = boost::numeric::odeint;
    const Eigen::Map<const Eigen::ArrayXd> state(x.data(), static_cast<Eigen::Index>(x.size()));
    const double newton = std::max(1e-14, 1e-3 * rtol_);
    if (!step_.solve(flow, state, t, dt, std::max(newton, 1e-13))) {
      dt *= 0.25;
      return odeint::fail;
    }
    const double error = step_.error() / rtol_;
    const double factor =
        0.9 * std::pow(std::max(error, 1e-12), -1.0 / (Collocation::kErrorOrder + 1));
    if (error > 1) {
      dt *= std::max(0.1, factor);
      return odeint::fail;
    }
    step_.accept();
    step_.state_at(1, end_);
    x.assign(end_.begin(), end_.end());
    t += dt;
    dt *= std::min(5.0, std::max(0.5, factor));
    return odeint::success;
  }
  const Collocation& last_step() const { return step_; }

 private:
  Collocation step_;
  double rtol_;
  Eigen::ArrayXd end_;
};

/// The same as an Odeint dense-output stepper: the collocation solution is known at every time of
/// the last step, to the order of the step.
class DenseExponential {
 public:
  using state_type = ControlledExponential::state_type;
  using deriv_type = state_type;
  using value_type = double;
  using time_type = double;
  using stepper_category = boost::numeric::odeint::dense_output_stepper_tag;

  DenseExponential(const ModeSystem& system, double rtol) : stepper_(system, rtol) {}

  void initialize(const state_type& x, double t, double dt) {
    x_ = x;
    t_ = previous_ = t;
    dt_ = dt;
  }
  std::pair<double, double> do_step(const Flow& flow) {
    return do_step(flow, [] {});
  }
  /// One accepted step; `attempt` is called before every try. Gives up (leaves the time where it
  /// was) when dt no longer moves it.
  template <class Attempt>
  std::pair<double, double> do_step(const Flow& flow, const Attempt& attempt) {
    previous_ = t_;
    while (t_ + dt_ > t_) {
      attempt();
      tried_ = dt_;
      if (stepper_.try_step(flow, x_, t_, dt_) == boost::numeric::odeint::success) break;
    }
    return {previous_, t_};
  }
  void calc_state(double t, state_type& x) const {
    stepper_.last_step().state_at((t - previous_) / tried_, interpolated_);
    x.assign(interpolated_.begin(), interpolated_.end());
  }
  const state_type& current_state() const { return x_; }
  double current_time() const { return t_; }
  double previous_time() const { return previous_; }
  double current_time_step() const { return dt_; }
  long evaluations() const { return stepper_.last_step().evaluations(); }

 private:
  ControlledExponential stepper_;
  state_type x_;
  double t_ = 0, previous_ = 0, dt_ = 0, tried_ = 1;
  mutable Eigen::ArrayXd interpolated_;
};

}  // namespace riskcurve
