#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "dynamics/gauss_measure.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

ModeSystem compress(const ModeSystem& system, int nodes, double slow) {
  return compress(
      system, [nodes](double) { return nodes; }, slow);
}

ModeSystem compress(const ModeSystem& system, const std::function<int(double rate)>& nodes,
                    double slow) {
  const Eigen::Index noises = system.diffusion.cols();
  if (system.drift.cols() != 1 || (system.diffusion < 0).any()) return system;
  // What the blocks start from beside s(0); and l, a function of the rate.
  const Eigen::Index more = system.blocks ? system.blocks->more_initial.cols() : 0;
  const Eigen::Index starts = 1 + more;

  std::map<int, std::vector<Eigen::Index>> octaves;
  for (Eigen::Index k = 0; k < system.modes(); ++k) {
    const double a = system.drift(k, 0);
    octaves[a > slow ? std::ilogb(a) : -100000].push_back(k);
  }

  std::vector<double> rate;
  std::vector<Eigen::ArrayXd> start, noise;
  for (const auto& [octave, members] : octaves) {
    const Eigen::ArrayXd a = system.drift.col(0)(members);
    const Eigen::ArrayXd h = system.weight(members);
    const int points = nodes(a.maxCoeff());
    const auto add_rule = [&](const Eigen::ArrayXd& mass, Eigen::Index from, Eigen::Index of) {
      const Measure rule = gauss_rule(a, h * mass, points);
      for (Eigen::Index q = 0; q < rule.point.size(); ++q) {
        rate.push_back(std::max(0.0, rule.point[q]));
        start.push_back(Eigen::ArrayXd::Zero(starts));
        noise.push_back(Eigen::ArrayXd::Zero(noises));
        if (from >= 0) start.back()[from] = rule.weight[q];
        if (of >= 0) noise.back()[of] = rule.weight[q];
      }
    };
    add_rule(system.initial(members), 0, -1);
    for (Eigen::Index p = 0; p < more; ++p)
      add_rule(system.blocks->more_initial.col(p)(members), 1 + p, -1);
    for (Eigen::Index r = 0; r < noises; ++r) add_rule(system.diffusion.col(r)(members), -1, r);
  }
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
