#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "problem/noise_laws.hpp"
#include "riskcurve/problem/data.hpp"
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

NoiseLaw empirical_noise(const Eigen::ArrayXd& sample) {
  if (sample.size() == 0) throw InputError("noise", "an empty sample", "at least one value");
  if (!sample.isFinite().all())
    throw InputError("noise", "a sample with nan or inf", "finite values");
  const auto draw = [sample](Random& random) {
    const auto count = static_cast<double>(sample.size());
    const auto index = static_cast<Eigen::Index>(random.uniform() * count);
    return sample[std::min(index, sample.size() - 1)];
  };
  return {"empirical", sample.square().mean(), {empirical_part(sample)}, draw};
}

NoiseLaw read_empirical_noise(const Fields& fields) {
  const std::string path = fields.path("path");
  if (!fields.has("column")) return empirical_noise(read_column(path, fields.name("path")));
  const Eigen::MatrixXd table = read_matrix(path, fields.name("path"));
  const double column =
      fields.integer("column", Range::within(1, static_cast<double>(table.cols())));
  return empirical_noise(table.col(static_cast<Eigen::Index>(column) - 1).array());
}

}  // namespace riskcurve
