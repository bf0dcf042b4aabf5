#pragma once
#include <Eigen/Core>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/integrate/sde.hpp"

namespace riskcurve {

/// The transition x_k -> decay_k x_k + deviation_k xi_k over one step, given where it starts
/// (sde.hpp).
class SdeStep {
 public:
  Eigen::ArrayXd decay, deviation;  ///< shape (modes)
  Eigen::ArrayXd extra;             ///< e at the end

  SdeStep(const ModeSystem& system, const Schedule& step, SdeMethod method)
      : system_(system), schedule_(step), method_(method) {}
  SdeStep(const SdeStep&) = delete;  // now_ points at s_

  /// Where the next step starts: s_k = x_k^2.
  void start(double t, const Eigen::ArrayXd& s, const Eigen::ArrayXd& e);
  /// The longest step that keeps every change below `change` (SdeOptions), at most `most`.
  double longest(double change, double most) const;
  /// gamma max a at the start.
  double fastest() const {
    return rates_.drift.size() > 0 ? std::max(0.0, rates_.drift.maxCoeff()) : 0.0;
  }
  /// Fills decay, deviation and extra for a step of length h.
  void finish(double h);

 private:
  const ModeSystem& system_;
  const Schedule& schedule_;
  SdeMethod method_;
  /// gamma a, gamma^2 c
  Rates scaled(const Now& now, const Response& response) const;

  Eigen::ArrayXd s_;
  Now now_;            // the start
  Response response_;  // there
  Rates rates_;        // scaled, there
};

}  // namespace riskcurve
