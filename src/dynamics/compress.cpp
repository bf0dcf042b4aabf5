#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "dynamics/gauss_measure.hpp"
#include "dynamics/octaves.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {
namespace {

/// Where each direction has rates of its own, a mode is a point in (weight, mean square): merged
/// within bins of an eighth of an octave of the first and a quarter of the second.
ModeSystem merge_directions(const ModeSystem& system) {
  const Eigen::Index more = system.blocks ? system.blocks->more_initial.cols() : 0;
  if (more > 0) return system;
  std::map<std::pair<int, int>, std::vector<Eigen::Index>> bins;
  const auto bin = [](double x, double an_octave) {
    return x > 0 ? static_cast<int>(std::floor(an_octave * std::log2(x))) : -100000;
  };
  for (Eigen::Index k = 0; k < system.modes(); ++k) {
    const double n = system.multiplicity[k];
    bins[{bin(system.weight[k], 8), bin(n > 0 ? system.initial[k] / n : 0, 4)}].push_back(k);
  }
  const auto count = static_cast<Eigen::Index>(bins.size());
  if (2 * count >= system.modes()) return system;
  ModeSystem small = system;
  for (Eigen::ArrayXd* values : {&small.weight, &small.initial, &small.multiplicity})
    values->setZero(count);
  small.drift.setZero(count, 1);
  small.diffusion.setZero(count, system.diffusion.cols());
  small.drift_loss = nullptr;
  small.correlation = nullptr;
  Eigen::Index at = 0;
  for (const auto& [where, members] : bins) {
    const Eigen::ArrayXd n = system.multiplicity(members), s = system.initial(members),
                         h = system.weight(members);
    // Means that keep R(0) and the noise's share of R.
    const Eigen::ArrayXd share = s.sum() > 0 ? s : n;
    small.weight[at] = share.sum() > 0 ? (h * share).sum() / share.sum() : h.mean();
    small.initial[at] = s.sum();
    small.multiplicity[at] = n.sum();
    small.drift(at, 0) = share.sum() > 0
                             ? (system.drift.col(0)(members) * share).sum() / share.sum()
                             : system.drift.col(0)(members).mean();
    for (Eigen::Index r = 0; r < system.diffusion.cols(); ++r)
      small.diffusion(at, r) = small.weight[at] > 0
                                   ? (h * system.diffusion.col(r)(members)).sum() / small.weight[at]
                                   : 0;
    ++at;
  }
  if (small.blocks && small.blocks->inverse.size() > 0)
    small.blocks->inverse = (small.weight > 0).select(1 / small.weight.max(1e-300), 0.0);
  return small;
}

}  // namespace

ModeSystem compress(const ModeSystem& system, int nodes, double slow) {
  return compress(
      system, [nodes](double) { return nodes; }, slow);
}

ModeSystem compress(const ModeSystem& system, const std::function<int(double rate)>& nodes,
                    double slow) {
  if (system.filtered) return system;  // merged where it was filled
  if (system.directions || (system.squares && system.squares->each))
    return merge_directions(system);
  const Eigen::Index noises = system.diffusion.cols();
  if (system.drift.cols() != 1 || (system.diffusion < 0).any()) return system;
  // What the blocks start from beside s(0); and l, a function of the rate.
  const Eigen::Index more = system.blocks ? system.blocks->more_initial.cols() : 0;
  const Eigen::Index starts = 1 + more;

  std::map<int, std::vector<Eigen::Index>> octaves;
  for (Eigen::Index k = 0; k < system.modes(); ++k) {
    const double a = system.drift(k, 0);
    octaves[a > slow ? octave(a) : -1].push_back(k);
  }

  // Modes without noise stand together, where a solver passes them by more quickly.
  std::vector<double> rate;
  std::vector<Eigen::ArrayXd> start, noise;
  const auto add_rules = [&](const auto& mass_of, Eigen::Index from, Eigen::Index of) {
    for (const auto& [octave, members] : octaves) {
      const Eigen::ArrayXd a = system.drift.col(0)(members);
      const Measure rule =
          gauss_rule(a, system.weight(members) * mass_of(members), nodes(a.maxCoeff()));
      for (Eigen::Index q = 0; q < rule.point.size(); ++q) {
        rate.push_back(std::max(0.0, rule.point[q]));
        start.push_back(Eigen::ArrayXd::Zero(starts));
        noise.push_back(Eigen::ArrayXd::Zero(noises));
        if (from >= 0) start.back()[from] = rule.weight[q];
        if (of >= 0) noise.back()[of] = rule.weight[q];
      }
    }
  };
  add_rules(system.initial, 0, -1);
  for (Eigen::Index p = 0; p < more; ++p) add_rules(system.blocks->more_initial.col(p), 1 + p, -1);
  for (Eigen::Index r = 0; r < noises; ++r) add_rules(system.diffusion.col(r), -1, r);
  const auto count = static_cast<Eigen::Index>(rate.size());
  if (count == 0 || count >= system.modes()) return system;

  ModeSystem small = system;
  small.weight = Eigen::ArrayXd::Ones(count);
  small.drift = Eigen::Map<const Eigen::ArrayXd>(rate.data(), count);
  small.initial.resize(count);
  small.multiplicity.resize(0);
  small.drift_loss = nullptr;  // of the modes themselves
  small.correlation = nullptr;
  small.diffusion.resize(count, noises);
  if (small.blocks) small.blocks->more_initial.resize(count, more);
  for (Eigen::Index k = 0; k < count; ++k) {
    small.diffusion.row(k) = noise[static_cast<std::size_t>(k)].transpose();
    small.initial[k] = start[static_cast<std::size_t>(k)][0];
    for (Eigen::Index p = 0; p < more; ++p)
      small.blocks->more_initial(k, p) = start[static_cast<std::size_t>(k)][1 + p];
  }
  if (small.blocks && small.blocks->inverse.size() > 0)
    small.blocks->inverse = small.drift.col(0).unaryExpr(small.blocks->inverse_of);
  return small;
}

}  // namespace riskcurve
