// Many steps of a FilteredMap at once (docs/theory/signal.md#recursion).
#include <cmath>
#include <optional>

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

/// What a step is made of, padded to whole lanes.
struct PaddedParts {
  ArrayXd sampled, rest, given;  // given: what the map makes of the means beyond the slopes
  ArrayXXd part, z, comes;

  PaddedParts(const Recursion& recursion, const FilteredParts& parts, const FilteredAnswer& answer,
              const ArrayXXd& rests)
      : sampled(recursion.pad(answer.sampled)), rest(recursion.pad(parts.rest)) {
    if (parts.mean.size() > 0)
      given = recursion.pad((parts.of_mean * parts.mean).rowwise().sum() - parts.step.mean);
    const auto padded = [&](const ArrayXXd& values) {
      ArrayXXd all = ArrayXXd::Zero(recursion.padded(), values.cols());
      all.topRows(values.rows()) = values;
      return all;
    };
    part = padded(parts.step.part);
    z = padded(parts.z);
    comes = padded(rests);
  }
};

/// What a step does to lanes of modes, m = n m m^T counted apart.
template <int M>
struct FilteredLane {
  LaneMatrix<M> map, noise;
  LaneVector<M> given;

  FilteredLane(const BlockStep& step, const Block& count, const PaddedParts& of, Index first) {
    const auto lane = [first](const auto& column) -> Block {
      return column.template segment<kBlock>(first);
    };
    const Block sampled = count * lane(of.sampled), rest = count * lane(of.rest);
    for (int i = 0; i < M; ++i) {
      given[i] = Block::Zero();
      if (of.given.size() > 0) given[i] = step.push[i] * lane(of.given);
      for (int j = 0; j < M; ++j) {
        map[i][j] = step.fixed(i, j) + step.push[i] * lane(of.part.col(j));
        noise[i][j] =
            sampled * lane(of.z.col(i)) * lane(of.z.col(j)) + rest * (step.push[i] * step.push[j]) +
            count * (lane(of.comes.col(i)) * step.push[j] + step.push[i] * lane(of.comes.col(j)));
      }
    }
  }
  void add(const FilteredLane& other, double factor) {
    add_to<M>(map, other.map, factor);
    add_to<M>(noise, other.noise, factor);
    add_to<M>(given, other.given, factor);
  }
};

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
  FilteredPast middle = map.lasting ? past_of(map, parts.step, from.past, half) : to.past;
  look_back(map, parts.step, middle);
  const ArrayXXd comes = mapped(at.step, parts.step.part, remembered(middle, modes, size));
  if (!map.lasting) to.past = middle;

  const PaddedParts all(recursion, parts, *at.answer, comes);
  std::optional<PaddedParts> earlier;
  if (first) {
    const FilteredParts then(recursion, *first, from);
    earlier.emplace(recursion, then, *first->answer, comes);
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
      LaneMoments<M> moments(recursion, from, k);
      LaneMatrix<M> tilt;
      LaneVector<M> mean_tilt;
      if (first) {
        FilteredLane<M> change(first->step, count, *earlier, k);  // back to it
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
      moments.spread =
          led_on<M>(now.map, moments.spread, now.noise, steps, first ? &tilt : nullptr);
      for (int i = 0; i < M; ++i) moments.spread[i][i] = moments.spread[i][i].max(0.0);
      if (means)
        moments.mean =
            led_on<M>(now.map, moments.mean, now.given, steps, first ? &mean_tilt : nullptr);
      moments.store(recursion, k, to);
    }
  });
  return to;
}

}  // namespace riskcurve
