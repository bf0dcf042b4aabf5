#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// A place on the axis of |e| where an integrand varies, and how quickly: panels near `point` are
/// no longer than `width`, and grow with the distance from it.
struct Feature {
  double point, width;
};

/// Gauss-Legendre nodes on (0, upper), graded to the features and split at the breaks.
struct Panels {
  static constexpr int kOrder = 12;
  std::vector<double> edge;  ///< increasing, from 0 to upper
};
Panels graded_panels(double upper, const std::vector<Feature>& features,
                     const std::vector<double>& breaks);
/// Nodes and weights of the 12-point Gauss-Legendre rule on (-1, 1).
const std::array<std::array<double, Panels::kOrder>, 2>& gauss_legendre();

/// E f(|e|) over the part's law of |e|. `f` varies only near the features, and equals `beyond` to
/// roundoff past `upper`.
template <class F>
double expect(const NoisePart& part, double upper, double beyond, std::vector<Feature> features,
              F f) {
  double sum = 0;
  if (!part.density) {
    for (Eigen::Index i = 0; i < part.atom.size(); ++i)
      sum += part.atom_weight[i] * f(part.atom[i]);
    return sum;
  }
  features.push_back({0.0, 0.5 * part.scale});
  const Panels panels = graded_panels(upper, features, part.breaks);
  const auto& [node, weight] = gauss_legendre();
  for (std::size_t p = 0; p + 1 < panels.edge.size(); ++p) {
    const double half = 0.5 * (panels.edge[p + 1] - panels.edge[p]);
    const double middle = 0.5 * (panels.edge[p + 1] + panels.edge[p]);
    double panel = 0;
    for (int q = 0; q < Panels::kOrder; ++q) {
      const double x = middle + half * node[q];
      const double density = part.density(x);
      if (density > 0) panel += weight[q] * density * f(x);
    }
    sum += half * panel;
  }
  if (beyond != 0) sum += beyond * part.tail(upper);
  return sum;
}

}  // namespace riskcurve
