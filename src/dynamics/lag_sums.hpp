#pragma once
#include <cmath>
#include <numbers>

#include "dynamics/filtered_sign.hpp"

namespace riskcurve {

// What integrals over s of 1/sqrt(v) = int e^(-s v) ds/sqrt(pi s) are made of
// (docs/theory/adaptive.md).

/// Sums over lags k at s: log phi = sum log psi(s u_k), sum w X, sum w^2 Y and sum w w' Y, w' =
/// w_(k+n)/beta^n, with psi = E (1 + 2 x q)^(-1/2) and what it turns into under a signal (X) and
/// for the noise (Y); T = sum 2 s u/(1 + 2 s u).
struct SumsOverLags {
  double log_phi = 0, slope = 0, square = 0, cross = 0, share = 0;
};

/// w_(k + n) = later_weight beta^n for all n >= 1, at k = 0.
inline double before_first(const LagWeights& weights) {
  return weights.beta > 0 ? weights.later / weights.beta : 0;
}

/// Nodes and weights of ds/sqrt(pi s) over s > 0, s = exp(eta - e^(-eta)).
struct RootNode {
  double s, weight;
};
inline constexpr double kFirstNode = -3.6, kNodeStep = 0.35;
inline RootNode root_node(int i, double step = kNodeStep) {
  const double eta = kFirstNode + step * i, s = std::exp(eta - std::exp(-eta));
  return {s, step * (1 + std::exp(-eta)) * std::sqrt(s / std::numbers::pi)};
}

/// H(y) = sum_(1 <= n < steps) (beta/sqrt(beta2))^n prod_(l <= n) psi((1 - beta2) beta2^(-l) y);
/// log_psi is asked at x and log x.
template <class LogPsi>
double later_lags(double y, double beta, double beta2, double steps, const LogPsi& log_psi) {
  if (beta == 0) return 0;
  double sum = 0, log_term = 0, x = (1 - beta2) * y;
  const double delta = -std::log(beta2), step = std::log(beta) + 0.5 * delta, log_x = std::log(x);
  const double little = step < 0 ? -1e-12 * std::expm1(step) : 0;  // of a sum, what is left of it
  for (int n = 1; n < steps && n < 100000; ++n) {
    x /= beta2;
    log_term += step + log_psi(x, log_x + n * delta);
    const double term = std::exp(log_term);
    sum += term;
    if (term < little * sum || (x > 1 && term < 1e-13 * sum)) break;
    if (term < 1e-30) break;
  }
  return sum;
}

/// What H of the nodes before the first, where only it counts, adds to the first's own: H ~
/// y^(r - 1/2), r = log beta/log beta2, small where the filter remembers longer than the squares.
inline double later_below(double later, double y, double beta, double beta2, double steps,
                          double step = kNodeStep) {
  if (beta == 0) return 0;
  const bool all = (1 - beta2) * y * std::pow(beta2, -steps) > 1;  // else H is flat there
  const double r = all ? std::log(beta) / std::log(beta2) : 0.5;
  const auto log_s = [](double eta) { return eta - std::exp(-eta); };
  double sum = 0;
  for (double eta = kFirstNode - step; eta > -700; eta -= step) {
    const double term = (1 + std::exp(-eta)) * std::exp(r * (log_s(eta) - log_s(kFirstNode)));
    sum += term;
    if (term < 1e-12 * sum || term < 1e-30) break;
  }
  return later * sum / (1 + std::exp(-kFirstNode));
}

}  // namespace riskcurve
