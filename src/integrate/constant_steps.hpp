#pragma once
#include <Eigen/Core>
#include <map>

#include "integrate/step_basis.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// R after so many constant steps, of one system at many step sizes: exponential collocation
/// (collocation.hpp) with the clock x = int gamma g dt of all modes in place of time,
///
///     R(x) = sum_k h_k s_k(0) e^(-2 a_k x)/2 + gamma int_0^x K(x - y) (n/g)(R(y)) dy,   dt =
///     dx/(gamma g),
///
/// K(x) = sum_k h_k c_k e^(-2 a_k x)/2. Panels in x have lengths of a fixed list, so that what
/// modes do over one is found once for all step sizes; a panel then costs two products with its
/// modes and four scalar unknowns. Not safe to call from several threads.
class ConstantSteps {
 public:
  /// One product each for drift and noise, nothing around the update, R(0) > 0 and responses of R
  /// alone, as far as three instants tell.
  static bool knows(const ModeSystem& system);

  /// Errors as SolveOptions::rtol has them. The system must outlive this.
  ConstantSteps(const ModeSystem& system, double rtol);

  /// +inf where it diverges, 0 where it vanishes, nan where no panel is short enough.
  double risk_after(double horizon, double step);

 private:
  /// Numbers of R at a panel's nodes.
  struct Course {
    StepNodes risk, source, per_clock;  ///< R, n/g, 1/g
  };
  /// What a panel does: `kept` to h s/2, `gained` for it by the source at the nodes, and `gain` for
  /// R at the later nodes.
  struct Span {
    Eigen::MatrixXd kept;    ///< shape (modes, nodes - 1)
    Eigen::MatrixXd gained;  ///< shape (noisy modes, nodes)
    Eigen::Matrix<double, kStepNodes - 1, kStepNodes> gain;
  };
  const Span& span(int length);
  bool advance(const Span& span, double step, Course& course);
  void respond(Course& course, int node) const;

  const ModeSystem* system_;
  double rtol_;
  Eigen::ArrayXd rate_, start_;  // 2 a, and h s(0)/2
  Eigen::ArrayXd noise_;         // h c/2 of the last modes, which have some
  std::map<int, Span> spans_;
  Eigen::VectorXd mass_;  // h s/2
  double exponent_ = 0;   // dlog(n/g)/dlog R, about
};

}  // namespace riskcurve
