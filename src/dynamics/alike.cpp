#include "dynamics/alike.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr double kFaintOctaves = 24;

/// Of one side, where there are many; those of 0 in the last.
std::vector<Index> bins_of_side(const ArrayXd& value, double bins) {
  if (value.size() <= kMergeAbove) {
    std::vector<Index> each(static_cast<std::size_t>(value.size()));
    std::iota(each.begin(), each.end(), 0);
    return each;
  }
  std::vector<Index> bin = bins_of(value, bins);
  std::replace(bin.begin(), bin.end(), Index{-1}, *std::max_element(bin.begin(), bin.end()) + 1);
  return bin;
}

Index count_of(const std::vector<Index>& bin) {
  return *std::max_element(bin.begin(), bin.end()) + 1;
}

Spectrum binned(const Spectrum& all, const std::vector<Index>& bin) {
  Spectrum few;
  const Index count = count_of(bin);
  few.value = few.multiplicity = few.first = few.last = ArrayXd::Zero(count);
  for (std::size_t j = bin.size(); j-- > 0;) {
    const auto k = static_cast<Index>(j);
    few.value[bin[j]] += all.value[k] * all.multiplicity[k];
    few.multiplicity[bin[j]] += all.multiplicity[k];
    few.first[bin[j]] = all.first[k];
  }
  for (std::size_t j = 0; j < bin.size(); ++j) few.last[bin[j]] = all.last[static_cast<Index>(j)];
  few.value /= few.multiplicity;
  return few;
}

/// Sums over bins of `initial`, a row for each of the eigenvalues, by their share of the risk.
ArrayXXd binned(const ArrayXXd& initial, const ArrayXd& value, const std::vector<Index>& bin,
                const ArrayXd& mean) {
  ArrayXXd few = ArrayXXd::Zero(mean.size(), initial.cols());
  for (std::size_t j = 0; j < bin.size(); ++j) {
    const double h = mean[bin[j]];
    few.row(bin[j]) +=
        initial.row(static_cast<Index>(j)) * (h > 0 ? value[static_cast<Index>(j)] / h : 1);
  }
  return few;
}

bool kept(const std::vector<Index>& bin) {
  return count_of(bin) == std::ssize(bin);
}

}  // namespace

std::vector<Index> bins_of(const ArrayXd& value, double bins) {
  std::vector<Index> bin;
  const double largest = value.maxCoeff();
  double last = NAN;
  Index count = -1;
  for (const double x : value) {
    if (!(x > 0)) {
      bin.push_back(-1);
      continue;
    }
    const double octave = std::log2(x / largest);
    const double at = std::floor((octave > -kFaintOctaves ? bins : 1) * octave);
    if (!(bins > 0) || !(at == last)) ++count;
    last = at;
    bin.push_back(count);
  }
  return bin;
}

VectorProblem merged_alike(const VectorProblem& problem, double bins) {
  const Spectrum& all = problem.covariance.spectrum;
  const std::vector<Index> bin = bins_of_side(all.value, bins);
  if (kept(bin)) return problem;
  VectorProblem few = problem;
  few.covariance.spectrum = binned(all, bin);
  few.initial = binned(problem.initial, all.value, bin, few.covariance.spectrum.value);
  few.initial_error.reset();
  few.theta_start.reset();
  return few;
}

MatrixProblem merged_alike(const MatrixProblem& problem, double bins) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const std::vector<Index> rows = bins_of_side(out.value, bins),
                           columns = bins_of_side(in.value, bins);
  if (kept(rows) && kept(columns)) return problem;
  MatrixProblem few = problem;
  few.covariance_out.spectrum = binned(out, rows);
  few.covariance_in.spectrum = binned(in, columns);
  const ArrayXXd by_rows =
      binned(problem.initial.entries(), out.value, rows, few.covariance_out.spectrum.value);
  few.initial = ArrayXXd(
      binned(by_rows.transpose(), in.value, columns, few.covariance_in.spectrum.value).transpose());
  few.initial_error.reset();
  return few;
}

}  // namespace riskcurve
