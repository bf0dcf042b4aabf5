#include "dynamics/both_grids.hpp"

#include <algorithm>
#include <vector>

#include "lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXXd;
using Eigen::Index;

constexpr Index kLanes = width<Four>;  // nodes of the other grid at a time
constexpr Index kColumns = 8;          // of S at a time
constexpr double kNoRest = 1e-3;       // of S S^T, of 1: what is not linear is as small

/// A node of one grid and four of the other. Matrices (out, in) are row by row, the rows as long as
/// whole blocks of columns; of four nodes all four lie together.
struct Group {
  Index out, in;
  const double *now, *x, *y;                      // of the node, c in `now`
  const double *then, *x_then, *y_then, *weight;  // of the four
  double *s, *gram, *solved, *sum;
  GridTerms terms;
};

/// 1 - S S^T, on the diagonal and below.
template <class Lanes>
RISKCURVE_INLINE inline void make_gram(const Group& g) {
  for (Index i = 0; i < g.out; ++i) {
    const double* row = g.s + i * g.in * kLanes;
    for (Index j = 0; j <= i; ++j) {
      const double* other = g.s + j * g.in * kLanes;
      Lanes sum[4] = {};
      for (Index c = 0; c < g.in; c += 4)
        for (Index b = 0; b < 4; ++b)
          sum[b] +=
              lanes_at<Lanes>(row + (c + b) * kLanes) * lanes_at<Lanes>(other + (c + b) * kLanes);
      put((i == j ? 1.0 : 0.0) - ((sum[0] + sum[1]) + (sum[2] + sum[3])),
          g.gram + (i * g.out + j) * kLanes);
    }
  }
}

/// As L D L^T, L below a diagonal that has 1/D.
template <class Lanes>
RISKCURVE_INLINE inline void factorise(const Group& g) {
  const Index row = g.out * kLanes;
  for (Index k = 0; k < g.out; ++k) {
    double* const column = g.gram + k * kLanes;
    const Lanes over = 1.0 / lanes_at<Lanes>(column + k * row);
    put(over, column + k * row);
    for (Index i = k + 1; i < g.out; ++i) {
      const Lanes l = lanes_at<Lanes>(column + i * row) * over;
      for (Index j = k + 1; j <= i; ++j) {
        double* const entry = g.gram + i * row + j * kLanes;
        put(lanes_at<Lanes>(entry) - l * lanes_at<Lanes>(column + j * row), entry);
      }
    }
    for (Index i = k + 1; i < g.out; ++i)
      put(lanes_at<Lanes>(column + i * row) * over, column + i * row);
  }
}

/// solved = (L D L^T)^(-1) S.
template <class Lanes>
RISKCURVE_INLINE inline void solve(const Group& g) {
  const Index row = g.in * kLanes;
  const auto l = [&g](Index i, Index j) { return g.gram + (i * g.out + j) * kLanes; };
  for (Index c = 0; c < g.in; c += kColumns) {
    double* const block = g.solved + c * kLanes;
    Lanes sum[kColumns];
    for (Index i = 0; i < g.out; ++i) {
      for (Index b = 0; b < kColumns; ++b)
        sum[b] = lanes_at<Lanes>(g.s + i * row + (c + b) * kLanes);
      for (Index j = 0; j < i; ++j) {
        const Lanes by = lanes_at<Lanes>(l(i, j));
        for (Index b = 0; b < kColumns; ++b)
          sum[b] -= by * lanes_at<Lanes>(block + j * row + b * kLanes);
      }
      for (Index b = 0; b < kColumns; ++b) put(sum[b], block + i * row + b * kLanes);
    }
    for (Index i = g.out - 1; i >= 0; --i) {
      const Lanes over = lanes_at<Lanes>(l(i, i));
      for (Index b = 0; b < kColumns; ++b)
        sum[b] = over * lanes_at<Lanes>(block + i * row + b * kLanes);
      for (Index j = i + 1; j < g.out; ++j) {
        const Lanes by = lanes_at<Lanes>(l(j, i));
        for (Index b = 0; b < kColumns; ++b)
          sum[b] -= by * lanes_at<Lanes>(block + j * row + b * kLanes);
      }
      for (Index b = 0; b < kColumns; ++b) put(sum[b], block + i * row + b * kLanes);
    }
  }
}

