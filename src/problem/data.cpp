#include "problem/data.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "problem/data_file.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

/// The file's pages, read as they are looked at; null where they cannot be.
std::shared_ptr<const void> mapped(const std::string& path, std::size_t size) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const pages = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (pages == MAP_FAILED) return nullptr;
  return {pages, [size](void* at) { munmap(at, size); }};
}

DataFile load(const std::string& path, const std::string& field) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw InputError(field, path, "a file that exists");
  const std::size_t size = std::filesystem::file_size(path, error);
  DataFile file{field, path, {}, nullptr};
  if (!error && size > 0) file.held = mapped(path, size);
  if (error || (size > 0 && !file.held) || access(path.c_str(), R_OK) != 0)
    throw InputError(field, path, "a file that can be read");
  file.bytes = {static_cast<const char*>(file.held.get()), size};
  if (is_gzip(file.bytes)) {
    const auto whole = std::make_shared<const std::string>(gunzipped(file));
    file.bytes = *whole;
    file.held = whole;
  }
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
  if (path.ends_with(".npy")) return read_npy_column(load(path, field));
  const Eigen::MatrixXd matrix = read_matrix(path, field);
  if (matrix.rows() != 1 && matrix.cols() != 1)
    throw InputError(field, fmt::format("{}, {} x {} numbers", path, matrix.rows(), matrix.cols()),
                     "a single row or column of numbers");
  return matrix.reshaped().array();
}

}  // namespace riskcurve
