#include <algorithm>
#include <cmath>
#include <vector>

#include "problem/noise_laws.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

bool MixtureNoise::operator==(const MixtureNoise& other) const {
  return components == other.components;
}

NoiseLaw law_of(const MixtureNoise& kind) {
  const auto& components = kind.components;
  if (components.empty()) throw InputError("noise.components", "[]", "at least one component");
  double sum = 0;
  for (const NoiseComponent& component : components) {
    check_range("noise.components.weight", component.weight, Range::positive());
    sum += component.weight;
  }
  if (std::abs(sum - 1) > 1e-9)
    throw InputError("noise.components", "weights that sum to " + number_text(sum),
                     "weights that sum to 1");
  std::vector<NoiseLaw> laws;
  for (const NoiseComponent& component : components) laws.push_back(noise_law(component.law));
  NoiseLaw mixture;
  mixture.kind = kind.kind;
  mixture.made_from = kind;
  std::vector<double> cumulative;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    const double weight = components[i].weight / sum;
    mixture.variance += weight * laws[i].variance;
    for (NoisePart part : laws[i].parts) {
      part.weight *= weight;
      mixture.parts.push_back(std::move(part));
    }
    cumulative.push_back(weight + (cumulative.empty() ? 0 : cumulative.back()));
  }
  cumulative.back() = 1;
  std::vector<std::function<double(Random&)>> samplers;
  for (const NoiseLaw& law : laws) samplers.push_back(law.sample);
  mixture.sample = [cumulative, samplers](Random& random) {
    const auto pick = std::upper_bound(cumulative.begin(), cumulative.end(), random.uniform());
    return samplers[static_cast<std::size_t>(pick - cumulative.begin())](random);
  };
  return mixture;
}

}  // namespace riskcurve
