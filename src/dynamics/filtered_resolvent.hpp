#pragma once
#include <memory>

#include "dynamics/filtered_variance.hpp"

namespace riskcurve {

/// The columns of a gradient whose rows are alike: `rows` N rows; mode k is `count` columns of
/// variance lambda.
struct Columns {
  double rows, batch;
  Eigen::ArrayXd lambda, count;
  double node_step = 1;  ///< of log x: 1e-6 of slopes; 1.5: 1e-4
};

/// The variance of an entry of one gradient around its mean, over lambda^2 and in units of E z^2,
/// of Gaussian samples: (1 + 2 r + 2 c_j + 4 h E y^2)/(B lambda), r and c_j the shares of a row and
/// of column j in E z^2, h E y^2 that of the entry.
Eigen::ArrayXd sampled_variance(const Columns& columns, const Eigen::ArrayXd& error);

/// f(g) = g^exponent, or g/sqrt(g^2 + shift^2): a mixture of resolvents,
///
///     f(g) = (2/pi) cos(pi q/2) int_0^inf g tau^q/(g^2 + shift^2 + tau^2) dtau,    -1 < q < 1,
///
/// so that its slopes and rest are sums over the same nodes. An exponent of 1 is taken as a limit.
struct ResolventMixture {
  double exponent = 0, shift = 0;
};

/// The resolvent x = tr (u u^T + t^2)^(-1) of a filtered gradient u, N rows and columns of variance
/// V_j, on a grid of x (docs/theory/signal.md#resolvent):
///
///     m = (x/B^2) sum_j lambda_j/(1 + V_j x),     t^2 = [N - sum_j V_j x/(1 + V_j x)]/x,
///     V_j = chi_0^2 r^2 E y^2 + 2 chi_0 chi_1 r p E y M + chi_1^2 p^2 signal
///           + A_0 r^2 n_j + A_1 p^2 noise,     n_j = lambda_j (2P + 2 q_j)/B,
///
/// A, chi of saturation.hpp at m: single samples that count are divided by what they add.
struct FilteredResolvent {
  Eigen::ArrayXd weight;   ///< of f: (2/pi) dt, both ends beyond the grid included, shape (nodes)
  Eigen::ArrayXXd held;    ///< Z = V x/(1 + V x), shape (modes, nodes)
  Eigen::ArrayXXd root;    ///< x sqrt(V)/(1 + V x)
  FilteredSlopes slopes;   ///< of f: (1/N) int chi x/(1 + V x) times `weight`, and with A_0
  Eigen::ArrayXd power;    ///< of its columns: Z as tau -> 0; of g^q one more integral over Z
  Eigen::ArrayXd overlap;  ///< of its columns with u's: int Z times `weight`

  FilterTables tables;        ///< the next is made from them
  Eigen::ArrayXd rest_ratio;  ///< of another map: its rest over the polar factor's
};

/// In units of 2P = E z^2 at `risk`, the mean over the memory of R `memory`: `gradient` and what
/// comes back. `last`: tables are kept from it where they serve. Throws InputError where `power` of
/// g^q is infinite.
std::shared_ptr<FilteredResolvent> filtered_resolvent(const Columns& columns, const NoiseLaw& noise,
                                                      double risk, double memory,
                                                      const FilteredGradient& gradient,
                                                      const FilteredResolvent* last,
                                                      const ResolventMixture& f = {});

/// E rho rho' of the rests of two polar factors, of columns whose linear parts have correlation c:
///
///     (c_j/N^2) int int [x sqrt(V_j)/(1 + V_j x)] [x' sqrt(V'_j)/(1 + V'_j x')] L/(1 - L),
///     L = (1/N) sum_k c_k^2 Z_k(t) Z'_k(t').
Eigen::ArrayXd rest_covariance(const Columns& columns, const FilteredResolvent& now,
                               const FilteredResolvent& then, const Eigen::ArrayXd& correlation);

}  // namespace riskcurve
