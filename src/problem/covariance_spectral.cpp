// Covariances given by their eigenvalues alone.
#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <numbers>
#include <tuple>

#include "covariance_kinds.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

constexpr double exact_indices = 4096;
constexpr int panel_nodes = 18;

Covariance spectral(Spectrum spectrum, Orientation orientation) {
  if (orientation == Orientation::given)
    throw InputError("orientation", "given", "generic or diagonal: this kind has no matrix");
  Covariance result;
  result.orientation = orientation;
  result.spectrum = std::move(spectrum);
  return result;
}

/// lambda(j) at the nodes of a rule for the first indices; all later ones, up to `dimension`, are
/// zero (they underflow) and share one node.
template <class Lambda>
Spectrum smooth_spectrum(const IndexRule& rule, double covered, double dimension, Lambda lambda) {
  const Eigen::Index n = rule.index.size(), total = n + (covered < dimension);
  Spectrum result;
  result.value = Eigen::ArrayXd::Zero(total);
  result.multiplicity = Eigen::ArrayXd::Constant(total, dimension - covered);
  result.first = Eigen::ArrayXd::Constant(total, covered + 1);
  result.last = Eigen::ArrayXd::Constant(total, dimension);
  result.value.head(n) = rule.index.unaryExpr(lambda);
  result.multiplicity.head(n) = rule.weight;
  result.first.head(n) = rule.index;
  result.last.head(n) = rule.index;
  return result;
}

}  // namespace

Spectrum spectrum_of_counts(std::vector<std::pair<double, double>> counts) {
  std::sort(counts.begin(), counts.end(), std::greater<>());
  std::vector<std::pair<double, double>> grouped;
  for (const auto& [value, count] : counts) {
    if (count == 0) continue;
    if (!grouped.empty() && grouped.back().first == value)
      grouped.back().second += count;
    else
      grouped.emplace_back(value, count);
  }
  const auto n = static_cast<Eigen::Index>(grouped.size());
  Spectrum result{Eigen::ArrayXd(n), Eigen::ArrayXd(n), Eigen::ArrayXd(n), Eigen::ArrayXd(n)};
  double index = 0;
  for (Eigen::Index k = 0; k < n; ++k) {
    std::tie(result.value[k], result.multiplicity[k]) = grouped[static_cast<std::size_t>(k)];
    result.first[k] = index + 1;
    index += result.multiplicity[k];
    result.last[k] = index;
  }
  return result;
}

Covariance covariance_of(const IsotropicCovariance& kind) {
  return spectral(spectrum_of_counts({{kind.value, kind.dimension}}), kind.orientation);
}

Covariance covariance_of(const PowerLawCovariance& kind) {
  const double dimension = kind.dimension, alpha = kind.alpha;
  // j^(-2 alpha) is a double other than zero up to here.
  const double last = alpha == 0 ? dimension : std::floor(std::pow(10.0, 307 / (2 * alpha)));
  const double covered = std::min(dimension, last);
  const double ratio = alpha == 0 ? 4 : std::min(4.0, std::pow(4.0, 1 / (2 * alpha)));
  return spectral(smooth_spectrum(index_panels(covered, exact_indices, ratio, panel_nodes), covered,
                                  dimension, [&](double j) { return std::pow(j, -2 * alpha); }),
                  kind.orientation);
}

Covariance covariance_of(const EigenvaluesCovariance& kind) {
  Eigen::ArrayXd values = listed(kind.values, kind.path, "values");
  if (kind.count.empty())
    return spectral(listed_spectrum(std::move(values), "values"), kind.orientation);
  Spectrum spectrum{values, {}, {}, {}};
  for (const auto& [key, list, column] : {std::tuple("count", &kind.count, &spectrum.multiplicity),
                                          std::tuple("first", &kind.first, &spectrum.first),
                                          std::tuple("last", &kind.last, &spectrum.last)}) {
    if (std::ssize(*list) != values.size())
      throw InputError(key, std::to_string(list->size()) + " numbers",
                       std::to_string(values.size()) + " numbers, as many as values");
    *column = Eigen::Map<const Eigen::ArrayXd>(list->data(), values.size());
  }
  spectrum_of(values, "values");  // for its checks
  return spectral(std::move(spectrum), kind.orientation);
}

