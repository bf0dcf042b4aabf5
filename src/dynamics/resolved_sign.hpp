#pragma once
#include <vector>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// The directions of a gradient g of independent Gaussian entries, each of `count` of mode k of
/// mean mu_k and variance V_k.
struct Directions {
  Eigen::ArrayXd count, mean, variance;
};

/// E g_k/|g| = mu_k by_mean, d/dmu_k of it, and E g_k^2/|g|^2. The signs of g in a basis that has
/// nothing to do with its directions are, of d coordinates, sqrt(2 d/pi) g/|g| and a rest of
/// variance 1 - 2/pi that is alike in all of them (docs/theory/signal.md#signs):
///
///     by_mean = (2/sqrt pi) int Pi/D_k dx,    by_spread = (2/sqrt pi) int Pi (1/D_k - 2x^2
///     mu_k^2/D_k^2) dx,    square = int 2x Pi (V_k/D_k + mu_k^2/D_k^2) dx,
///     Pi = prod_l D_l^(-1/2) exp(-x^2 mu_l^2/D_l),    D_l = 1 + 2x^2 V_l.
struct Normalised {
  Eigen::ArrayXd by_mean, by_spread, square;
};
/// Nodes of log x.
struct Fineness {
  double step = 0.25, first = 1e-4, vanished = 1e-12;  ///< from x |g| to a share of the largest
};
inline constexpr Fineness kRoughly{0.5, 1e-2, 1e-6};  ///< 1e-4; otherwise 1e-8
Normalised normalised(const Directions& g, const Fineness& grid = {});

inline constexpr int kDrawnRows = 32;
/// What drawn rows see, shape (kDrawnRows, modes), or (1, modes) where all have the same.
struct RowsSeen {
  Eigen::ArrayXd count;
  Eigen::ArrayXXd mean, deviation, square;
  Eigen::ArrayXd total;     ///< |g|^2 by each row
  Eigen::ArrayXd variance;  ///< of each mode, over all rows
  std::vector<bool> drawn;  ///< modes whose directions each count

  RowsSeen() = default;
  explicit RowsSeen(const Directions& g)
      : RowsSeen(g.count, g.mean.transpose(), g.variance.transpose()) {}
  RowsSeen(Eigen::ArrayXd count, Eigen::ArrayXXd mean, const Eigen::ArrayXXd& variance);
};

/// Modes of two rows whose directions are drawn.
std::vector<Eigen::Index> heads_of(const RowsSeen& g, const RowsSeen& other);

/// E of the product of two such rests, (2/pi) E[arcsin w - w], w the cosine of g and g', whose
/// entries have products `heads` in the mean, shape (rows, heads), and |g| |g'| w in all: rows of
/// both drawn (fixed seed, antithetic), of the directions that count; others by their mean.
double rest_of_signs(const RowsSeen& g, const RowsSeen& other,
                     const std::vector<Eigen::Index>& heads, const Eigen::ArrayXXd& of_heads,
                     const Eigen::ArrayXd& in_all);
/// The same of `both` by mode.
double rest_of_signs(const RowsSeen& g, const RowsSeen& other, const Eigen::ArrayXd& both);

}  // namespace riskcurve
