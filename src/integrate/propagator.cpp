#include "integrate/propagator.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lanes.hpp"

namespace riskcurve {
namespace {

/// (-1)^k 4!/(5+k)!: M_4 = sum_k of it z^k.
struct Series {
  double of[22] = {};  // 2^22 4!/27! is below 1e-19
  constexpr Series() {
    double term = 1.0 / kStepNodes;
    for (int k = 0; k < 22; ++k) {
      of[k] = term;
      term /= -(kStepNodes + k + 1);
    }
  }
};
constexpr Series kSeries;

/// Integers as long.
template <class Lanes>
struct Integers;
template <>
struct Integers<Two> {
  using type = std::int64_t __attribute__((vector_size(16)));
};
template <>
struct Integers<Four> {
  using type = std::int64_t __attribute__((vector_size(32)));
};

/// e^x, and beyond |x| = 708 what it is there: 2^n e^r, |r| <= log(2)/2.
template <class Lanes>
RISKCURVE_INLINE inline Lanes exponential(const Lanes& by) {
  constexpr double shift = 0x1.8p52;  // adding it leaves an integer in the last digits
  constexpr double inverse_factorial[] = {1.0 / 6227020800,
                                          1.0 / 479001600,
                                          1.0 / 39916800,
                                          1.0 / 3628800,
                                          1.0 / 362880,
                                          1.0 / 40320,
                                          1.0 / 5040,
                                          1.0 / 720,
                                          1.0 / 120,
                                          1.0 / 24,
                                          1.0 / 6,
                                          1.0 / 2,
                                          1,
                                          1};
  Lanes x = by > 708.0 ? Lanes{} + 708.0 : by;
  x = x < -708.0 ? Lanes{} - 708.0 : x;
  const Lanes shifted = x * 1.4426950408889634 + shift, n = shifted - shift;
  const Lanes r = (x - n * 0x1.62e42fefa38p-1) - n * 0x1.ef35793c7673p-45;
  Lanes sum = Lanes{} + inverse_factorial[0];
  for (int k = 1; k < 14; ++k) sum = sum * r + inverse_factorial[k];
  typename Integers<Lanes>::type power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power + 1023) << 52;
  Lanes scale;
  std::memcpy(&scale, &power, sizeof scale);
  return sum * scale;
}

/// use(lane, e^-z, its moments), some lanes at a time: by the series of M_4 where z <= 2, and the
/// recurrence downwards; by the one upwards from M_0 above. `terms` 0: none is below, `high`: some
/// are above.
template <class Lanes, int terms, bool high, class Use>
RISKCURVE_INLINE inline void lanes_of(const double* clock, const Use& use) {
  for (int lane = 0; lane < kBlock; lane += width<Lanes>) {
    const Lanes z = lanes_at<Lanes>(clock + lane), e = exponential(-z);
    Lanes m[kStepNodes] = {};
    if constexpr (terms > 0) {
      const Lanes x = high ? (z > 2.0 ? Lanes{} + 2.0 : z) : z;
      // Even powers and odd ones, side by side.
      const Lanes square = x * x;
      Lanes even = Lanes{} + kSeries.of[terms - 2], odd = Lanes{} + kSeries.of[terms - 1];
      for (int k = terms - 4; k >= 0; k -= 2) {
        even = even * square + kSeries.of[k];
        odd = odd * square + kSeries.of[k + 1];
      }
      m[kStepNodes - 1] = even + x * odd;
      for (int i = kStepNodes - 1; i > 0; --i) m[i - 1] = (1 - x * m[i]) * (1.0 / i);
    }
    if constexpr (high) {
      const Lanes by = 1 / (z > 2.0 ? z : Lanes{} + 2.0);
      Lanes up = (1 - e) * by;
      for (int i = 0; i < kStepNodes; up = (1 - ++i * up) * by) m[i] = z > 2.0 ? up : m[i];
    }
    use(lane, e, m);
  }
}
/// Few terms where all rates are slow.
template <class Lanes, class Use>
RISKCURVE_INLINE inline void each_lane(const double* z, const Use& use) {
  double least = z[0], largest = z[0];
  for (int lane = 1; lane < kBlock; ++lane) {
    least = z[lane] < least ? z[lane] : least;
    largest = z[lane] > largest ? z[lane] : largest;
  }
  if (largest < 0.02)
    lanes_of<Lanes, 8, false>(z, use);
  else if (largest < 0.3)
    lanes_of<Lanes, 14, false>(z, use);
  else if (largest <= 2)
    lanes_of<Lanes, 22, false>(z, use);
  else if (least > 2)
    lanes_of<Lanes, 0, true>(z, use);
  else
    lanes_of<Lanes, 22, true>(z, use);
}

template <class Lanes>
RISKCURVE_INLINE inline void propagate(const double* z, double* decay, double* moment) {
  each_lane<Lanes>(z, [=](int lane, const Lanes& e, const Lanes* m) RISKCURVE_INLINE {
    put(e, decay + lane);
    for (int i = 0; i < kStepNodes; ++i) put(m[i], moment + i * kBlock + lane);
  });
}
template <class Lanes>
RISKCURVE_INLINE inline void add(const double* z, const double* start, const double* force,
                                 double* kept, double* gained) {
  each_lane<Lanes>(z, [=](int lane, const Lanes& e, const Lanes* m) RISKCURVE_INLINE {
    put(lanes_at<Lanes>(kept + lane) + lanes_at<Lanes>(start + lane) * e, kept + lane);
    const Lanes f = lanes_at<Lanes>(force + lane);
    for (int i = 0; i < kStepNodes; ++i) {
      double* sum = gained + i * kBlock + lane;
      put(lanes_at<Lanes>(sum) + f * m[i], sum);
    }
  });
}
template <class Lanes>
RISKCURVE_INLINE inline void decay(const double* z, double* now) {
  for (int lane = 0; lane < kBlock; lane += width<Lanes>)
    put(lanes_at<Lanes>(now + lane) * exponential(-lanes_at<Lanes>(z + lane)), now + lane);
}
template <class Lanes>
RISKCURVE_INLINE inline void add_decay(const double* z, const double* start, double* kept) {
  for (int lane = 0; lane < kBlock; lane += width<Lanes>)
    put(lanes_at<Lanes>(kept + lane) +
            lanes_at<Lanes>(start + lane) * exponential(-lanes_at<Lanes>(z + lane)),
        kept + lane);
}
template <class Lanes>
RISKCURVE_INLINE inline void relax(const double* z, const double* force, const double* p,
                                   double* now) {
  each_lane<Lanes>(z, [=](int lane, const Lanes& e, const Lanes* m) RISKCURVE_INLINE {
    Lanes gain = p[0] * m[0];
    for (int i = 1; i < kStepNodes; ++i) gain += p[i] * m[i];
    put(lanes_at<Lanes>(now + lane) * e + lanes_at<Lanes>(force + lane) * gain, now + lane);
  });
}

/// 16 rows of a sum of columns times factors, another for each column of factors.
template <class Lanes>
RISKCURVE_INLINE inline void combine(const double* columns, std::ptrdiff_t rows, int count,
                                     const double* factors, int sums, double* out) {
  constexpr int vectors = kBlock / width<Lanes>;
  for (int j = 0; j < sums; ++j, out += rows) {
    Lanes sum[vectors] = {};
    for (int q = 0; q < count; ++q)
      for (int i = 0; i < vectors; ++i)
        sum[i] += lanes_at<Lanes>(columns + q * rows + i * width<Lanes>) * factors[j * count + q];
    for (int i = 0; i < vectors; ++i) put(sum[i], out + i * width<Lanes>);
  }
}

/// The same loops for either kind of processor.
struct Kernels {
  void (*combine)(const double* columns, std::ptrdiff_t rows, int count, const double* factors,
                  int sums, double* out);
  void (*propagate)(const double* z, double* decay, double* moment);
  void (*add)(const double* z, const double* start, const double* force, double* kept,
              double* gained);
  void (*decay)(const double* z, double* now);
  void (*add_decay)(const double* z, const double* start, double* kept);
  void (*relax)(const double* z, const double* force, const double* p, double* now);
};
constexpr Kernels kAny = {
    [](const double* c, std::ptrdiff_t r, int n, const double* f, int s, double* o) {
      combine<Two>(c, r, n, f, s, o);
    },
    [](const double* z, double* d, double* m) { propagate<Two>(z, d, m); },
    [](const double* z, const double* s, const double* f, double* k, double* g) {
      add<Two>(z, s, f, k, g);
    },
    [](const double* z, double* n) { decay<Two>(z, n); },
    [](const double* z, const double* s, double* k) { add_decay<Two>(z, s, k); },
    [](const double* z, const double* f, const double* p, double* n) { relax<Two>(z, f, p, n); }};
#ifdef RISKCURVE_WIDE
constexpr Kernels kWide = {
    [](const double* c, std::ptrdiff_t r, int n, const double* f, int s, double* o)
        RISKCURVE_TARGET { combine<Four>(c, r, n, f, s, o); },
    [](const double* z, double* d, double* m) RISKCURVE_TARGET { propagate<Four>(z, d, m); },
    [](const double* z, const double* s, const double* f, double* k, double* g)
        RISKCURVE_TARGET { add<Four>(z, s, f, k, g); },
    [](const double* z, double* n) RISKCURVE_TARGET { decay<Four>(z, n); },
    [](const double* z, const double* s, double* k) RISKCURVE_TARGET { add_decay<Four>(z, s, k); },
    [](const double* z, const double* f, const double* p, double* n)
        RISKCURVE_TARGET { relax<Four>(z, f, p, n); }};
const Kernels& kernels() {
  return has_wide_lanes() ? kWide : kAny;
}
#else
const Kernels& kernels() {
  return kAny;
}
#endif

}  // namespace

