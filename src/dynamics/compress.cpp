#include <cmath>
#include <map>
#include <vector>

#include "dynamics/gauss_measure.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

ModeSystem compress(const ModeSystem& system, int nodes, double slow) {
  const Eigen::Index noises = system.diffusion.cols();
  if (system.drift.cols() != 1 || (system.diffusion < 0).any()) return system;

  std::map<int, std::vector<Eigen::Index>> octaves;
  for (Eigen::Index k = 0; k < system.modes(); ++k) {
    const double a = system.drift(k, 0);
    octaves[a > slow ? std::ilogb(a) : -100000].push_back(k);
  }

  std::vector<double> rate, start;
  std::vector<Eigen::ArrayXd> noise;
  for (const auto& [octave, members] : octaves) {
    const Eigen::ArrayXd a = system.drift.col(0)(members);
    const Eigen::ArrayXd h = system.weight(members);
    for (Eigen::Index r = -1; r < noises; ++r) {
      // r = -1: the measure h s(0); else h c_r.
      const Eigen::ArrayXd mass = h * (r < 0 ? Eigen::ArrayXd(system.initial(members))
                                             : Eigen::ArrayXd(system.diffusion.col(r)(members)));
      const Measure rule = gauss_rule(a, mass, nodes);
      for (Eigen::Index q = 0; q < rule.point.size(); ++q) {
        rate.push_back(std::max(0.0, rule.point[q]));
        start.push_back(r < 0 ? rule.weight[q] : 0.0);
        noise.push_back(Eigen::ArrayXd::Zero(noises));
        if (r >= 0) noise.back()[r] = rule.weight[q];
      }
    }
  }
  const auto count = static_cast<Eigen::Index>(rate.size());
  if (count == 0 || count >= system.modes()) return system;

  ModeSystem small = system;
  small.weight = Eigen::ArrayXd::Ones(count);
  small.drift = Eigen::Map<const Eigen::ArrayXd>(rate.data(), count);
  small.initial = Eigen::Map<const Eigen::ArrayXd>(start.data(), count);
  small.multiplicity.resize(0);
  small.drift_loss = nullptr;  // of the modes themselves
  small.correlation = nullptr;
  small.diffusion.resize(count, noises);
  for (Eigen::Index k = 0; k < count; ++k)
    small.diffusion.row(k) = noise[static_cast<std::size_t>(k)].transpose();
  return small;
}

}  // namespace riskcurve
