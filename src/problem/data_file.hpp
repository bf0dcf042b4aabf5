#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace riskcurve {

/// A file of numbers as it lies, decompressed if it was gzip, and the field that names it.
struct DataFile {
  std::string field, path;
  std::string_view bytes;
  std::shared_ptr<const void> held;  ///< what they are bytes of

  std::uint8_t byte(std::size_t k) const { return static_cast<std::uint8_t>(bytes[k]); }
  [[noreturn]] void fail(const std::string& where, const std::string& expected) const;
};

bool is_gzip(std::string_view bytes);
/// All members of a gzip file; `file.fail` where it is cut short or corrupt.
std::string gunzipped(const DataFile& file);

/// What a file that is no text of numbers is, by its first bytes: "an .npz archive of NumPy"; empty
/// where they tell nothing.
std::string format_of(std::string_view bytes);

Eigen::MatrixXd read_text(const DataFile& file);
Eigen::MatrixXd read_npy(const DataFile& file);
/// The same of a single row or column.
Eigen::ArrayXd read_npy_column(const DataFile& file);
Eigen::MatrixXd read_idx(const DataFile& file);

}  // namespace riskcurve