Covariance covariance_of(const ExponentialDecayCovariance& kind) {
  const double dimension = kind.dimension, length = kind.length;
  const double covered = std::min(dimension, std::floor(1 + 706 * length));
  // Panels of constant ratio while that keeps lambda within a factor 4, of constant width after.
  const double width = std::floor(std::numbers::ln2 * 2 * length);
  const double turn = std::min(covered, std::max(exact_indices, width));
  IndexRule rule = index_panels(turn, exact_indices, 2, panel_nodes);
  std::vector<IndexRule> panels;
  Eigen::Index size = rule.index.size();
  for (double a = turn + 1; a <= covered; a += width) {
    const double b = std::min(covered, a + width - 1);
    panels.push_back(index_rule(a, b, static_cast<int>(std::min(b - a + 1, 1.0 * panel_nodes))));
    size += panels.back().index.size();
  }
  Eigen::Index filled = rule.index.size();
  rule.index.conservativeResize(size);
  rule.weight.conservativeResize(size);
  for (const IndexRule& panel : panels) {
    rule.index.segment(filled, panel.index.size()) = panel.index;
    rule.weight.segment(filled, panel.index.size()) = panel.weight;
    filled += panel.index.size();
  }
  return spectral(smooth_spectrum(rule, covered, dimension,
                                  [&](double j) { return std::exp(-(j - 1) / length); }),
                  kind.orientation);
}

Covariance covariance_of(const SpikedCovariance& kind) {
  const auto n = static_cast<double>(kind.spikes.size());
  if (n < 1 || n > kind.dimension)
    throw InputError("spikes", std::to_string(kind.spikes.size()) + " numbers",
                     "at least one and at most `dimension` numbers");
  std::vector<std::pair<double, double>> counts{{kind.bulk, kind.dimension - n}};
  for (const double spike : kind.spikes) counts.emplace_back(spike, 1);
  return spectral(spectrum_of_counts(std::move(counts)), kind.orientation);
}

Covariance covariance_of(const MarchenkoPasturCovariance& kind) {
  const double dimension = kind.dimension, ratio = kind.ratio;
  // With x = A + B cos(theta), the mass above x is (2/pi) int_0^theta sin^2/(A + B cos).
  const double A = 1 + ratio, B = 2 * std::sqrt(ratio), root = std::sqrt(ratio);
  const auto mass_above = [&](double theta) {
    const double angle = theta >= std::numbers::pi
                             ? std::numbers::pi / 2
                             : std::atan(std::abs(1 - root) / (1 + root) * std::tan(theta / 2));
    return 2 / std::numbers::pi *
           (A * theta / (B * B) - std::sin(theta) / B -
            2 * std::abs(1 - ratio) / (B * B) * (ratio == 1 ? 0 : angle));
  };
  Eigen::ArrayXd values = Eigen::ArrayXd::Zero(static_cast<Eigen::Index>(dimension));
  double theta = 0;
  for (Eigen::Index j = 0; j < values.size(); ++j) {
    const double mass = (static_cast<double>(j) + 0.5) / dimension;
    if (mass >= std::min(1.0, 1 / ratio)) break;  // the atom at zero
    const auto excess = [&](double t) { return mass_above(t) - mass; };
    const double low = excess(theta), high = excess(std::numbers::pi);
    if (low < 0 && high > 0) {
      std::uintmax_t iterations = 100;
      const auto bracket = boost::math::tools::toms748_solve(
          excess, theta, std::numbers::pi, low, high, boost::math::tools::eps_tolerance<double>(48),
          iterations);
      theta = 0.5 * (bracket.first + bracket.second);
    }
    values[j] = std::max(0.0, A + B * std::cos(theta));
  }
  return spectral(spectrum_of(values, "marchenko_pastur"), kind.orientation);
}

}  // namespace riskcurve
