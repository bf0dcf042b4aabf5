#pragma once
#include <array>

#include "integrate/propagator.hpp"
#include "riskcurve/dynamics/blocks.hpp"

namespace riskcurve {

// Symmetric moments of blocks of M, kBlock modes abreast: entry (i, j), i <= j, of all modes is
// column entry<M>(i, j) of an array of shape (modes padded to kBlock, M (M + 1)/2).

constexpr int entries(int size) {
  return size * (size + 1) / 2;
}
constexpr int entry(int size, int i, int j) {
  return i <= j ? i * size - i * (i - 1) / 2 + j - i : entry(size, j, i);
}

template <int M>
using LaneVector = std::array<Block, M>;
template <int M>
using LaneMatrix = std::array<LaneVector<M>, M>;  // [row][column]

template <int M>
LaneMatrix<M> load_moments(const Eigen::ArrayXXd& moments, Eigen::Index first) {
  LaneMatrix<M> s;
  for (int i = 0; i < M; ++i)
    for (int j = i; j < M; ++j)
      s[i][j] = s[j][i] = moments.col(entry(M, i, j)).template segment<kBlock>(first);
  return s;
}
template <int M>
void store_moments(const LaneMatrix<M>& s, Eigen::Index first, Eigen::ArrayXXd& moments) {
  for (int i = 0; i < M; ++i)
    for (int j = i; j < M; ++j)
      moments.col(entry(M, i, j)).template segment<kBlock>(first) = s[i][j];
}

/// A of the modes of rates a, l.
template <int M>
LaneMatrix<M> maps(const BlockStep& step, const Block& a, const Block* l) {
  LaneMatrix<M> map;
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) {
      map[i][j] = step.fixed(i, j) + a * (step.push[i] * step.read[j]);
      if (l && step.pull_read[j] != 0)
        map[i][j] += *l * (step.pull_fixed[i] + a * step.pull_drift[i]) * step.pull_read[j];
    }
  return map;
}
/// z of the noise that enters with the gradient.
template <int M>
LaneVector<M> noise_before(const BlockStep& step, const Block& a) {
  LaneVector<M> z;
  for (int i = 0; i < M; ++i) z[i] = step.noise_fixed[i] + a * step.noise_drift[i];
  return z;
}

template <int M>
LaneMatrix<M> product(const LaneMatrix<M>& x, const LaneMatrix<M>& y) {
  LaneMatrix<M> z;
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) {
      z[i][j] = x[i][0] * y[0][j];
      for (int k = 1; k < M; ++k) z[i][j] += x[i][k] * y[k][j];
    }
  return z;
}
/// The upper half of X Y^T, and its mirror image.
template <int M>
LaneMatrix<M> symmetric_product(const LaneMatrix<M>& x, const LaneMatrix<M>& y) {
  LaneMatrix<M> z;
  for (int i = 0; i < M; ++i)
    for (int j = i; j < M; ++j) {
      z[i][j] = x[i][0] * y[j][0];
      for (int k = 1; k < M; ++k) z[i][j] += x[i][k] * y[j][k];
      z[j][i] = z[i][j];
    }
  return z;
}
template <int M>
LaneMatrix<M> transposed(const LaneMatrix<M>& x) {
  LaneMatrix<M> t;
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) t[i][j] = x[j][i];
  return t;
}
/// x^T S y of numbers x, y.
template <int M>
Block form(const BlockVector& x, const LaneMatrix<M>& s, const BlockVector& y) {
  Block sum = Block::Zero();
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j)
      if (x[i] != 0 && y[j] != 0) sum += (x[i] * y[j]) * s[i][j];
  return sum;
}
template <int M>
Block form(const LaneVector<M>& x, const LaneMatrix<M>& s, const LaneVector<M>& y) {
  Block sum = Block::Zero();
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) sum += x[i] * y[j] * s[i][j];
  return sum;
}

/// f(integral constant M) for the size of the blocks.
template <class F>
decltype(auto) with_size(int size, F&& f) {
  switch (size) {
    case 1:
      return f(std::integral_constant<int, 1>{});
    case 2:
      return f(std::integral_constant<int, 2>{});
    case 3:
      return f(std::integral_constant<int, 3>{});
    default:
      return f(std::integral_constant<int, 4>{});
  }
}

}  // namespace riskcurve
