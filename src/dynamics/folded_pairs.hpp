#pragma once
#include <vector>

#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

/// Whether pairs that are alike may be one mode.
inline bool few_pairs(Grids grids) {
  return grids == Grids::compressed || grids == Grids::rough;
}

/// Both sides of n alike: of the pairs (i, j) and (j, i), which are alike too, one. Pairs lie in
/// the order i + n j.
struct FoldedPairs {
  std::vector<Eigen::Index> kept, of;  // of all pairs: those that are kept, and which each has
  Eigen::ArrayXd times;                // how many a kept one stands for
  Eigen::ArrayXd multiplicity;         // of all pairs

  FoldedPairs(Eigen::Index n, const Eigen::ArrayXd& all) : multiplicity(all) {
    of.resize(static_cast<std::size_t>(n * n));
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = 0; i <= j; ++i) {
        for (const Eigen::Index at : {i + n * j, j + n * i})
          of[static_cast<std::size_t>(at)] = std::ssize(kept);
        kept.push_back(i + n * j);
      }
    times = Eigen::ArrayXd::Constant(std::ssize(kept), 2);
    for (Eigen::Index j = 0; j < n; ++j) times[of[static_cast<std::size_t>(j + n * j)]] = 1;
  }
  FilteredGradient unfolded(const FilteredGradient& u) const {
    FilteredGradient all = u;
    all.multiplicity = multiplicity;
    all.weight = u.weight(of);
    for (Eigen::ArrayXd* modes : {&all.error, &all.cross, &all.signal, &all.noise, &all.mean})
      if (modes->size() > 0) *modes = Eigen::ArrayXd((*modes)(of));
    return all;
  }
};

}  // namespace riskcurve