ScalarPropagator::ScalarPropagator(const Block& z) {
  kernels().propagate(z.data(), decay.data(), moment.data());
}

void add_propagated(const Block& z, const Block& start, const Block& force, Block& kept,
                    BlockNodes& gained) {
  kernels().add(z.data(), start.data(), force.data(), kept.data(), gained.data());
}

void add_decayed(const Block& z, const Block& start, Block& kept) {
  kernels().add_decay(z.data(), start.data(), kept.data());
}

void relax(const Block& z, const Block& force, const StepNodes& p, Block& now) {
  if ((force == 0).all())
    kernels().decay(z.data(), now.data());
  else
    kernels().relax(z.data(), force.data(), p.data(), now.data());
}

Eigen::ArrayXXd combined(const Eigen::ArrayXXd& columns, const Eigen::ArrayXXd& factors) {
  const Eigen::Index rows = columns.rows(), whole = rows / kBlock * kBlock;
  Eigen::ArrayXXd out(rows, factors.cols());
  for (Eigen::Index first = 0; first < whole; first += kBlock)
    kernels().combine(columns.data() + first, rows, static_cast<int>(columns.cols()),
                      factors.data(), static_cast<int>(factors.cols()), out.data() + first);
  if (const Eigen::Index rest = rows - whole; rest > 0)
    out.bottomRows(rest) = columns.bottomRows(rest).matrix().lazyProduct(factors.matrix()).array();
  return out;
}