template <class Lanes>
RISKCURVE_INLINE inline void add_group(const Group& g) {
  const Index size = g.out * g.in;
  Lanes norm[4] = {};
  for (Index e = 0; e < size; e += 4)
    for (Index b = 0; b < 4; ++b) {
      const Lanes s = g.now[e + b] * lanes_at<Lanes>(g.then + (e + b) * kLanes);
      put(s, g.s + (e + b) * kLanes);
      norm[b] += s * s;
    }
  double norms[kLanes], of_s[kLanes], of_solved[kLanes];
  put((norm[0] + norm[1]) + (norm[2] + norm[3]), norms);
  bool any = false;  // far above all singular values
  for (Index lane = 0; lane < kLanes; ++lane) {
    const bool linear = g.terms.linear && norms[lane] < kNoRest;
    any = any || (!linear && g.weight[lane] > 0);
    of_solved[lane] = linear ? 0 : 1;
    of_s[lane] = g.terms.rest ? -of_solved[lane] : 1 - of_solved[lane];
  }
  if (g.terms.rest && !any) return;
  const double* solved = g.s;
  if (any) {
    make_gram<Lanes>(g);
    factorise<Lanes>(g);
    solve<Lanes>(g);
    solved = g.solved;
  }
  const Lanes a = lanes_at<Lanes>(of_s), b = lanes_at<Lanes>(of_solved);
  for (Index i = 0; i < g.out; ++i) {
    const Lanes x = g.x[i] * lanes_at<Lanes>(g.x_then + i * kLanes) * lanes_at<Lanes>(g.weight);
    for (Index j = 0; j < g.in; ++j) {
      const Index at = (i * g.in + j) * kLanes;
      const Lanes y = g.y[j] * lanes_at<Lanes>(g.y_then + j * kLanes);
      const Lanes term = a * lanes_at<Lanes>(g.s + at) + b * lanes_at<Lanes>(solved + at);
      put(lanes_at<Lanes>(g.sum + at) + x * y * term, g.sum + at);
    }
  }
}

using AddGroup = void (*)(const Group& group);
AddGroup add_group_here() {
  const AddGroup any = [](const Group& group) { add_group<Four>(group); };
#ifdef RISKCURVE_WIDE
  const AddGroup wide = [](const Group& group) RISKCURVE_TARGET { add_group<Four>(group); };
  if (has_wide_lanes()) return wide;
#endif
  return any;
}

using Rows = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// In rows of whole blocks.
Rows by_rows(const ArrayXXd& entries) {
  Rows rows = Rows::Zero(entries.rows(), (entries.cols() + kColumns - 1) / kColumns * kColumns);
  rows.leftCols(entries.cols()) = entries;
  return rows;
}

/// Four nodes of a grid from the first on, all lanes of an entry together; 0 beyond the last node.
struct FourNodes {
  ArrayXXd root, x, y;

  FourNodes(const GridRoots& grid, std::size_t first, Index out, Index in)
      : root(ArrayXXd::Zero(kLanes, out * in)),
        x(ArrayXXd::Zero(kLanes, out)),
        y(ArrayXXd::Zero(kLanes, in)) {
    for (Index lane = 0; lane < kLanes && first < grid.root.size(); ++lane, ++first) {
      const auto node = static_cast<Index>(first);
      root.row(lane) = by_rows(grid.root[first]).reshaped<Eigen::RowMajor>().transpose();
      x.row(lane) = grid.x.col(node).transpose();
      y.row(lane).head(grid.y.rows()) = grid.y.col(node).transpose();
    }
  }
};

}  // namespace

ArrayXXd sum_over_both(const GridRoots& now, const GridRoots& then, const ArrayXXd& c,
                       const GridTerms& terms) {
  const AddGroup add = add_group_here();
  const Rows factor = by_rows(c);
  const Index out = factor.rows(), in = factor.cols();
  std::vector<Rows> once;
  for (const ArrayXXd& root : now.root) once.push_back(factor * by_rows(root));
  const Rows y = by_rows(now.y.transpose());
  const auto lanes = [](Index rows) -> ArrayXXd { return ArrayXXd::Zero(kLanes, rows); };
  ArrayXXd s = lanes(out * in), solved = s, sum = s, gram = lanes(out * out);
  for (std::size_t first = 0; first < then.root.size(); first += kLanes) {
    const FourNodes four(then, first, out, in);
    for (std::size_t k = 0; k < now.root.size(); ++k) {
      Eigen::Array<double, kLanes, 1> weight;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t l = first + lane;
        const double times = terms.mirrored ? (l > k ? 2 : l == k ? 1 : 0) : 1;
        weight[static_cast<Index>(lane)] =
            l < then.root.size() ? times * now.weight[k] * then.weight[l] : 0;
      }
      const auto node = static_cast<Index>(k);
      if (weight.maxCoeff() > 0)
        add({out, in, once[k].data(), now.x.col(node).data(), y.row(node).data(), four.root.data(),
             four.x.data(), four.y.data(), weight.data(), s.data(), gram.data(), solved.data(),
             sum.data(), terms});
    }
  }
  const Eigen::ArrayXd all = sum.colwise().sum();
  return Eigen::Map<const Rows>(all.data(), out, in).leftCols(c.cols());
}

}  // namespace riskcurve
