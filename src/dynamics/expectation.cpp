#include "dynamics/expectation.hpp"

#include <boost/math/quadrature/gauss.hpp>

namespace riskcurve {

const std::array<std::array<double, Panels::kOrder>, 2>& gauss_legendre() {
  static const auto rule = [] {
    using Rule = boost::math::quadrature::gauss<double, Panels::kOrder>;
    std::array<std::array<double, Panels::kOrder>, 2> full{};
    for (int i = 0; i < Panels::kOrder / 2; ++i) {
      full[0][i] = -Rule::abscissa()[i];
      full[0][Panels::kOrder - 1 - i] = Rule::abscissa()[i];
      full[1][i] = full[1][Panels::kOrder - 1 - i] = Rule::weights()[i];
    }
    return full;
  }();
  return rule;
}

Panels graded_panels(double upper, const std::vector<Feature>& features,
                     const std::vector<double>& breaks) {
  std::vector<double> corner{0.0};
  for (const double b : breaks)
    if (b > 0 && b < upper) corner.push_back(b);
  for (const Feature& f : features)
    if (f.point > 0 && f.point < upper) corner.push_back(f.point);
  std::sort(corner.begin(), corner.end());
  corner.erase(std::unique(corner.begin(), corner.end()), corner.end());
  corner.push_back(upper);

  const auto allowed = [&](double a, double b) {
    double length = std::numeric_limits<double>::infinity();
    for (const Feature& f : features) {
      const double distance = std::max({0.0, a - f.point, f.point - b});
      length = std::min(length, std::max(f.width, distance));
    }
    return length;
  };
  Panels panels;
  panels.edge.push_back(0.0);
  for (std::size_t i = 0; i + 1 < corner.size(); ++i) {
    // Halve until short enough; a stack keeps the panels in order.
    std::vector<double> right{corner[i + 1]};
    double left = corner[i];
    while (!right.empty()) {
      const double end = right.back();
      const double middle = 0.5 * (left + end);
      if (end - left > 1.0001 * allowed(left, end) && middle > left && middle < end) {
        right.push_back(middle);
      } else {
        panels.edge.push_back(end);
        left = end;
        right.pop_back();
      }
    }
  }
  return panels;
}

}  // namespace riskcurve
