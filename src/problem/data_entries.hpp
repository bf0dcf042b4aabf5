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
/// having checked that they are all there: a header may promise anything. An array takes a single
/// row or column alone.
template <class T, class Result = Eigen::MatrixXd>
Result read_entries(const DataFile& file, std::size_t at, const std::vector<std::uint64_t>& shape,
                    bool column_major) {
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
  const char* const data = file.bytes.data() + at;
  const auto read = [&](Eigen::Index k, double& number) {
    const auto offset = static_cast<std::size_t>(k) * sizeof(T);
    T entry;
    std::memcpy(&entry, data + offset, sizeof(T));
    number = static_cast<double>(entry);
    if (!std::isfinite(number))
      file.fail(fmt::format("byte {}: {}", at + offset, number), "a finite number");
  };
  if constexpr (Result::IsVectorAtCompileTime) {
    if (rows != 1 && columns != 1)
      file.fail(fmt::format("{} x {} numbers", rows, columns), "a single row or column of numbers");
    Result result(rows * columns);
    for (Eigen::Index k = 0; k < result.size(); ++k) read(k, result[k]);
    return result;
  } else {
    Result result(rows, columns);
    for (Eigen::Index i = 0; i < rows; ++i)
      for (Eigen::Index j = 0; j < columns; ++j)
        read(column_major ? i + rows * j : j + columns * i, result(i, j));
    return result;
  }
}

}  // namespace riskcurve
