#pragma once
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/keys.hpp"

namespace riskcurve {

class Random;

/// One part of the law of the label noise: with probability `weight`,
///     epsilon = sqrt(gaussian_variance) z + e,   z ~ N(0,1) independent of e,
/// where |e| is either atomic (`atom`, `atom_weight`) or has the density `density` on (0, inf).
/// Only |e| is described: every expectation of the theory is even in epsilon. Gaussian noise is an
/// atom at 0 with a variance, so its integrals are closed forms.
struct NoisePart {
  double weight = 1;
  double gaussian_variance = 0;
  Eigen::ArrayXd atom, atom_weight;       ///< |e| >= 0; weights sum to 1; empty if a density
  std::function<double(double)> density;  ///< of |e|: integrates to 1 over (0, inf)
  std::function<double(double)> tail;     ///< P(|e| > x)
  double scale = 1;                       ///< a typical |e|, where quadrature panels begin
  std::vector<double> breaks;             ///< where the density is not smooth
};

// The laws by their parameters, as problem files state them.

struct NoNoise {
  static constexpr const char* kind = "none";
  bool operator==(const NoNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self&, Keys&&) {}
};
/// N(0, std^2)
struct GaussianNoise {
  static constexpr const char* kind = "gaussian";
  double std = kRequired;
  bool operator==(const GaussianNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("std", self.std, Range::non_negative());
  }
};
/// scale t_nu; nu = 1 is Cauchy. Below nu = 0.1 quantiles leave the range of double; beyond 1e8 the
/// law is Gaussian to roundoff.
struct StudentTNoise {
  static constexpr const char* kind = "student_t";
  double nu = kRequired, scale = kRequired;
  bool operator==(const StudentTNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("nu", self.nu, Range::within(0.1, 1e8));
    key("scale", self.scale, Range::positive());
  }
};
/// density exp(-|e|/scale)/(2 scale)
struct LaplaceNoise {
  static constexpr const char* kind = "laplace";
  double scale = kRequired;
  bool operator==(const LaplaceNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("scale", self.scale, Range::positive());
  }
};
/// uniform on [-half_width, half_width]
struct UniformNoise {
  static constexpr const char* kind = "uniform";
  double half_width = kRequired;
  bool operator==(const UniformNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("half_width", self.half_width, Range::positive());
  }
};
/// +-scale with probability 1/2
struct RademacherNoise {
  static constexpr const char* kind = "rademacher";
  double scale = kRequired;
  bool operator==(const RademacherNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("scale", self.scale, Range::positive());
  }
};
/// A draw from the numbers of a file (of a column, counted from 1, where it has several), or of
/// `sample`.
struct EmpiricalNoise {
  static constexpr const char* kind = "empirical";
  File path = {};
  std::optional<double> column = {};
  std::vector<double> sample = {};
  bool operator==(const EmpiricalNoise&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("path", self.path);
    key("column", self.column, Range::wholes(1, 1e9));
    key("sample", self.sample, Range::any());
  }
};
struct NoiseComponent;
/// One of several laws, by weight; weights sum to 1.
struct MixtureNoise {
  static constexpr const char* kind = "mixture";
  std::vector<NoiseComponent> components;
  bool operator==(const MixtureNoise&) const;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("components", self.components);
  }
};

using NoiseKind = std::variant<NoNoise, GaussianNoise, StudentTNoise, LaplaceNoise, UniformNoise,
                               RademacherNoise, MixtureNoise, EmpiricalNoise>;

struct NoiseComponent {
  double weight = kRequired;
  NoiseKind law;
  bool operator==(const NoiseComponent&) const = default;
};

/// The law of the label noise epsilon in y = <x, theta*> + epsilon; its mean need not exist. Made
/// by the functions below from its parameters, and of equal parameters equal.
struct NoiseLaw {
  std::string kind = "none";
  double variance = 0;  ///< E epsilon^2; +inf where it does not exist
  std::vector<NoisePart> parts;
  /// Draws epsilon, sign included. Written from the law's definition, not from `parts`: Monte
  /// Carlo shares no formula with the theory.
  std::function<double(Random&)> sample;
  NoiseKind made_from;

  bool operator==(const NoiseLaw& other) const { return made_from == other.made_from; }
};

/// Throws InputError for parameters out of range, and for files as read_column (data.hpp).
NoiseLaw noise_law(const NoiseKind& kind);

NoiseLaw no_noise();
NoiseLaw gaussian_noise(double std);
NoiseLaw student_t_noise(double nu, double scale);
NoiseLaw laplace_noise(double scale);
NoiseLaw uniform_noise(double half_width);
NoiseLaw rademacher_noise(double scale);
NoiseLaw mixture_noise(const std::vector<double>& weights, const std::vector<NoiseLaw>& laws);
NoiseLaw empirical_noise(const Eigen::ArrayXd& sample);

/// The one parameter that is the size of the law (std, scale, half_width), as "std"; nullopt where
/// there is none, or it is 0.
std::optional<double> noise_size(const NoiseLaw& noise);
/// The same law at another size. Throws InputError where it has none.
NoiseLaw with_size(const NoiseLaw& noise, double size);

}  // namespace riskcurve
