// Many steps of a FilteredMap at once (docs/theory/signal.md#recursion).
#include <cmath>

#include "integrate/filtered_past.hpp"
#include "integrate/led_lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// Sums over n steps of kept^(steps after), plain and times the share of the way from -1/2 to 1/2.
struct Decaying {
  double kept, plain, tilted;

  Decaying(double keep, double n) : kept(std::pow(keep, n)), plain(n), tilted(0) {
    if (!(keep < 1)) return;
    plain = (1 - kept) / (1 - keep);
    const double after = (keep - kept * (n - (n - 1) * keep)) / ((1 - keep) * (1 - keep));
    tilted = 0.5 * (n - 1) / n * plain - after / n;
  }
};

/// What a step does to lanes of modes, m = n m m^T counted apart.
template <int M>
struct FilteredLane {
  LaneMatrix<M> map, noise;
  LaneVector<M> given;  // what the map makes of the means beyond the slopes

  FilteredLane(const BlockStep& step, const Block& count, const ArrayXXd& all, Index first) {
    // Columns of `all`: sampled, rest, given, part, z, comes.
    const auto lane = [&](Index column) -> Block { return all.col(column).segment<kBlock>(first); };
    const Block sampled = count * lane(0), rest = count * lane(1);
    for (int i = 0; i < M; ++i) {
      given[i] = step.push[i] * lane(2);
      for (int j = 0; j < M; ++j) {
        map[i][j] = step.fixed(i, j) + step.push[i] * lane(3 + j);
        noise[i][j] =
            sampled * lane(3 + M + i) * lane(3 + M + j) + rest * (step.push[i] * step.push[j]) +
            count * (lane(3 + 2 * M + i) * step.push[j] + step.push[i] * lane(3 + 2 * M + j));
      }
    }
  }
  void add(const FilteredLane& other, double factor) {
    add_to<M>(map, other.map, factor);
    add_to<M>(noise, other.noise, factor);
    add_to<M>(given, other.given, factor);
  }
};

ArrayXXd columns_of(const Recursion& recursion, const FilteredParts& parts,
                    const FilteredAnswer& answer, const ArrayXXd& comes) {
  const Index modes = recursion.system().modes(), size = parts.step.part.cols();
  ArrayXXd all = ArrayXXd::Zero(recursion.padded(), 3 + 3 * size);
  auto top = all.topRows(modes);
  top.col(0) = answer.sampled;
  top.col(1) = parts.rest;
  if (parts.mean.size() > 0)
    top.col(2) = (parts.of_mean * parts.mean).rowwise().sum() - parts.step.mean;
  top.middleCols(3, size) = parts.step.part;
  top.middleCols(3 + size, size) = parts.z;
  top.middleCols(3 + 2 * size, size) = comes;
  return all;
}

}  // namespace

BlockState lead_filtered(const Recursion& recursion, const BlockInstant& at, const BlockState& seen,
                         double steps, const BlockState& from, const BlockInstant* first) {
  const FilteredMap& map = *recursion.system().filtered;
  const int size = recursion.blocks().size;
  const Index modes = recursion.system().modes();
  const FilteredParts parts(recursion, at, seen);
  // Of the change from the first step to this one, what the whole way has, and what there is before
  // its middle, where (n - 1)/2 steps are taken.
  const double half = std::floor(0.5 * steps), apart = steps / half;
  const double here = 0.5 * (steps - 1) / half;
  BlockState to = from;
  to.past = past_of(map, parts.step, from.past, steps);
  FilteredPast middle =
      map.lasting ? past_of(map, parts.step, from.past, std::floor(0.5 * steps)) : to.past;
  look_back(map, parts.step, middle);
  const ArrayXXd comes = mapped(at.step, parts.step.part, remembered(middle, modes, size));
  if (!map.lasting) to.past = middle;

  const ArrayXXd all = columns_of(recursion, parts, *at.answer, comes);
  ArrayXXd earlier;
  if (first) {
    const FilteredParts then(recursion, *first, from);
    earlier = columns_of(recursion, then, *first->answer, comes);
    const double beta = at.now.momentum, taken = (1 - beta) * (1 - beta);
    const Decaying sums(beta * beta, steps);
    const double late = taken * (sums.tilted * apart - sums.plain * (1 - here));
    to.past.noise += late * (at.answer->sampled - first->answer->sampled);
    to.past.risk += late * (at.now.risk - first->now.risk) / to.past.weight;
  }
  if (const ArrayXd& squares = at.answer->squares; squares.size() > 0) {
    const double keep = recursion.system().squares->keep;
    const auto added = [&](const ArrayXd& after, const BlockState& before) -> ArrayXd {
      return after - keep * before.squares.head(modes);
    };
    const Decaying sums(keep, steps);
    const ArrayXd adds = added(squares, seen);
    to.squares.head(modes) = sums.kept * from.squares.head(modes) + sums.plain * adds;
    if (first)
      to.squares.head(modes) += (sums.tilted * apart - sums.plain * (1 - here)) *
                                (adds - added(first->answer->squares, from));
  }
  with_size(size, [&](auto m) {
    constexpr int M = m();
    const bool means = from.mean.size() > 0;
    for (Index k = 0; k < recursion.padded(); k += kBlock) {
      const Block count = recursion.multiplicity().segment<kBlock>(k);
      FilteredLane<M> now(at.step, count, all, k);
      const LaneMoments<M> begin(recursion, from, k);
      LaneMatrix<M> tilt;
      LaneVector<M> mean_tilt;
      if (first) {
        FilteredLane<M> change(first->step, count, earlier, k);  // back to it
        change.add(now, -1);
        now.add(change, 1 - here);
        const LaneMoments<M> between(recursion, seen, k);
        const LaneMatrix<M> once =
            product<M>(product<M>(change.map, between.spread), transposed<M>(now.map));
        tilt = change.noise;
        add_to<M>(tilt, once);
        add_to<M>(tilt, transposed<M>(once));
        scale<M>(tilt, -apart);
        if (means) {
          mean_tilt = carried<M>(change.map, between.mean);
          add_to<M>(mean_tilt, change.given);
          scale<M>(mean_tilt, -apart);
        }
      }
      LaneMatrix<M> s = led_on<M>(now.map, begin.spread, now.noise, steps, first ? &tilt : nullptr);
      for (int i = 0; i < M; ++i) s[i][i] = s[i][i].max(0.0);
      if (means) {
        const LaneVector<M> mean =
            led_on<M>(now.map, begin.mean, now.given, steps, first ? &mean_tilt : nullptr);
        for (int i = 0; i < M; ++i) {
          to.mean.col(i).segment<kBlock>(k) = mean[i];
          for (int j = 0; j < M; ++j) s[i][j] += count * mean[i] * mean[j];
        }
      }
      store_moments<M>(s, k, to.own);
    }
  });
  return to;
}

}  // namespace riskcurve
