#pragma once
#include <string>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// Reads a matrix: .csv/.txt (comma, semicolon or blank separated; a first line that is not numbers
/// is a header), .npy (float32/64, int32/64, uint8, C or Fortran order), .idx/-ubyte (MNIST's idx
/// files, uint8; each image one row). Throws InputError naming `field`, the file, and the line or
/// byte where it is short or malformed, or holds a number that is not finite.
Eigen::MatrixXd read_matrix(const std::string& path, const std::string& field);
/// The same for a single row or column of numbers.
Eigen::ArrayXd read_column(const std::string& path, const std::string& field);

}  // namespace riskcurve
