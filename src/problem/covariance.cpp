#include "riskcurve/problem/covariance.hpp"

#include <map>

#include "covariance_kinds.hpp"

namespace riskcurve {

namespace {

struct Kind {
  Covariance (*read)(const Fields&);
  bool has_basis;  // comes with eigenvectors in the coordinate basis
};

const std::map<std::string, Kind>& kinds() {
  static const std::map<std::string, Kind> table = {
      {"isotropic", {read_isotropic, false}},
      {"power_law", {read_power_law, false}},
      {"eigenvalues", {read_eigenvalues, false}},
      {"exponential_decay", {read_exponential_decay, false}},
      {"spiked", {read_spiked, false}},
      {"marchenko_pastur", {read_marchenko_pastur, false}},
      {"ar1", {read_ar1, true}},
      {"toeplitz", {read_toeplitz, true}},
      {"matrix", {read_matrix_covariance, true}},
      {"data", {read_data, true}},
  };
  return table;
}

}  // namespace

Covariance read_covariance(const Fields& fields) {
  std::vector<std::string> names;
  for (const auto& entry : kinds()) names.push_back(entry.first);
  const Kind& kind = kinds().at(fields.one_of("kind", names));
  Covariance result = kind.read(fields);
  if (kind.has_basis && fields.has("orientation")) {
    if (fields.one_of("orientation", {"given", "generic"}) == "given") {
      if (!result.matrix) fields.fail("orientation", "\"generic\": K is too large to be held");
      return result;
    }
    result.orientation = Orientation::generic;
    result.matrix = nullptr;
    // Rows are in coordinates, and so need the eigenvectors to place an error.
    if (!result.rows) result.eigenvectors = nullptr;
  }
  return result;
}

}  // namespace riskcurve
