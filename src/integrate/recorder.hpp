#pragma once
#include <Eigen/Core>
#include <map>
#include <string>
#include <vector>

#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Writes the requested times into the curve.
class Recorder {
 public:
  Recorder(const ModeSystem& system, const Schedule& step, const Eigen::ArrayXd& at,
           const SolveOptions& options, RiskCurve& curve)
      : system_(system), step_(step), at_(at), options_(options), curve_(curve) {
    curve.steps.resize(0);
    rows_.reserve(static_cast<std::size_t>(at.size()));
  }
  bool due(double t) const { return next_ < at_.size() && at_[next_] <= t; }
  double next() const { return at_[next_]; }
  bool done() const { return next_ == at_.size(); }

  void record(const std::vector<double>& x) {
    const Eigen::ArrayXd s = Eigen::Map<const Eigen::ArrayXd>(x.data(), system_.modes());
    const double risk = system_.risk(s);
    rows_.push_back(risk);
    const Now now{
        at_[next_], step_(at_[next_]), risk,
        Eigen::Map<const Eigen::ArrayXd>(x.data() + system_.modes(), system_.extra_initial.size()),
        &s};
    for (const auto& [key, observe] : system_.observable)
      observed_[key].push_back(observe(system_, now, s));
    if (options_.keep_modes) modes_.push_back(s);
    ++next_;
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
