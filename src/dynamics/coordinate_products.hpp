#pragma once
#include <Eigen/Core>
#include <vector>

namespace riskcurve {

/// A matrix F between coordinates (rows) and modes (columns), and the one of its squared entries:
/// products with both in one pass over F.
class CoordinateProducts {
 public:
  explicit CoordinateProducts(const Eigen::MatrixXd& f);

  /// F x and F' y of two x and two y each, F'_ik = F_ik^2.
  struct OfModes {
    Eigen::ArrayXd x[2], y[2];
  };
  OfModes of_modes(const OfModes& modes) const;
  /// F^T x, and F'^T y of two y.
  struct OfCoordinates {
    Eigen::ArrayXd x, y[2];
  };
  OfCoordinates of_coordinates(const OfCoordinates& coordinates) const;

 private:
  /// Panels of some rows, column by column; the last filled with 0.
  struct Packed {
    explicit Packed(const Eigen::MatrixXd& f);
    Eigen::Index rows, columns, panels;
    std::vector<double> entry;
  };
  template <int kX, int kY>
  static void multiply(const Packed& f, const Eigen::ArrayXd* const* parts,
                       Eigen::ArrayXd* const* sums);

  Packed to_coordinates_, to_modes_;
};

}  // namespace riskcurve
