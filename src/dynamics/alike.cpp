#include "dynamics/alike.hpp"

#include <cmath>
#include <vector>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr Index kMergeAbove = 48;
constexpr double kFaintOctaves = 24;

/// The bin of each eigenvalue, numbers from 0 on.
std::vector<Index> bins_of(const ArrayXd& value, double bins) {
  std::vector<Index> bin;
  const double largest = value.maxCoeff();
  double last = NAN;
  Index count = -1;
  for (const double x : value) {
    const double octave = std::log2(x / largest);  // -inf: a bin of its own
    const double at = std::floor((octave > -kFaintOctaves ? bins : 1) * octave);
    if (value.size() <= kMergeAbove || !(at == last)) ++count;
    last = at;
    bin.push_back(count);
  }
  return bin;
}

Spectrum binned(const Spectrum& all, const std::vector<Index>& bin) {
  Spectrum few;
  const Index count = bin.back() + 1;
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
  return bin.back() + 1 == std::ssize(bin);
}

}  // namespace

VectorProblem merged_alike(const VectorProblem& problem, double bins) {
  const Spectrum& all = problem.covariance.spectrum;
  const std::vector<Index> bin = bins_of(all.value, bins);
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
  const std::vector<Index> rows = bins_of(out.value, bins), columns = bins_of(in.value, bins);
  if (kept(rows) && kept(columns)) return problem;
  MatrixProblem few = problem;
  few.covariance_out.spectrum = binned(out, rows);
  few.covariance_in.spectrum = binned(in, columns);
  const ArrayXXd by_rows =
      binned(ArrayXXd(problem.initial), out.value, rows, few.covariance_out.spectrum.value);
  few.initial =
      binned(by_rows.transpose(), in.value, columns, few.covariance_in.spectrum.value).transpose();
  few.initial_error.reset();
  return few;
}

}  // namespace riskcurve
