#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "problem/data.hpp"
#include "problem/noise_laws.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

// Atoms at the distinct |e| of the sample, each weighted by how often it occurs.
NoisePart empirical_part(const Eigen::ArrayXd& sample) {
  Eigen::ArrayXd sorted = sample.abs();
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> atom, count;
  for (const double x : sorted) {
    if (atom.empty() || atom.back() != x) {
      atom.push_back(x);
      count.push_back(0);
    }
    ++count.back();
  }
  NoisePart part;
  part.atom = Eigen::Map<Eigen::ArrayXd>(atom.data(), std::ssize(atom));
  part.atom_weight = Eigen::Map<Eigen::ArrayXd>(count.data(), std::ssize(count)) /
                     static_cast<double>(sorted.size());
  const double typical = std::sqrt(sample.square().mean());
  if (typical > 0) part.scale = typical;
  return part;
}

}  // namespace

NoiseLaw law_of(const EmpiricalNoise& kind) {
  Eigen::ArrayXd sample =
      Eigen::Map<const Eigen::ArrayXd>(kind.sample.data(), std::ssize(kind.sample));
  if (!kind.path.path.empty()) {
    const Eigen::MatrixXd table = read_matrix(kind.path.path, "noise.path");
    const auto columns = static_cast<double>(table.cols());
    if (kind.column)
      check_range("noise.column", *kind.column, Range::wholes(1, columns));
    else if (table.rows() > 1 && table.cols() > 1)
      throw InputError("noise.column", "(missing)", "a column of " + kind.path.path);
    sample = kind.column ? Eigen::ArrayXd(table.col(static_cast<Eigen::Index>(*kind.column) - 1))
                         : Eigen::ArrayXd(table.reshaped());
  }
  if (sample.size() == 0) throw InputError("noise", "an empty sample", "at least one value");
  if (!sample.isFinite().all())
    throw InputError("noise", "a sample with nan or inf", "finite values");
  const auto draw = [sample](Random& random) {
    const auto count = static_cast<double>(sample.size());
    const auto index = static_cast<Eigen::Index>(random.uniform() * count);
    return sample[std::min(index, sample.size() - 1)];
  };
  return {kind.kind, sample.square().mean(), {empirical_part(sample)}, draw, kind};
}

}  // namespace riskcurve
