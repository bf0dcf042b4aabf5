#pragma once
#include <Eigen/Core>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace riskcurve {

/// The scalar factors of the rates at one instant: g_q and n_r below.
struct Response {
  Eigen::ArrayXd drift;      ///< g_q, shape (Q)
  Eigen::ArrayXd diffusion;  ///< n_r, shape (N)
};

/// The mode system: what every optimizer produces, and all that integrators and analyses read.
/// Mode k carries a second moment s_k >= 0; with k steps of raw size gamma (iteration time t, one
/// unit a step),
///
///     ds_k/dt = -2 gamma(t) a_k s_k + gamma(t)^2 c_k,         R = sum_k h_k s_k / 2,
///     a_k = sum_q g_q(t, R, e) drift(k, q),   c_k = sum_r n_r(t, R, e) diffusion(k, r),
///     de/dt = extra_rate(t, R, e).
///
/// Q = N = 1 for most optimizers: fixed vectors times scalar responses
/// (docs/theory/mode-system.md). Larger Q, N are rates that are a short sum of products; e are
/// extra scalar states (Adam's mean second moment). Noise correlated between steps enters through
/// c_k as its sum over lags. A mode may stand for many (a group of equal rates, a quadrature node):
/// s_k and c_k are then sums. Source: (C) 2406.11733, (S) 2411.12135 for SGD, clipped SGD and
/// SignSGD; the form is ours.
struct ModeSystem {
  Eigen::ArrayXd weight;        ///< h_k >= 0, shape (modes)
  Eigen::ArrayXXd drift;        ///< shape (modes, Q)
  Eigen::ArrayXXd diffusion;    ///< shape (modes, N)
  Eigen::ArrayXd initial;       ///< s_k(0) >= 0, shape (modes)
  Eigen::ArrayXd multiplicity;  ///< directions each mode stands for; may be empty (unknown)

  /// g and n at iteration time t and risk R > 0; `extra` has the shape of extra_initial. May keep
  /// tables of its own: a system, with its copies, belongs to one thread at a time.
  std::function<Response(double t, double risk, const Eigen::ArrayXd& extra)> response;

  Eigen::ArrayXd extra_initial;  ///< e(0); empty for most
  std::function<Eigen::ArrayXd(double t, double risk, const Eigen::ArrayXd& extra)> extra_rate;

  std::vector<double> breaks;  ///< iteration times where the response is not smooth in t
  double noise_variance = 0;   ///< E epsilon^2: P = R + noise_variance/2; may be +inf

  /// Named quantities worth reading along the curve: for SignSGD its four effects. They are given
  /// the system they are read from, which may be a compressed one (compress.hpp).
  std::map<std::string, std::function<double(const ModeSystem& system, double t, double risk,
                                             const Eigen::ArrayXd& s)>>
      observable;
  std::vector<std::string> warnings;  ///< approximations made while it was filled

  Eigen::Index modes() const { return weight.size(); }
  double risk(const Eigen::ArrayXd& s) const { return 0.5 * (weight * s).sum(); }
};

/// Throws InputError unless shapes agree, numbers are finite and h, drift, s(0) are non-negative.
void validate(const ModeSystem& system);

}  // namespace riskcurve
