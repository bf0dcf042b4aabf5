#pragma once
#include <functional>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

// The small-signal condition of the matrix problem (docs/theory/trust.md#signal).

/// Estimate of ||K_out Delta K_in|| at the start. Entries that are known (initial_error): by power
/// iteration. Else independent entries of variance v_ij = sigma_i^2 lambda_j^2 s_ij(0): the least g
/// at which the cavity equations x_ij = 1/(g - sum_{l /= j} v_il y_il), y_ij = 1/(g - sum_{l /= i}
/// v_lj x_lj) and their full sums stay positive: the edge of a dense matrix, the entry itself of a
/// matrix with one. Within 10 % of drawn matrices of independent signs.
double signal_norm(const MatrixProblem& problem);
/// How many singular directions share the initial risk, (tr M M^T)^2/tr (M M^T)^2 of M =
/// K_out^(1/2) Delta K_in^(1/2): of the entries where known, else expected of independent ones,
/// with q_ij = sigma_i lambda_j s_ij: (sum q)^2/(sum_i (sum_j q)^2 + sum_j (sum_i q)^2 - sum q^2).
double risk_rank(const MatrixProblem& problem);
/// Estimate of ||G - E G||, G = (1/B) sum_b z_b u_b v_b^T with z of its law at excess risk R. Where
/// a gradient takes at most 4e6 random numbers: the mean over 1 to 32 drawn ones. Else the upper
/// edge of the resolvent curve continued to t^2 = -g^2,
///     g^2 = min_{pi > 0} pi^2/(a b m),   pi = (1/B) sum_i a sigma_i/(1 - a sigma_i),
///     likewise b of K_in and m of z^2, whose law is held by B quantiles:
/// up to 40 % too large where single eigenvalues stand out. Noise of infinite variance: |z| is cut
/// at its 90 % quantile, beyond which single samples would stand for the bulk of the singular
/// values.
double noise_norm(const MatrixProblem& problem, double batch, double risk);
/// signal_norm, scaled as sqrt(R/R(0)), over noise_norm. The scaling overstates it later in a run,
/// where the modes of large sigma lambda have been learned; R = 0: 0.
double signal_ratio(const MatrixProblem& problem, double batch, double risk);
/// The same as a function of the risk, that keeps of the problem what it needs.
std::function<double(double risk)> signal_of(const MatrixProblem& problem, double batch);

}  // namespace riskcurve
