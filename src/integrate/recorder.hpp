#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "integrate/at_times.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Writes the requested times into the curve.
class Recorder {
 public:
  using State = std::vector<double>;

  Recorder(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
           const SolveOptions& options, RiskCurve& curve)
      : system_(system), step_(step), at_(at), options_(options), curve_(curve) {
    curve.steps.resize(0);
    rows_.reserve(static_cast<std::size_t>(at.size()));
  }
  bool due(double t) const { return next_ < at_.size() && at_[next_] <= t; }
  bool done() const { return next_ == at_.size(); }

  void record(const State& x) {
    push(numbers(x, at_[next_]));
    if (options_.keep_modes)
      modes_.emplace_back(Eigen::Map<const Eigen::ArrayXd>(x.data(), system_.modes()));
  }
  /// All that is due within a step from t0 up to, and without, t1, which count from `start`.
  template <class Stepper>
  void record_within(Stepper& stepper, double start, double t0, double t1) {
    const Eigen::Index end =
        std::lower_bound(at_.begin() + next_, at_.end(), start + t1) - at_.begin();
    State x(static_cast<std::size_t>(system_.modes() + system_.extra_initial.size()));
    const auto state_at = [&](double t) {
      stepper.calc_state(std::clamp(t - start, t0, t1), x);
      return x;
    };
    if (options_.keep_modes)
      while (next_ < end) record(state_at(at_[next_]));
    else
      at_times([&](double t) { return numbers(state_at(t), t); }, start + t0, start + t1, at_,
               next_, end, [&](const Eigen::ArrayXd& row) { push(row); });
  }
  void finish() {
    const auto count = static_cast<Eigen::Index>(rows_.size());
    curve_.steps = at_.head(count);
    curve_.risk = Eigen::Map<const Eigen::ArrayXd>(rows_.data(), count);
    for (const auto& [key, values] : observed_)
      curve_.observable[key] = Eigen::Map<const Eigen::ArrayXd>(values.data(), count);
    curve_.modes.resize(static_cast<Eigen::Index>(modes_.size()), system_.modes());
    for (std::size_t i = 0; i < modes_.size(); ++i)
      curve_.modes.row(static_cast<Eigen::Index>(i)) = modes_[i].transpose();
  }

 private:
  /// The risk and the observables at time t.
  Eigen::ArrayXd numbers(const State& x, double t) const {
    const Eigen::ArrayXd s = Eigen::Map<const Eigen::ArrayXd>(x.data(), system_.modes());
    Eigen::ArrayXd row(1 + static_cast<Eigen::Index>(system_.observable.size()));
    row[0] = system_.risk(s);
    const Now now{
        t, step_(t), row[0],
        Eigen::Map<const Eigen::ArrayXd>(x.data() + system_.modes(), system_.extra_initial.size()),
        &s};
    Eigen::Index i = 0;
    for (const auto& [key, observe] : system_.observable) row[++i] = observe(system_, now, s);
    return row;
  }
  void push(const Eigen::ArrayXd& row) {
    rows_.push_back(row[0]);
    Eigen::Index i = 0;
    for (const auto& [key, observe] : system_.observable) observed_[key].push_back(row[++i]);
    ++next_;
  }

  const ModeSystem& system_;
  const Schedule& step_;
  const Eigen::ArrayXd& at_;
  const SolveOptions& options_;
  RiskCurve& curve_;
  Eigen::Index next_ = 0;
  std::vector<double> rows_;
  std::vector<Eigen::ArrayXd> modes_;
  std::map<std::string, std::vector<double>> observed_;
};

}  // namespace riskcurve
