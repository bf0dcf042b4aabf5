#include "riskcurve/problem/spectrum.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "covariance_kinds.hpp"
#include "riskcurve/problem/keys.hpp"

namespace riskcurve {
namespace {

constexpr double expand_limit = 1e7;
constexpr double next_is_other = 0x1p53;  // from here on j + 1 may be j

bool whole(double x) {
  return x == std::floor(x);
}

Eigen::ArrayXd array(const std::vector<double>& x) {
  return Eigen::Map<const Eigen::ArrayXd>(x.data(), std::ssize(x));
}

// Singletons first..exact, then panels; calls visit(index, weight) in increasing order.
void visit_panels(double first, double last, double exact, double ratio, int nodes,
                  const std::function<void(double, double)>& visit) {
  double a = first;
  for (; a <= std::min(exact, last) && a < next_is_other; a += 1) visit(a, 1);
  while (a <= last) {
    const double b = std::min(last, std::max(a, std::floor(ratio * a)));
    if (b - a + 1 <= nodes && b < next_is_other) {
      for (double j = a; j <= b; j += 1) visit(j, 1);
    } else {
      const IndexRule rule = index_rule(a, b, static_cast<int>(std::min<double>(nodes, b - a + 1)));
      for (Eigen::Index q = 0; q < rule.index.size(); ++q) visit(rule.index[q], rule.weight[q]);
    }
    if (b == last) break;  // b + 1 = b beyond 2^53
    a = b + 1;
  }
}

}  // namespace

namespace {

constexpr Eigen::Index kRow = 32;
constexpr double kFar = 4096;  // in long lists alone

/// Whether kRow single eigenvalues follow one another from node k on, far out.
bool in_a_row(const Spectrum& s, Eigen::Index k) {
  if (k + kRow > s.size() || !(s.first[k] > kFar)) return false;
  for (Eigen::Index i = k; i < k + kRow; ++i)
    if (s.first[i] != s.first[k] + static_cast<double>(i - k) || s.last[i] != s.first[i] ||
        s.multiplicity[i] != 1)
      return false;
  return true;
}

/// j^exponent of so many from `first` on, |exponent| up to 8: by the series about their middle, to
/// roundoff.
Eigen::Array<double, kRow, 1> powers_from(double first, double exponent) {
  constexpr double half = 0.5 * kRow;
  const double middle = first + half;
  Eigen::Array<double, kRow, 1> x;
  for (Eigen::Index i = 0; i < kRow; ++i) x[i] = (first + static_cast<double>(i) - middle) / middle;
  constexpr int degree = 8;
  Eigen::Array<double, kRow, 1> sum = Eigen::Array<double, kRow, 1>::Ones();
  for (int n = degree; n > 0; --n) sum = 1 + (exponent - (n - 1)) / n * x * sum;
  return std::pow(middle, exponent) * sum;
}

}  // namespace

bool Spectrum::operator==(const Spectrum& other) const {
  return same(value, other.value) && same(multiplicity, other.multiplicity) &&
         same(first, other.first) && same(last, other.last);
}

Eigen::ArrayXd Spectrum::mass_between(double from, double to) const {
  const Eigen::ArrayXd length = last - first + 1;
  const Eigen::ArrayXd shared = (last.min(to) - first.max(from) + 1).max(0).min(length);
  return multiplicity * (shared / length);
}

Eigen::ArrayXd Spectrum::power_mass(double exponent) const {
  Eigen::ArrayXd mass(size());
  for (Eigen::Index k = 0; k < size(); ++k) {
    if (in_a_row(*this, k) && std::abs(exponent) <= 4) {
      mass.segment<kRow>(k) = powers_from(first[k], -2 * exponent);
      k += kRow - 1;
    } else {
      mass[k] = first[k] == last[k] ? multiplicity[k] * std::pow(first[k], -2 * exponent)
                                    : power_sum(first[k], last[k], 2 * exponent);
    }
  }
  return mass;
}

Eigen::ArrayXd Spectrum::expand() const {
  const double d = dimension();
  if (d > expand_limit)
    throw InputError("dimension", d, "at most 1e7 to list the eigenvalues one by one");
  for (Eigen::Index k = 0; k < size(); ++k)
    if (!whole(multiplicity[k]) || !whole(first[k]) || last[k] - first[k] + 1 != multiplicity[k])
      throw InputError("dimension", std::round(d),
                       "a spectrum held eigenvalue by eigenvalue; this one holds only quadrature "
                       "nodes of its eigenvalues");
  Eigen::ArrayXd all(static_cast<Eigen::Index>(d));
  Eigen::Index at = 0;
  for (Eigen::Index k = 0; k < size(); ++k) {
    const auto count = static_cast<Eigen::Index>(multiplicity[k]);
    all.segment(at, count).setConstant(value[k]);
    at += count;
  }
  return all;
}

Spectrum listed_spectrum(Eigen::ArrayXd values, const std::string& field) {
  if (values.size() == 0) throw InputError(field, "[]", "at least one eigenvalue");
  Eigen::Index distinct = 1;
  bool decreases = true;
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    if (!(std::isfinite(values[i]) && values[i] >= 0))
      throw InputError(field, values[i], "finite eigenvalues that are not negative");
    decreases = decreases && (i == 0 || values[i] <= values[i - 1]);
  }
  if (!decreases) std::sort(values.begin(), values.end(), std::greater<>());
  if (values[0] == 0) throw InputError(field, "0", "an eigenvalue that is not zero");
  for (Eigen::Index i = 1; i < values.size(); ++i) distinct += values[i] != values[i - 1];

