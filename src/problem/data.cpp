#include "problem/data.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "problem/data_file.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

DataFile load(const std::string& path, const std::string& field) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw InputError(field, path, "a file that exists");
  DataFile file{field, path, std::string(std::filesystem::file_size(path, error), '\0')};
  std::ifstream in(path, std::ios::binary);
  if (error || !in.read(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size())))
    throw InputError(field, path, "a file that can be read");
  if (is_gzip(file.bytes)) file.bytes = gunzipped(file);
  return file;
}

}  // namespace

void DataFile::fail(const std::string& where, const std::string& expected) const {
  throw InputError(field, path + ", " + where, expected);
}

Eigen::MatrixXd read_matrix(const std::string& path, const std::string& field) {
  std::string name = path;
  const bool gzip = name.ends_with(".gz");
  if (gzip) name.resize(name.size() - 3);
  const auto ends = [&](const char* suffix) { return name.ends_with(suffix); };
  if (ends(".npy")) return read_npy(load(path, field));
  if (ends(".idx") || ends("-ubyte") || ends(".ubyte")) return read_idx(load(path, field));
  if (ends(".csv") || ends(".txt")) return read_text(load(path, field));
  if (!gzip)
    throw InputError(field, path,
                     "a file named .csv, .txt, .npy, .idx or -ubyte, or those with .gz");
  const DataFile file = load(path, field);
  const std::string format = format_of(file.bytes);
  if (format.ends_with("(.npy)")) return read_npy(file);
  if (format.ends_with("(-ubyte)")) return read_idx(file);
  return read_text(file);
}

Eigen::ArrayXd read_column(const std::string& path, const std::string& field) {
  const Eigen::MatrixXd matrix = read_matrix(path, field);
  if (matrix.rows() != 1 && matrix.cols() != 1)
    throw InputError(field, fmt::format("{}, {} x {} numbers", path, matrix.rows(), matrix.cols()),
                     "a single row or column of numbers");
  return matrix.reshaped().array();
}

}  // namespace riskcurve
