#include "dynamics/pair_sum.hpp"

#include <algorithm>
#include <vector>

#include "lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;

constexpr Index kAcross = 8;  // rows of v at a time
constexpr Index kDown = 4;    // and of u

/// out(8 of v, 4 of u) += sum_l left(8, l) right(4, l), both packed l by l.
template <class Lanes>
RISKCURVE_INLINE inline void add_tile(const double* left, const double* right, Index count,
                                      double* out, Index stride) {
  constexpr int vectors = kAcross / width<Lanes>;
  Lanes sum[kDown][vectors];
  for (int j = 0; j < kDown; ++j)
    for (int i = 0; i < vectors; ++i)
      sum[j][i] = lanes_at<Lanes>(out + j * stride + i * width<Lanes>);
  for (Index l = 0; l < count; ++l, left += kAcross, right += kDown) {
    Lanes x[vectors];
    for (int i = 0; i < vectors; ++i) x[i] = lanes_at<Lanes>(left + i * width<Lanes>);
    for (int j = 0; j < kDown; ++j)
      for (int i = 0; i < vectors; ++i) sum[j][i] += x[i] * right[j];
  }
  for (int j = 0; j < kDown; ++j)
    for (int i = 0; i < vectors; ++i) put(sum[j][i], out + j * stride + i * width<Lanes>);
}

/// All tiles: left of `across` tiles, right of `down`, each packed one after another.
template <class Lanes>
RISKCURVE_INLINE inline void add_tiles(const double* left, const double* right, Index across,
                                       Index down, Index count, double* out) {
  for (Index j = 0; j < down; ++j)
    for (Index i = 0; i < across; ++i)
      add_tile<Lanes>(left + i * count * kAcross, right + j * count * kDown, count,
                      out + j * kDown * across * kAcross + i * kAcross, across * kAcross);
}

using AddTiles = void (*)(const double* left, const double* right, Index across, Index down,
                          Index count, double* out);
AddTiles add_tiles_here() {
  const AddTiles any = [](const double* l, const double* r, Index a, Index d, Index n, double* o) {
    add_tiles<Two>(l, r, a, d, n, o);
  };
#ifdef RISKCURVE_WIDE
  const AddTiles wide = [](const double* l, const double* r, Index a, Index d, Index n, double* o)
                            RISKCURVE_TARGET { add_tiles<Four>(l, r, a, d, n, o); };
  if (has_wide_lanes()) return wide;
#endif
  return any;
}

}  // namespace

Eigen::ArrayXXd pair_sum(const Eigen::MatrixXd& m, const Eigen::MatrixXd& v,
                         const Eigen::MatrixXd& u) {
  const AddTiles add = add_tiles_here();
  const Index nodes = m.rows(), across = (v.rows() + kAcross - 1) / kAcross,
              down = (u.rows() + kDown - 1) / kDown;
  Eigen::MatrixXd left = Eigen::MatrixXd::Zero(across * kAcross, nodes),
                  right = Eigen::MatrixXd::Zero(down * kDown, nodes),
                  sum = Eigen::MatrixXd::Zero(across * kAcross, down * kDown);
  left.topRows(v.rows()) = v;
  right.topRows(u.rows()) = u;
  std::vector<double> packed_left(static_cast<std::size_t>(left.size())),
      packed_right(static_cast<std::size_t>(right.size()));
  // One k at a time, l >= k; M is symmetric.
  for (Index k = 0; k < nodes; ++k) {
    double* to = packed_left.data();
    for (Index i = 0; i < across; ++i)
      for (Index l = k; l < nodes; ++l) {
        const double weight = l == k ? m(l, k) : 2 * m(l, k);
        for (Index lane = i * kAcross; lane < (i + 1) * kAcross; ++lane)
          *to++ = weight * left(lane, k) * left(lane, l);
      }
    to = packed_right.data();
    for (Index j = 0; j < down; ++j)
      for (Index l = k; l < nodes; ++l)
        for (Index lane = j * kDown; lane < (j + 1) * kDown; ++lane)
          *to++ = right(lane, k) * right(lane, l);
    add(packed_left.data(), packed_right.data(), across, down, nodes - k, sum.data());
  }
  return sum.topLeftCorner(v.rows(), u.rows()).array();
}

}  // namespace riskcurve
