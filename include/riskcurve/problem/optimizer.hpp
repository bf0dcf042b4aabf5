#pragma once
#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

// The algorithms, as their users state them: what both theory and Monte Carlo read. l_i is the
// residual <x_i, theta> - y_i of sample i of a fresh batch of b.

/// theta -= gamma (1/b) sum_i l_i x_i
struct Sgd {
  int batch = 1;
};

/// theta -= gamma sign(sum_i l_i x_i), coordinate by coordinate; sign(0) = 0
struct SignSgd {
  int batch = 1;
};

/// Gradient clipping at the norm C = threshold * sqrt(tr K): `threshold` is in residual units.
///   sample: theta -= gamma (1/b) sum_i l_i x_i min(1, C/|l_i x_i|)
///   batch:  theta -= gamma G min(1, C/|G|),  G = (1/b) sum_i l_i x_i
struct ClippedSgd {
  enum class Clip { sample, batch };
  int batch = 1;
  Schedule threshold;
  Clip clip = Clip::sample;
};

/// W -= gamma U f(S) V^T for the batch gradient G = (1/B) sum_i l_i x_out x_in^T = U S V^T
/// (compact):
///   sign_svd         f = 1, the ideal of Muon
///   schatten         f = g^exponent, exponent in (-1, 1]
///   regularized_svd  f = g/sqrt(g^2 + epsilon^2)
struct SpectralOptimizer {
  enum class Kind { sign_svd, schatten, regularized_svd };
  Kind kind = Kind::sign_svd;
  int batch = 1;
  double exponent = 0;
  double epsilon = 0;
};

/// Read the keys of [optimizer] (`batch`; `threshold`, `clip`; `exponent`, `epsilon`). Throw
/// InputError.
Sgd read_sgd(const Fields& optimizer);
SignSgd read_sign_sgd(const Fields& optimizer);
ClippedSgd read_clipped_sgd(const Fields& optimizer, double horizon);
SpectralOptimizer read_spectral(const Fields& optimizer);
/// Takes the keys away that belong to other optimizers than the one named.
void drop_keys_of_others(Fields optimizer);

}  // namespace riskcurve
