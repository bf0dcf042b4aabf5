#pragma once
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "integrate/flow.hpp"
#include "integrate/propagator.hpp"
#include "integrate/step_basis.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// One step of exponential collocation for the mode system. Order 6 where the rates times H are
/// small; a mode with z = a gamma H >> 1 contributes an error of size H^5/z^2.
///
/// On [t0, t0+H] the scalars gamma g_q and gamma^2 n_r are polynomials through the five
/// Chebyshev-Lobatto nodes. Each mode then has an exact answer: in its own clock
/// x = integral a_k gamma dt it relaxes as e^(-2x) towards a polynomial source, so stiff rates are
/// integrated exactly, by moments of e^(-2x). What is left to solve is the risk (and the extra
/// states) at the four later nodes, by quasi-Newton: the coupling of all modes through R is
/// implicit, and a stiff risk costs nothing either. Our derivation: docs/theory/integrator.md.
class Collocation {
 public:
  static constexpr int kOrder = 6;       ///< global order where rates times H are small
  static constexpr int kErrorOrder = 4;  ///< global order of the embedded estimate

  explicit Collocation(const ModeSystem& system)
      : system_(&system),
        clock_so_far_(Eigen::ArrayXd::Zero(system.drift.cols())),
        source_so_far_(Eigen::ArrayXd::Zero(system.diffusion.cols())) {}

  /// Solves the step of the flow from `state` = [s; e]. False when Newton does not converge or a
  /// number leaves the positive finite range; the step must then be retried, shorter.
  bool solve(const Flow& flow, const Eigen::ArrayXd& state, double t0, double h,
             double newton_tolerance);
  /// [s; e] at t0 + theta H, theta in [0, 1], after a successful solve.
  void state_at(double theta, Eigen::ArrayXd& out) const;
  /// Estimated relative error of the clocks, sources and extra states over the step.
  double error() const { return error_; }
  /// Counts the solved step into the clocks and sources so far, against which errors are weighed.
  void accept();
  long evaluations() const { return evaluations_; }

 private:
  using Nodes = StepNodes;
  Nodes guess(double risk) const;
  void fill_scalars(const Eigen::ArrayXd& unknown);
  void fill_clocks();
  double log_risk_rate(double risk) const;
  void modes_at(double clock, Eigen::ArrayXd& s) const;
  template <class Clocks>
  void modes_at(double theta, const Clocks& own, Eigen::ArrayXd& s) const;
  void lay_out();
  void sum_over_modes();
  double risk_at(int node);
  bool residual(const Eigen::ArrayXd& unknown, Eigen::ArrayXd& out);
  void estimate_error();
  double clock_error() const;

  const ModeSystem* system_;
  const Flow* flow_ = nullptr;
  Eigen::ArrayXd state_;
  double t0_ = 0, h_ = 0, error_ = 0;
  long evaluations_ = 0;

  /// log R of the last step that was solved.
  struct {
    double start = NAN, length = 0;
    Nodes log_risk = Nodes::Zero();
  } last_;
  Nodes gamma_ = Nodes::Zero();  // step size at the nodes
  Eigen::ArrayXXd drift_;        // g_q at the nodes: (kStepNodes, Q)
  Eigen::ArrayXXd diffusion_;    // n_r at the nodes: (kStepNodes, N)
  Eigen::ArrayXXd speed_;        // gamma g_q at the nodes: (kStepNodes, Q)
  Eigen::ArrayXXd source_;       // gamma^2 n_r at the nodes: (kStepNodes, N)
  Eigen::ArrayXXd extra_;        // e at the nodes: (kStepNodes, E)
  Eigen::ArrayXXd extra_rate_;   // de/dt at the nodes
  Eigen::ArrayXXd clock_;        // integral of speed_ up to each node: (kStepNodes, Q)
  /// Sources in powers of the clock's fraction: (kStepNodes, N) of n_r where Q = 1 and all modes
  /// share a clock; else (modes, kStepNodes) of the modes themselves, with their clocks' totals.
  Eigen::ArrayXXd polynomial_;
  Eigen::ArrayXd total_;
  Eigen::ArrayXXd own_clock_;  // up to each node: (modes, kStepNodes)
  // Where all modes share a clock the risk at a node is kept + sum_mr gain(m + 5r) P_mr with P the
  // polynomial: sums over modes that depend on the clocks alone, and serve while those stay.
  Nodes summed_clock_ = Nodes::Zero();  // clock_ they were taken at; nan: none
  Nodes kept_ = Nodes::Zero();          // sum h s e^(-2x)/2
  Eigen::ArrayXXd gain_;                // sum h c_r M_m(2x)/2: (5 N, kStepNodes)
  /// Blocks of modes that share a clock, laid out for these sums; `still`: without noise.
  struct Modes {
    Block half_weight, rate;  ///< h/2, 2 a
    bool still;
  };
  std::vector<Modes> layout_;
  std::vector<Block> force_;  // h c/2: of each block, N
  Eigen::ArrayXd clock_so_far_, source_so_far_;
  Eigen::MatrixXd inverse_;  // of the Jacobian of the residual; empty: to be made anew
  mutable Eigen::ArrayXd scratch_;
};

}  // namespace riskcurve
