#include "dynamics/residual_transform.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <string>

#include "dynamics/newton.hpp"
#include "dynamics/voigt.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Gauss = boost::math::quadrature::gauss<double, 16>;

constexpr double panel_ratio = 4;
constexpr double negligible_tail = 1e-17;

// Edges 0, x, 4x, ... to where the tail is negligible, with the breaks of the density among them.
std::vector<double> panel_edges(const NoisePart& part, double spread) {
  std::vector<double> edges{0};
  double x = 0.5 * std::min(spread, part.scale);
  for (int count = 0; count < 400; ++count, x *= panel_ratio) {
    edges.push_back(x);
    if (part.tail(x) < negligible_tail) break;
  }
  for (const double b : part.breaks)
    if (b > 0 && b < edges.back()) edges.push_back(b);
  std::sort(edges.begin(), edges.end());
  return edges;
}

void fill_panels(const std::vector<double>& edges, ArrayXd& e, ArrayXd& width) {
  const auto& x = Gauss::abscissa();  // the positive half
  const auto& w = Gauss::weights();
  const auto half = static_cast<Eigen::Index>(x.size());
  const auto panels = static_cast<Eigen::Index>(edges.size()) - 1;
  e.resize(2 * half * panels);
  width.resize(e.size());
  for (Eigen::Index i = 0, k = 0; i < panels; ++i) {
    const double middle = 0.5 * (edges[i + 1] + edges[i]), radius = 0.5 * (edges[i + 1] - edges[i]);
    for (Eigen::Index q = 0; q < half; ++q)
      for (const double sign : {-1.0, 1.0}) {
        e[k] = middle + sign * radius * x[q];
        width[k++] = radius * w[q];
      }
  }
}

}  // namespace

ResidualTransform::ResidualTransform(const NoiseLaw& noise, double risk) {
  if (!(risk >= 0 && std::isfinite(risk))) throw InputError("risk", risk, "a finite number >= 0");
  double log_scale = 0;
  for (const NoisePart& part : noise.parts) {
    const double spread = std::sqrt(2 * risk + part.gaussian_variance);
    if (!(spread > 0)) throw InputError("risk", risk, "> 0, as the noise has no Gaussian part");
    double typical = part.scale;
    if (part.density) {
      Panel panel{part.weight, spread, 0, 0, part.density, {}, {}, {}};
      const std::vector<double> edges = panel_edges(part, spread);
      fill_panels(edges, panel.e, panel.width);
      panel.mass = panel.width * panel.e.unaryExpr([&](double e) { return part.density(e); });
      panel.end = edges.back();
      panel.end_value = part.tail(panel.end);
      densities_.push_back(std::move(panel));
    } else {
      for (Eigen::Index k = 0; k < part.atom.size(); ++k)
        atoms_.push_back({part.atom[k], part.weight * part.atom_weight[k], spread});
      typical = part.atom.size() ? part.atom.maxCoeff() : 0;
    }
    log_scale += part.weight * std::log(std::max(spread, typical));
  }
  scale_ = std::exp(log_scale);
}

ResidualTransform::Values ResidualTransform::at(double log_m) const {
  Values total{0, 0, 0, 0};
  const auto add = [&](double weight, const VoigtValues& v) {
    total.p += weight * v.p;
    total.rest += weight * v.rest;
    total.slope += weight * v.slope;
  };
  const double half_width = std::exp(-0.5 * log_m);  // 1/sqrt(m), the width of z/(1 + m z^2)
  for (const Atom& atom : atoms_) {
    const double unit = 1 / (std::sqrt(2.0) * atom.spread);
    const VoigtValues v = voigt(atom.e * unit, half_width * unit);
    add(atom.weight, v);
    total.chi += atom.weight * v.chi;
  }
  for (const Panel& panel : densities_) {
    const double unit = 1 / (std::sqrt(2.0) * panel.spread);
    const double y = half_width * unit;
    // The odd function H(e) = E[z/(1 + m z^2) | e] rises to its maximum near `peak` and then falls:
    // (density - level) H' has one sign for a unimodal density. The constant integrates to level H.
    const double peak = std::hypot(half_width, 1.307 * panel.spread);
    const double level = panel.density(peak);
    double chi = 0;
    for (Eigen::Index k = 0; k < panel.e.size(); ++k) {
      const VoigtValues v = voigt(panel.e[k] * unit, y);
      add(panel.weight * panel.mass[k], v);
      chi += (panel.mass[k] - level * panel.width[k]) * v.chi;
    }
    const VoigtValues v = voigt(panel.end * unit, y);
    add(panel.weight * panel.end_value, v);
    total.chi += panel.weight * (chi + panel.end_value * v.chi + level * v.odd / unit);
  }
  return total;
}

double ResidualTransform::log_m(double p, double rest, double start) const {
  const double target = std::log(p / rest);
  return increasing_root(
      [&](double x) {
        const Values v = at(x);
        return std::pair{std::log(v.p / v.rest) - target, v.slope / (v.p * v.rest)};
      },
      start);
}

}  // namespace riskcurve
