#pragma once
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "problem/data_file.hpp"

namespace riskcurve {

static_assert(std::endian::native == std::endian::little, "npy data are copied as they lie");

/// Copies the entries of type T that start at byte `at`, one row for each index of the first axis,
/// having checked that they are all there: a header may promise anything.
template <class T>
Eigen::MatrixXd read_entries(const DataFile& file, std::size_t at,
                             const std::vector<std::uint64_t>& shape, bool column_major) {
  const std::uint64_t present = (file.bytes.size() - at) / sizeof(T);
  std::uint64_t entries = 1;
  bool too_many = false;
  for (const std::uint64_t extent : shape) {
    if (extent == 0) file.fail("header", "no axis of length 0");
    too_many = too_many || entries > present / extent;
    if (!too_many) entries *= extent;
  }
  if (too_many || file.bytes.size() - at != entries * sizeof(T))
    file.fail(fmt::format("{} bytes after the header", file.bytes.size() - at),
              fmt::format("{} entries of {} bytes{}", fmt::join(shape, " x "), sizeof(T),
                          too_many ? " (truncated)" : ""));
  const auto rows = static_cast<Eigen::Index>(shape[0]);
  const auto columns = static_cast<Eigen::Index>(entries / shape[0]);
  Eigen::MatrixXd result(rows, columns);
  const char* const data = file.bytes.data() + at;
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j) {
      const auto k = static_cast<std::size_t>(column_major ? i + rows * j : j + columns * i);
      T entry;
      std::memcpy(&entry, data + k * sizeof(T), sizeof(T));
      result(i, j) = static_cast<double>(entry);
      if (!std::isfinite(result(i, j)))
        file.fail(fmt::format("byte {}: {}", at + k * sizeof(T), result(i, j)), "a finite number");
    }
  return result;
}

}  // namespace riskcurve