  Spectrum s;
  s.first.resize(distinct);
  s.last.resize(distinct);
  s.multiplicity.resize(distinct);
  Eigen::Index k = -1;
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    const auto index = static_cast<double>(i + 1);
    if (k < 0 || values[i] != values[k]) {
      ++k;
      values[k] = values[i];
      s.first[k] = index;
    }
    s.last[k] = index;
    s.multiplicity[k] = index - s.first[k] + 1;
  }
  if (distinct < values.size()) values.conservativeResize(distinct);
  s.value = std::move(values);
  return s;
}

Spectrum spectrum_of(const Eigen::ArrayXd& eigenvalues, const std::string& field) {
  return listed_spectrum(eigenvalues, field);
}

IndexRule index_rule(double a, double b, int n) {
  const double count = b - a + 1;
  if (!(std::isfinite(count) && count >= 1)) throw InputError("count", count, "b >= a");
  if (!(n >= 1 && n <= count))
    throw InputError("n", std::to_string(n), "a number of nodes between 1 and b - a + 1");
  // In u = (j - centre)/(count/2) the recurrence of the discrete Chebyshev polynomials is
  // beta_k = k^2 (1 - (k/count)^2)/(4 k^2 - 1): Legendre's, with nothing that overflows.
  const double centre = a + 0.5 * (count - 1);
  Eigen::VectorXd off_diagonal(n - 1);
  for (int k = 1; k < n; ++k) {
    const double r = k / count;
    off_diagonal[k - 1] = k * std::sqrt((1 - r) * (1 + r) / (4.0 * k * k - 1));
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(n), off_diagonal);
  IndexRule rule;
  rule.index = (centre + 0.5 * count * solver.eigenvalues().array()).max(a).min(b);
  rule.weight = solver.eigenvectors().row(0).array().square().transpose();
  rule.weight *= count / rule.weight.sum();
  return rule;
}

IndexRule index_panels(double dimension, double exact, double ratio, int nodes) {
  std::vector<double> index, weight;
  visit_panels(1, dimension, exact, ratio, nodes, [&](double j, double w) {
    index.push_back(j);
    weight.push_back(w);
  });
  return {array(index), array(weight)};
}

double power_sum(double first, double last, double exponent) {
  // On [a, 2a] the singularity at j = 0 leaves an error of 5.8^(-2 nodes) for moderate exponents.
  // Long double: up to a few thousand terms, and the sum is wanted to roundoff.
  constexpr int exact = 256, nodes = 24;
  long double sum = 0;
  visit_panels(first, last, first + exact, 2, nodes,
               [&](double j, double w) { sum += w * std::pow(j, -exponent); });
  return static_cast<double>(sum);
}

}  // namespace riskcurve
