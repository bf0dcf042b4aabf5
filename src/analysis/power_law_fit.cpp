#include <algorithm>
#include <cmath>
#include <vector>

#include "riskcurve/analysis/fits.hpp"

namespace riskcurve {
namespace {

struct Point {
  double index, log_index, log_value;
};

/// The eigenvalue numbered j, between nodes by interpolation in logarithms. `k` is a node before
/// it, and then the first that does not end before j.
double log_eigenvalue(const Spectrum& spectrum, double j, Eigen::Index& k) {
  while (k + 1 < spectrum.size() && spectrum.last(k) < j) ++k;
  const double value = std::log(spectrum.value(k));
  if (j >= spectrum.first(k) || k == 0) return value;
  const double a = std::log(spectrum.last(k - 1)), b = std::log(spectrum.first(k));
  const double share = (std::log(j) - a) / (b - a);
  return (1 - share) * std::log(spectrum.value(k - 1)) + share * value;
}

/// Ten whole indices a decade, fewer where the decade has fewer, and the last one of the spectrum.
std::vector<Point> sample(const Spectrum& spectrum) {
  double last = 0;
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    if (spectrum.value(k) > 0) last = std::max(last, spectrum.last(k));
  }
  std::vector<Point> points;
  const double ratio = std::pow(10.0, 0.1);
  Eigen::Index node = 0;
  for (double j = 1, position = 1;;) {
    points.push_back({j, std::log(j), log_eigenvalue(spectrum, j, node)});
    if (j >= last) break;  // j + 1 may be j
    do {
      position *= ratio;
    } while (std::round(position) <= j);
    // The end of the spectrum is a point of its own.
    j = std::min(std::round(position), last);
  }
  return points;
}

PowerLawFit fit(const std::vector<Point>& points, std::size_t begin, std::size_t end) {
  const double n = static_cast<double>(end - begin);
  double x = 0, y = 0, xx = 0, xy = 0, square = 0;
  for (std::size_t i = begin; i < end; ++i) {
    x += points[i].log_index / n;
    y += points[i].log_value / n;
  }
  for (std::size_t i = begin; i < end; ++i) {
    const double dx = points[i].log_index - x;
    xx += dx * dx;
    xy += dx * (points[i].log_value - y);
  }
  const double slope = xy / xx;
  for (std::size_t i = begin; i < end; ++i) {
    const double miss = points[i].log_value - y - slope * (points[i].log_index - x);
    square += miss * miss / n;
  }
  return {-slope / 2, std::exp(y - slope * x), points[begin].index, points[end - 1].index,
          std::sqrt(square)};
}

}  // namespace

std::optional<PowerLawFit> fit_power_law(const Spectrum& spectrum, double tolerance) {
  const std::vector<Point> points = sample(spectrum);
  std::optional<PowerLawFit> best;
  double widest = 10;
  for (std::size_t begin = 0; begin < points.size(); ++begin) {
    for (std::size_t end = points.size(); end > begin + 2; --end) {
      const double width = points[end - 1].index / points[begin].index;
      if (best ? width <= widest : width < widest) break;
      const PowerLawFit candidate = fit(points, begin, end);
      if (candidate.deviation > tolerance) continue;
      best = candidate;
      widest = width;
      break;
    }
  }
  return best;
}

}  // namespace riskcurve
