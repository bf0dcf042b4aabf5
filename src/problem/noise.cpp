#include "riskcurve/problem/noise.hpp"

#include "problem/noise_laws.hpp"

namespace riskcurve {
namespace {

/// The member that is the size of a law, or nullptr.
template <class Kind>
auto* size_of(Kind& kind) {
  if constexpr (requires { kind.std; }) {
    return &kind.std;
  } else if constexpr (requires { kind.scale; }) {
    return &kind.scale;
  } else if constexpr (requires { kind.half_width; }) {
    return &kind.half_width;
  } else {
    return static_cast<double*>(nullptr);
  }
}

}  // namespace

NoiseLaw noise_law(const NoiseKind& kind) {
  return std::visit(
      [](const auto& law) {
        check_keys(law, "noise.");
        return law_of(law);
      },
      kind);
}

NoiseLaw no_noise() {
  return noise_law(NoNoise{});
}
NoiseLaw gaussian_noise(double std) {
  return noise_law(GaussianNoise{std});
}
NoiseLaw student_t_noise(double nu, double scale) {
  return noise_law(StudentTNoise{nu, scale});
}
NoiseLaw laplace_noise(double scale) {
  return noise_law(LaplaceNoise{scale});
}
NoiseLaw uniform_noise(double half_width) {
  return noise_law(UniformNoise{half_width});
}
NoiseLaw rademacher_noise(double scale) {
  return noise_law(RademacherNoise{scale});
}
NoiseLaw mixture_noise(const std::vector<double>& weights, const std::vector<NoiseLaw>& laws) {
  if (weights.size() != laws.size())
    throw InputError("noise.components", std::to_string(weights.size()) + " weights",
                     "one weight for each component");
  MixtureNoise mixture;
  for (std::size_t i = 0; i < laws.size(); ++i)
    mixture.components.push_back({weights[i], laws[i].made_from});
  return noise_law(mixture);
}
NoiseLaw empirical_noise(const Eigen::ArrayXd& sample) {
  return noise_law(EmpiricalNoise{{}, {}, {sample.begin(), sample.end()}});
}

std::optional<double> noise_size(const NoiseLaw& noise) {
  return std::visit(
      [](const auto& kind) -> std::optional<double> {
        const double* const size = size_of(kind);
        if (size == nullptr || *size == 0) return {};
        return *size;
      },
      noise.made_from);
}

NoiseLaw with_size(const NoiseLaw& noise, double size) {
  NoiseKind kind = noise.made_from;
  std::visit(
      [&](auto& law) {
        double* const own = size_of(law);
        if (own == nullptr) throw InputError("noise.kind", law.kind, "a law of one size");
        *own = size;
      },
      kind);
  return noise_law(kind);
}

}  // namespace riskcurve
