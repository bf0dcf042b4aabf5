#pragma once
#include <string>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// Reads a matrix, by the name of its file; each also compressed, under its name with .gz:
/// - .csv/.txt: UTF-8, comma, semicolon or blank separated, cells quoted or not, lines ended in any
///   way, all of them by a separator or none. A first line that is not numbers is a header. Decimal
///   commas are read where semicolons or blanks separate; "1,5" alone is two numbers.
/// - .npy: one axis (a column) or two; float32/64, int32/64, uint8, C or Fortran order.
/// - .idx/-ubyte: MNIST's idx files, uint8; each image one row.
/// Throws InputError naming `field`, the file, and the line or byte where it is short or malformed,
/// or holds a number that is not finite; of other formats their name. Never guesses at thousands
/// (1.234,5) or at a column of row numbers that has no name.
Eigen::MatrixXd read_matrix(const std::string& path, const std::string& field);
/// The same for a single row or column of numbers.
Eigen::ArrayXd read_column(const std::string& path, const std::string& field);

}  // namespace riskcurve
