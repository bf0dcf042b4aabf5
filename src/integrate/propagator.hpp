#pragma once
#include <Eigen/Core>
#include <algorithm>

#include "integrate/step_basis.hpp"

namespace riskcurve {

// The exact answer of linear modes to a polynomial source over a panel (docs/theory/integrator.md).
// A mode
//
//     ds/dt = -2 gamma a s + f
//
// is carried in the fraction v of its own clock int gamma a dt, in which its decay is constant:
//
//     s(u) = e^-z s(0) + sum_m p_m u^(m+1) M_m(z),    M_m(z) = int_0^1 e^(-z(1-v)) v^m dv,
//
// z = 2 int_0^u gamma a dt, f dt = sum_m p_m v^m dv. Scalar modes: one number each, carried a block
// at a time in vector instructions. The same with time reversed carries the adjoint.

constexpr int kBlock = 16;
using Block = Eigen::Array<double, kBlock, 1>;
/// One column a power of v, or a node.
using BlockNodes = Eigen::Array<double, kBlock, kStepNodes>;

/// Entries first..first+kBlock of a column, 0 past its end; and back.
template <class Column>
Block load(const Column& column, Eigen::Index first) {
  const Eigen::Index count = column.size() - first;
  if (count >= kBlock) return column.template segment<kBlock>(first);
  Block block = Block::Zero();
  block.head(count) = column.segment(first, count);
  return block;
}
inline void store(const Block& block, Eigen::Index first, Eigen::ArrayXd& column) {
  const Eigen::Index count = column.size() - first;
  if (count >= kBlock)
    column.segment<kBlock>(first) = block;
  else
    column.segment(first, count) = block.head(count);
}

/// What scalar modes keep of their start, and gain of each power of v, after clocks z >= 0.
struct ScalarPropagator {
  Block decay;        ///< e^-z
  BlockNodes moment;  ///< M_m(z)

  explicit ScalarPropagator(const Block& z);

  /// sum_m p_m M_m for a polynomial that all modes share.
  template <class Polynomial>
  Block gain(const Polynomial& p) const {
    Block sum = p[0] * moment.col(0);
    for (int m = 1; m < kStepNodes; ++m) sum += p[m] * moment.col(m);
    return sum;
  }
  /// One polynomial each, in v up to the fraction u of the panel: sum_m p_m u^(m+1) M_m.
  Block gain(const BlockNodes& p, const Block& u) const {
    Block power = u, sum = p.col(0) * power * moment.col(0);
    for (int m = 1; m < kStepNodes; ++m) {
      power *= u;
      sum += p.col(m) * power * moment.col(m);
    }
    return sum;
  }
};

/// kept += start e^-z and gained_m += force M_m(z).
void add_propagated(const Block& z, const Block& start, const Block& force, Block& kept,
                    BlockNodes& gained);
/// kept += start e^-z.
void add_decayed(const Block& z, const Block& start, Block& kept);
/// now <- e^-z now + force sum_m p_m M_m(z).
void relax(const Block& z, const Block& force, const StepNodes& p, Block& now);

/// Rates of modes that are sums of a few products: columns (modes, n) times factors (n, nodes).
Eigen::ArrayXXd combined(const Eigen::ArrayXXd& columns, const Eigen::ArrayXXd& factors);

/// The clock of a scalar mode of rate a over a panel. Without drift (a not positive throughout, or
/// no step) its fraction is that of time, and total 0.
struct ScalarClock {
  double total;        ///< int gamma a dt
  StepNodes fraction;  ///< v at the nodes, from 0 to 1
  StepNodes per;       ///< gamma dt/dv there: gamma n dt = n per dv
};
/// gamma and a at the nodes of a panel of this length.
ScalarClock scalar_clock(const StepNodes& gamma, const StepNodes& rate, double length);

/// The same of a block of modes, each of its own rate.
struct BlockClock {
  Block total;
  BlockNodes fraction, per;
};
BlockClock block_clock(const StepNodes& gamma, const BlockNodes& rate, double length);

/// `monomials` and `cardinal` of a block of modes at nodes of their own.
class BlockMonomials {
 public:
  explicit BlockMonomials(const BlockNodes& u);
  BlockNodes operator()(BlockNodes f) const;
  BlockNodes cardinal(int node) const;

 private:
  BlockNodes u_;
  BlockNodes inverse_[kStepNodes - 1];  // [level - 1]: 1/(u_j - u_(j - level))
};

}  // namespace riskcurve
