#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include "problem/noise_laws.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

NoiseLaw mixture_noise(const std::vector<double>& weights, const std::vector<NoiseLaw>& laws) {
  if (weights.empty() || weights.size() != laws.size())
    throw InputError("noise.components", std::to_string(weights.size()) + " weights",
                     "one weight for each component, and at least one");
  for (const double w : weights) check_noise("components.weight", w, Range::positive());
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::abs(sum - 1) > 1e-9) {
    char text[64];
    std::snprintf(text, sizeof text, "weights that sum to %.10g", sum);
    throw InputError("noise.components", text, "weights that sum to 1");
  }
  NoiseLaw mixture;
  mixture.kind = "mixture";
  std::vector<double> cumulative;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    const double weight = weights[i] / sum;
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

NoiseLaw read_mixture_noise(const Fields& fields) {
  std::vector<double> weights;
  std::vector<NoiseLaw> laws;
  for (const Fields& component : fields.tables("components")) {
    weights.push_back(component.number("weight", Range::positive()));
    laws.push_back(read_noise(component));
  }
  return mixture_noise(weights, laws);
}

}  // namespace riskcurve
