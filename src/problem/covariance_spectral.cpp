// Covariances given by their eigenvalues alone.
#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <numbers>

#include "covariance_kinds.hpp"
#include "riskcurve/problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

constexpr double largest_dimension = 1e18;
constexpr double exact_indices = 4096;
constexpr int panel_nodes = 18;

constexpr Range dimension_range{1, largest_dimension};

void check_dimension(double dimension) {
  if (!dimension_range.contains(dimension) || dimension != std::floor(dimension))
    throw InputError("dimension", std::to_string(dimension),
                     "a whole number " + dimension_range.text());
}

void check(const std::string& field, double value, const Range& range) {
  if (!range.contains(value))
    throw InputError(field, std::to_string(value), "a number " + range.text());
}

Covariance spectral(const std::string& kind, Spectrum spectrum, Orientation orientation) {
  if (orientation == Orientation::given)
    throw InputError("orientation", "given", "generic or diagonal: " + kind + " has no matrix");
  Covariance result;
  result.kind = kind;
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

Covariance isotropic(double dimension, double value) {
  check_dimension(dimension);
  check("value", value, Range::positive());
  return spectral("isotropic", spectrum_of_counts({{value, dimension}}), Orientation::generic);
}

Covariance power_law(double dimension, double alpha, Orientation orientation) {
  check_dimension(dimension);
  check("alpha", alpha, Range::non_negative());
  // j^(-2 alpha) is a double other than zero up to here.
  const double last = alpha == 0 ? dimension : std::floor(std::pow(10.0, 307 / (2 * alpha)));
  const double covered = std::min(dimension, last);
  const double ratio = alpha == 0 ? 4 : std::min(4.0, std::pow(4.0, 1 / (2 * alpha)));
  return spectral("power_law",
                  smooth_spectrum(index_panels(covered, exact_indices, ratio, panel_nodes), covered,
                                  dimension, [&](double j) { return std::pow(j, -2 * alpha); }),
                  orientation);
}

Covariance from_eigenvalues(const Eigen::ArrayXd& values, Orientation orientation) {
  return spectral("eigenvalues", spectrum_of(values, "values"), orientation);
}

Covariance exponential_decay(double dimension, double length, Orientation orientation) {
  check_dimension(dimension);
  check("length", length, Range::positive());
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
  return spectral("exponential_decay",
                  smooth_spectrum(rule, covered, dimension,
                                  [&](double j) { return std::exp(-(j - 1) / length); }),
                  orientation);
}

Covariance spiked(double dimension, const Eigen::ArrayXd& spikes, double bulk,
                  Orientation orientation) {
  check_dimension(dimension);
  check("bulk", bulk, Range::non_negative());
  const auto n = static_cast<double>(spikes.size());
  if (n < 1 || n > dimension)
    throw InputError("spikes", std::to_string(spikes.size()) + " numbers",
                     "at least one and at most `dimension` numbers");
  std::vector<std::pair<double, double>> counts{{bulk, dimension - n}};
  for (const double spike : spikes) {
    check("spikes", spike, Range::positive());
    counts.emplace_back(spike, 1);
  }
  return spectral("spiked", spectrum_of_counts(std::move(counts)), orientation);
}

Covariance marchenko_pastur(double dimension, double ratio, Orientation orientation) {
  const Range size = Range::within(1, 1e6);  // one quantile solved for each eigenvalue
  if (!size.contains(dimension) || dimension != std::floor(dimension))
    throw InputError("dimension", std::to_string(dimension), "a whole number " + size.text());
  check("ratio", ratio, Range::positive());
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
  return spectral("marchenko_pastur", spectrum_of(values, "marchenko_pastur"), orientation);
}

Orientation read_orientation(const Fields& fields) {
  if (!fields.has("orientation")) return Orientation::generic;
  return fields.one_of("orientation", {"generic", "diagonal"}) == "diagonal" ? Orientation::diagonal
                                                                             : Orientation::generic;
}

Eigen::ArrayXd numbers_or_file(const Fields& fields, const std::string& key) {
  const bool inline_values = fields.is_array(key);
  const std::string alternative = "path";
  if (!inline_values && fields.has(alternative))
    return read_column(fields.path(alternative), fields.name(alternative));
  const std::vector<double> values = fields.numbers(key);
  return Eigen::Map<const Eigen::ArrayXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

Covariance read_isotropic(const Fields& fields) {
  Covariance result = isotropic(fields.integer("dimension", dimension_range),
                                fields.number_or("value", 1, Range::positive()));
  result.orientation = read_orientation(fields);
  return result;
}

Covariance read_power_law(const Fields& fields) {
  return power_law(fields.integer("dimension", dimension_range),
                   fields.number("alpha", Range::non_negative()), read_orientation(fields));
}

Covariance read_eigenvalues(const Fields& fields) {
  return spectral("eigenvalues",
                  spectrum_of(numbers_or_file(fields, "values"), fields.name("values")),
                  read_orientation(fields));
}

Covariance read_exponential_decay(const Fields& fields) {
  return exponential_decay(fields.integer("dimension", dimension_range),
                           fields.number("length", Range::positive()), read_orientation(fields));
}

Covariance read_spiked(const Fields& fields) {
  const std::vector<double> spikes = fields.numbers("spikes", Range::positive());
  const double dimension = fields.integer("dimension", dimension_range);
  if (spikes.empty() || static_cast<double>(spikes.size()) > dimension)
    fields.fail("spikes", "at least one and at most `dimension` numbers");
  return spiked(
      dimension,
      Eigen::Map<const Eigen::ArrayXd>(spikes.data(), static_cast<Eigen::Index>(spikes.size())),
      fields.number_or("bulk", 1, Range::non_negative()), read_orientation(fields));
}

Covariance read_marchenko_pastur(const Fields& fields) {
  return marchenko_pastur(fields.integer("dimension", Range::within(1, 1e6)),
                          fields.number("ratio", Range::positive()), read_orientation(fields));
}

}  // namespace riskcurve
