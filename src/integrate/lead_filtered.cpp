// Many steps of a FilteredMap at once (docs/theory/signal.md#recursion).
#include <cmath>
#include <optional>

#include "integrate/look.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

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

template <int M>
LaneStep<M> lane_step(const Recursion& recursion, const BlockStep& step, const PaddedParts& of,
                      Index first) {
  const auto lane = [first](const auto& column) -> Block {
    return column.template segment<kBlock>(first);
  };
  const Block count = lane(recursion.multiplicity()), sampled = count * lane(of.sampled),
              rest = count * lane(of.rest);
  LaneStep<M> what;
  for (int i = 0; i < M; ++i) {
    what.given[i] = Block::Zero();
    if (of.given.size() > 0) what.given[i] = step.push[i] * lane(of.given);
    for (int j = 0; j < M; ++j) {
      what.map[i][j] = step.fixed(i, j) + step.push[i] * lane(of.part.col(j));
      what.noise[i][j] =
          sampled * lane(of.z.col(i)) * lane(of.z.col(j)) + rest * (step.push[i] * step.push[j]) +
          count * (lane(of.comes.col(i)) * step.push[j] + step.push[i] * lane(of.comes.col(j)));
    }
  }
  what.mean_map = what.map;
  return what;
}

/// What a memory of `keep` makes in `steps` of what each of them adds, `of` a look.
template <class Of>
auto gathered(const Way& way, double keep, double steps, Of&& of) {
  const Way::Powers sums = decaying(keep, steps);
  const Way::Shares shares = way.shares(steps);
  const auto middle = of(way.middle);
  std::decay_t<decltype(middle)> all = sums[0] * middle;
  for (std::size_t p = 0; p < sums.size(); ++p) {
    if (way.first) all += sums[p] * shares.first[p] * (of(*way.first) - middle);
    if (way.last) all += sums[p] * shares.last[p] * (of(*way.last) - middle);
  }
  return all;
}

}  // namespace

BlockState lead_filtered(const Recursion& recursion, const Way& way, double steps,
                         const BlockState& from, bool with_lags) {
  const FilteredMap& map = *recursion.system().filtered;
  const int size = recursion.blocks().size;
  const Index modes = recursion.system().modes();
  const Look& middle = way.middle;
  BlockState to = from;
  to.past.lags.clear();
  if (with_lags && map.covariance)
    to.past.lags =
        map.lasting ? lasting_after(middle.parts->step, from.past.lags, steps) : middle.past.lags;

  to.past.steady = true;
  to.past.looked = -1;
  to.past.interval = 1;
  const double beta = middle.at.now.momentum, square = beta * beta, kept = std::pow(square, steps),
               taken = (1 - beta) * (1 - beta);
  const auto all = [&](auto&& of) { return gathered(way, square, steps, of); };
  to.past.noise = kept * from.past.noise +
                  taken * all([](const Look& look) -> ArrayXd { return look.at.answer->sampled; });
  to.past.weight = kept * from.past.weight + taken * all([](const Look&) { return 1.0; });
  to.past.risk = (kept * from.past.weight * from.past.risk +
                  taken * all([](const Look& look) { return look.at.now.risk; })) /
                 to.past.weight;
  if (middle.at.answer->squares.size() > 0) {
    const double keep = recursion.system().squares->keep;
    to.squares.head(modes) =
        std::pow(keep, steps) * from.squares.head(modes) +
        gathered(way, keep, steps, [&](const Look& look) -> ArrayXd {
          return look.at.answer->squares - keep * look.state.squares.head(modes);
        });
  }
  const auto padded = [&](const Look& look) {
    return PaddedParts(recursion, *look.parts, *look.at.answer,
                       mapped(look.at.step, look.parts->step.part, look.remembered));
  };
  const PaddedParts here = padded(middle);
  std::optional<PaddedParts> before, after;
  if (way.first) before.emplace(padded(*way.first));
  if (way.last) after.emplace(padded(*way.last));
  with_size(size, [&](auto m) {
    lead_lanes<m()>(recursion, way, steps, from, to, [&](const Look& look, Index k) {
      const PaddedParts& of = &look == &middle ? here : &look == way.first ? *before : *after;
      return lane_step<m()>(recursion, look.at.step, of, k);
    });
  });
  for (int i = 0; i < size; ++i) {
    auto moment = to.own.col(entry(size, i, i));
    moment = moment.max(0.0);
  }
  return to;
}

}  // namespace riskcurve
