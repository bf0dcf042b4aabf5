#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/keys.hpp"
#include "riskcurve/problem/spectrum.hpp"

namespace riskcurve {

/// How the eigenvectors of K lie in the coordinate basis, which SignSGD sees.
enum class Orientation {
  diagonal,  ///< eigenvectors are the coordinates
  generic,   ///< eigenvectors are uniformly random (Haar): only the spectrum matters
  given      ///< as in `matrix`
};

/// Rows of a data file: x is a uniformly drawn row.
struct DataRows {
  Eigen::MatrixXd x;  ///< n x d, after centering if asked for
  std::string source;
};

// Covariances by their parameters, as problem files state them. Dimensions are whole numbers up to
// 1e18 where the spectrum is a formula.

inline constexpr Choice<Orientation> kSpectralOrientations[] = {
    {"generic", Orientation::generic}, {"diagonal", Orientation::diagonal}};
inline constexpr Choice<Orientation> kGivenOrientations[] = {{"given", Orientation::given},
                                                             {"generic", Orientation::generic}};
inline constexpr Range kDimension = Range::wholes(1, 1e18);
inline constexpr Range kHeldDimension = Range::wholes(1, 8192);  ///< of a matrix that is held

/// lambda_j = value, j = 1..d
struct IsotropicCovariance {
  static constexpr const char* kind = "isotropic";
  double dimension = kRequired, value = 1;
  Orientation orientation = Orientation::generic;
  bool operator==(const IsotropicCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, kDimension);
    key("value", self.value, Range::positive());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// lambda_j = j^(-2 alpha)
struct PowerLawCovariance {
  static constexpr const char* kind = "power_law";
  double dimension = kRequired, alpha = kRequired;
  Orientation orientation = Orientation::generic;
  bool operator==(const PowerLawCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, kDimension);
    key("alpha", self.alpha, Range::non_negative());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// The listed eigenvalues, or those of a file of one row or column. `count`, `first` and `last`: a
/// spectrum held by nodes (spectrum.hpp), as Spectrum has them; empty: each stands for itself.
struct EigenvaluesCovariance {
  static constexpr const char* kind = "eigenvalues";
  std::vector<double> values = {};
  File path = {};
  std::vector<double> count = {}, first = {}, last = {};
  Orientation orientation = Orientation::generic;
  bool operator==(const EigenvaluesCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("values", self.values, Range::any());
    key("path", self.path);
    key("count", self.count, Range::non_negative());
    key("first", self.first, Range::non_negative());
    key("last", self.last, Range::non_negative());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// lambda_j = exp(-(j-1)/length)
struct ExponentialDecayCovariance {
  static constexpr const char* kind = "exponential_decay";
  double dimension = kRequired, length = kRequired;
  Orientation orientation = Orientation::generic;
  bool operator==(const ExponentialDecayCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, kDimension);
    key("length", self.length, Range::positive());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// The listed spikes, the remaining eigenvalues equal to `bulk`
struct SpikedCovariance {
  static constexpr const char* kind = "spiked";
  double dimension = kRequired;
  std::vector<double> spikes = {};
  double bulk = 1;
  Orientation orientation = Orientation::generic;
  bool operator==(const SpikedCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, kDimension);
    key("spikes", self.spikes, Range::positive());
    key("bulk", self.bulk, Range::non_negative());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// Quantiles (j-1/2)/d of the Marchenko-Pastur law of X^T X/n with d/n = ratio (unit variance); for
/// ratio > 1 a fraction 1 - 1/ratio is zero.
struct MarchenkoPasturCovariance {
  static constexpr const char* kind = "marchenko_pastur";
  double dimension = kRequired, ratio = kRequired;
  Orientation orientation = Orientation::generic;
  bool operator==(const MarchenkoPasturCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, Range::wholes(1, 1e6));  // one quantile solved for each
    key("ratio", self.ratio, Range::positive());
    key("orientation", self.orientation, kSpectralOrientations);
  }
};
/// K_ij = correlation^|i-j|
struct Ar1Covariance {
  static constexpr const char* kind = "ar1";
  double dimension = kRequired, correlation = kRequired;
  Orientation orientation = Orientation::given;
  bool operator==(const Ar1Covariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("dimension", self.dimension, kHeldDimension);
    key("correlation", self.correlation, Range{-1, 1, true, true});
    key("orientation", self.orientation, kGivenOrientations);
  }
};
/// K_ij = first_row[|i-j|], from the list or a file of one row or column
struct ToeplitzCovariance {
  static constexpr const char* kind = "toeplitz";
  std::vector<double> first_row = {};
  File path = {};
  Orientation orientation = Orientation::given;
  bool operator==(const ToeplitzCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("first_row", self.first_row, Range::any());
    key("path", self.path);
    key("orientation", self.orientation, kGivenOrientations);
  }
};
/// K of a file, or these entries
struct MatrixCovariance {
  static constexpr const char* kind = "matrix";
  File path = {};
  Entries entries = {};
  Orientation orientation = Orientation::given;
  bool operator==(const MatrixCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("path", self.path);
    key("entries", self.entries);
    key("orientation", self.orientation, kGivenOrientations);
  }
};
/// K = X^T X/n of the rows of a file, or of these: columns [first, last] counted from 1 (empty:
/// all), times `scale`, less their means where `center`.
struct DataCovariance {
  static constexpr const char* kind = "data";
  enum class Sample { rows, gaussian };
  static constexpr Choice<Sample> samples[] = {{"rows", Sample::rows},
                                               {"gaussian", Sample::gaussian}};
  File path = {};
  Entries entries = {};
  std::vector<double> columns = {};
  double scale = 1;
  bool center = true;
  Sample sample = Sample::rows;  ///< Monte Carlo draws rows, or Gaussian x of covariance K
  Orientation orientation = Orientation::given;
  bool operator==(const DataCovariance&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("path", self.path);
    key("entries", self.entries);
    key("columns", self.columns, Range::wholes(1, 1e9));
    key("scale", self.scale, Range::positive());
    key("center", self.center);
    key("sample", self.sample, samples);
    key("orientation", self.orientation, kGivenOrientations);
  }
};

using CovarianceKind =
    std::variant<IsotropicCovariance, PowerLawCovariance, EigenvaluesCovariance,
                 ExponentialDecayCovariance, SpikedCovariance, MarchenkoPasturCovariance,
                 Ar1Covariance, ToeplitzCovariance, MatrixCovariance, DataCovariance>;

/// The covariance K of x in R^d. Made by the functions below; to change it, make another.
struct Covariance {
  std::string kind;
  Orientation orientation = Orientation::generic;
  Spectrum spectrum;
  /// Orientation::given only: K.
  std::shared_ptr<const Eigen::MatrixXd> matrix;
  /// Eigenvectors of K as columns, ordered as spectrum.expand(). With Orientation::given all of
  /// them; data keep them in a generic orientation too, because their rows are in coordinates, but
  /// where d > dense_limit only those of eigenvalues > 0, or only the leading ones.
  std::shared_ptr<const Eigen::MatrixXd> eigenvectors;
  /// Set where K = X^T X / n of a data file.
  std::shared_ptr<const DataRows> rows;
  /// Sampling: x ~ N(0, K), or uniform rows of the data.
  bool sample_rows = false;
  /// What was approximated on the way, for the user; empty if nothing.
  std::string remark;
  CovarianceKind made_from;

  double dimension() const { return spectrum.dimension(); }
  /// Of equal parameters, orientation, sampling and spectrum.
  bool operator==(const Covariance& other) const;
};

/// Throws InputError about the key that is out of its range, and for files as read_matrix
/// (data.hpp) does.
Covariance make_covariance(const CovarianceKind& kind);

Covariance isotropic(double dimension, double value = 1);
Covariance power_law(double dimension, double alpha, Orientation = Orientation::generic);
Covariance from_eigenvalues(const Eigen::ArrayXd& values, Orientation = Orientation::generic);
/// A spectrum held by any nodes.
Covariance from_spectrum(const Spectrum& spectrum, Orientation = Orientation::generic);
Covariance exponential_decay(double dimension, double length, Orientation = Orientation::generic);
Covariance spiked(double dimension, const Eigen::ArrayXd& spikes, double bulk,
                  Orientation = Orientation::generic);
Covariance marchenko_pastur(double dimension, double ratio, Orientation = Orientation::generic);
Covariance ar1(Eigen::Index dimension, double correlation);
/// Throws InputError unless positive semi-definite.
Covariance toeplitz(const Eigen::ArrayXd& first_row);
/// Throws InputError unless square, symmetric to 1e-8, finite and positive semi-definite.
Covariance from_matrix(const Eigen::MatrixXd& matrix);
/// K = X^T X / n. Where min(n, d) <= dense_limit, exactly (by the smaller Gram matrix); else the
/// leading part by Spectra, matrix-free, and the bulk by Lanczos quadrature (see lanczos.hpp).
Covariance from_rows(std::shared_ptr<const DataRows> rows, Eigen::Index dense_limit = 4096);

/// The same kind of covariance in another dimension; nullopt where its kind has none to choose.
std::optional<Covariance> with_dimension(const Covariance& covariance, double dimension);

}  // namespace riskcurve
