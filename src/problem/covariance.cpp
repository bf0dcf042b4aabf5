#include "riskcurve/problem/covariance.hpp"

#include "covariance_kinds.hpp"
#include "problem/data.hpp"

namespace riskcurve {

bool Covariance::operator==(const Covariance& other) const {
  return made_from == other.made_from && orientation == other.orientation &&
         sample_rows == other.sample_rows && spectrum == other.spectrum;
}

Covariance make_covariance(const CovarianceKind& kind) {
  return std::visit(
      [](const auto& of) {
        check_keys(of);
        Covariance result = covariance_of(of);
        result.kind = of.kind;
        result.made_from = of;
        if (of.orientation == Orientation::given || !result.eigenvectors) return result;
        result.orientation = Orientation::generic;
        result.matrix = nullptr;
        // Rows are in coordinates, and so need the eigenvectors to place an error.
        if (!result.rows) result.eigenvectors = nullptr;
        return result;
      },
      kind);
}

std::optional<Covariance> with_dimension(const Covariance& covariance, double dimension) {
  return std::visit(
      [&](auto kind) -> std::optional<Covariance> {
        if constexpr (requires { kind.dimension; }) {
          kind.dimension = dimension;
          return make_covariance(kind);
        } else {
          return {};
        }
      },
      covariance.made_from);
}

Eigen::ArrayXd listed(const std::vector<double>& values, const File& path, const char* key) {
  if (!values.empty() && !path.path.empty())
    throw InputError(key, std::to_string(values.size()) + " numbers", "no numbers beside a path");
  if (!path.path.empty()) return read_column(path.path, "path");
  if (values.empty()) throw InputError(key, "(missing)", "an array of numbers, or a path");
  return Eigen::Map<const Eigen::ArrayXd>(values.data(), std::ssize(values));
}

Covariance isotropic(double dimension, double value) {
  return make_covariance(IsotropicCovariance{dimension, value});
}
Covariance power_law(double dimension, double alpha, Orientation orientation) {
  return make_covariance(PowerLawCovariance{dimension, alpha, orientation});
}
Covariance from_eigenvalues(const Eigen::ArrayXd& values, Orientation orientation) {
  EigenvaluesCovariance kind;
  kind.values.assign(values.begin(), values.end());
  kind.orientation = orientation;
  return make_covariance(kind);
}
Covariance from_spectrum(const Spectrum& spectrum, Orientation orientation) {
  const auto list = [](const Eigen::ArrayXd& x) { return std::vector<double>(x.begin(), x.end()); };
  return make_covariance(EigenvaluesCovariance{list(spectrum.value),
                                               {},
                                               list(spectrum.multiplicity),
                                               list(spectrum.first),
                                               list(spectrum.last),
                                               orientation});
}
Covariance exponential_decay(double dimension, double length, Orientation orientation) {
  return make_covariance(ExponentialDecayCovariance{dimension, length, orientation});
}
Covariance spiked(double dimension, const Eigen::ArrayXd& spikes, double bulk,
                  Orientation orientation) {
  return make_covariance(
      SpikedCovariance{dimension, {spikes.begin(), spikes.end()}, bulk, orientation});
}
Covariance marchenko_pastur(double dimension, double ratio, Orientation orientation) {
  return make_covariance(MarchenkoPasturCovariance{dimension, ratio, orientation});
}
Covariance ar1(Eigen::Index dimension, double correlation) {
  return make_covariance(Ar1Covariance{static_cast<double>(dimension), correlation});
}
Covariance toeplitz(const Eigen::ArrayXd& first_row) {
  return make_covariance(ToeplitzCovariance{{first_row.begin(), first_row.end()}});
}
Covariance from_matrix(const Eigen::MatrixXd& matrix) {
  return make_covariance(MatrixCovariance{{}, {std::make_shared<const Eigen::MatrixXd>(matrix)}});
}

}  // namespace riskcurve