ScalarClock scalar_clock(const StepNodes& gamma, const StepNodes& rate, double length) {
  const StepNodes clock = length * (step_basis().integrate * (gamma * rate).matrix()).array();
  const double total = clock[kStepNodes - 1];
  if (!(rate.minCoeff() > 0) || !(total > 0)) return {0, step_basis().node, length * gamma};
  return {total, clock / total, total / rate};
}

BlockClock block_clock(const StepNodes& gamma, const BlockNodes& rate, double length) {
  const StepMatrix to_clock =
      length * gamma.matrix().asDiagonal() * step_basis().integrate.transpose();
  BlockClock clock;
  clock.fraction = (rate.matrix() * to_clock).array();
  const Block total = clock.fraction.col(kStepNodes - 1);
  const Eigen::Array<bool, kBlock, 1> moves = total > 0 && (rate > 0).rowwise().all();
  clock.total = moves.select(total, 0.0);
  const Block inverse = 1 / moves.select(total, 1.0);
  for (int j = 0; j < kStepNodes; ++j) {
    const Block at = clock.fraction.col(j) * inverse;
    clock.fraction.col(j) = moves.select(at, step_basis().node[j]);
    clock.per.col(j) =
        moves.select(total / moves.select(Block(rate.col(j)), 1.0), length * gamma[j]);
  }
  clock.fraction.col(kStepNodes - 1).setOnes();
  return clock;
}

BlockMonomials::BlockMonomials(const BlockNodes& u) : u_(u) {
  for (int level = 1; level < kStepNodes; ++level)
    for (int j = level; j < kStepNodes; ++j)
      inverse_[level - 1].col(j) = 1 / (u.col(j) - u.col(j - level));
}

BlockNodes BlockMonomials::operator()(BlockNodes f) const {
  for (int level = 1; level < kStepNodes; ++level)
    for (int j = kStepNodes - 1; j >= level; --j)
      f.col(j) = (f.col(j) - f.col(j - 1)) * inverse_[level - 1].col(j);
  for (int level = kStepNodes - 2; level >= 0; --level)
    for (int j = level; j < kStepNodes - 1; ++j) f.col(j) -= u_.col(level) * f.col(j + 1);
  return f;
}

BlockNodes BlockMonomials::cardinal(int node) const {
  BlockNodes one = BlockNodes::Zero();
  one.col(node).setOnes();
  return (*this)(one);
}

}  // namespace riskcurve
