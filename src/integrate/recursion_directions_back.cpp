// The adjoint of blocks whose map sees single directions: of S = C + n m m^T, dR(T)/dS = P and
// dR(T)/dm = p, and through the rates, which answer to f^T m and f^T C f/n + r^2 c_before/n.
#include "integrate/direction_modes.hpp"
#include "integrate/recursion_back.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;

template <int M>
class ModesBack {
 public:
  ModesBack(const Recursion& recursion, const BlockInstant& at, const Eigen::ArrayXd& share,
            BackSums& sums)
      : recursion_(recursion), at_(at), step_(at.step), share_(share), sums_(sums) {}

  void operator()(const BlockState& state, Index k, BlockState& p) const {
    const DirectionRates& rates = at_.directions;
    const double n = recursion_.multiplicity()[k], a = rates.drift.value[k],
                 a_mean = rates.mean.value[k], after = at_.after[k], before = at_.before[k];
    const double l = recursion_.inverse().size() > 0 ? recursion_.inverse()[k] : 0;
    const Vector<M> m = mean_of<M>(state, k), q = push_of<M>(step_), z = before_of<M>(step_, a),
                    z1 = step_.noise_drift, f = step_.read,
                    reads = reading<M>(recursion_, step_, k);
    const Square<M> c = spread_of<M>(state, k, n, m), next = square_of<M>(p.own, k);
    const Square<M> around = map_of<M>(recursion_, step_, a, k),
                    moves = map_of<M>(recursion_, step_, a_mean, k);

    // Of what the step leaves: S' = C' + n m' m'^T.
    const Vector<M> by_moved = mean_of<M>(p, k) + 2 * n * next * (moves * m);
    const Square<M> pushed = next * around, b = pushed * c;
    const Square<M> half = 0.5 * by_moved * m.transpose();
    add(sums_.map, b + half);
    add(sums_.map_a, a * b + a_mean * half);
    add(sums_.map_l, l * (b + half));
    add(sums_.map_la, l * (a * b + a_mean * half));
    add(sums_.after, after * next);
    add(sums_.before, before * next);
    add(sums_.before_a, before * a * next);
    add(sums_.before_aa, before * a * a * next);
    const double along = 2 * q.dot(b * f), along_mean = q.dot(by_moved) * f.dot(m);
    sums_.along += a * along + a_mean * along_mean;

    // To the rates,
    double by_drift = along + 2 * before * z1.dot(next * z), by_mean_rate = along_mean;
    if (l != 0) {
      const Vector<M> pull = step_.pull_drift, pulled = step_.pull_read;
      by_drift += 2 * l * pull.dot(b * pulled);
      by_mean_rate += l * pull.dot(by_moved) * pulled.dot(m);
    }
    const double pushed_twice = q.dot(next * q), z_twice = z.dot(next * z);
    const double by_rest = pushed_twice * at_.after_at_zero[k];
    const auto through = [&](Eigen::ArrayXd DirectionRate::*slope) {
      return by_mean_rate * (rates.mean.*slope)[k] + by_drift * (rates.drift.*slope)[k] +
             by_rest * (rates.rest.*slope)[k];
    };
    const double by_mean = through(&DirectionRate::by_mean),
                 by_variance = through(&DirectionRate::by_variance) / n;
    sums_.gain += through(&DirectionRate::by_gain);
    sums_.rest[k] = by_rest;
    sums_.drift[k] = by_drift;
    // and through what they are rates of.
    const double fresh = step_.read[0];
    sums_.after_modes[k] = pushed_twice;
    sums_.before_modes[k] = z_twice + by_variance * fresh * fresh;
    sums_.fresh += 2 * by_variance * fresh * before;
    const Vector<M> by_reads = by_mean * m + 2 * by_variance * (c * reads);
    sums_.read += by_reads;
    sums_.read_l += l * by_reads;

    Square<M> by_spread = around.transpose() * pushed + by_variance * reads * reads.transpose();
    const Vector<M> by_m = moves.transpose() * by_moved + by_mean * reads - 2 * n * (by_spread * m);
    for (int i = 0; i < M; ++i) {
      p.mean(k, i) = by_m[i];
      for (int j = i; j < M; ++j) p.own(k, entry(M, i, j)) = by_spread(i, j);
    }
    if (share_.size() == 0) return;
    // What a kick of one direction does: through its mean, and around it.
    const Square<M> carried = pushed * c * pushed.transpose();
    const auto spread = [&](double noise, const Vector<M>& way, double twice) {
      const double mean = way.dot(by_moved) / n;
      return noise * (n * mean * mean + 4 * way.dot(carried * way)) +
             2 * noise * noise * twice * twice;
    };
    sums_.scatter += share_[k] * (spread(after, q, pushed_twice) + spread(before, z, z_twice));
  }

 private:
  static void add(BlockMatrix& sum, const Square<M>& x) { sum += x; }

  const Recursion& recursion_;
  const BlockInstant& at_;
  const BlockStep& step_;
  const Eigen::ArrayXd& share_;
  BackSums& sums_;
};

}  // namespace

void step_back_directions(const Recursion& recursion, const BlockInstant& at,
                          const BlockState& state, const Eigen::ArrayXd& share, BlockState& p,
                          BackSums& sums) {
  const int size = recursion.blocks().size;
  sums.read = sums.read_l = BlockVector::Zero(size);
  sums.rest.setZero(recursion.padded());
  with_size(size, [&](auto m) {
    const ModesBack<m()> back(recursion, at, share, sums);
    for (Index k = 0; k < recursion.padded(); ++k) back(state, k, p);
  });
}

}  // namespace riskcurve
