#include "riskcurve/problem/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

namespace {

static_assert(std::endian::native == std::endian::little, "npy data are copied as they lie");

struct File {
  std::string field, path, bytes;

  [[noreturn]] void fail(const std::string& where, const std::string& expected) const {
    throw InputError(field, path + ", " + where, expected);
  }
};

File load(const std::string& path, const std::string& field) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw InputError(field, path, "a file that exists");
  File file{field, path, std::string(std::filesystem::file_size(path, error), '\0')};
  std::ifstream in(path, std::ios::binary);
  if (error || !in.read(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size())))
    throw InputError(field, path, "a file that can be read");
  return file;
}

// ---- text

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The fields of a line; blank separated where it holds neither comma nor semicolon.
void split(std::string_view line, std::vector<std::string_view>& parts) {
  parts.clear();
  const char mark = line.find(',') != line.npos ? ',' : line.find(';') != line.npos ? ';' : ' ';
  while (true) {
    const std::size_t end = mark == ' ' ? line.find_first_of(" \t") : line.find(mark);
    parts.push_back(trimmed(line.substr(0, end)));
    if (end == line.npos) return;
    line = mark == ' ' ? trimmed(line.substr(end)) : line.substr(end + 1);
  }
}

bool parse(std::string_view text, double& x) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  // A number too small or too large for a double is no number here either.
  return error == std::errc() && end == text.data() + text.size();
}

Eigen::MatrixXd read_text(const File& file) {
  std::vector<double> values;
  std::vector<std::string_view> parts;
  std::size_t columns = 0, line_number = 0, start = 0;
  bool first = true;
  while (start < file.bytes.size()) {
    const std::size_t end = std::min(file.bytes.find('\n', start), file.bytes.size());
    const std::string_view line = trimmed(std::string_view(file.bytes).substr(start, end - start));
    start = end + 1;
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    split(line, parts);
    const std::string where = fmt::format("line {}", line_number);
    double x = 0;
    if (first && std::none_of(parts.begin(), parts.end(),
                              [&](std::string_view part) { return parse(part, x); })) {
      first = false;  // a header
      continue;
    }
    first = false;
    if (columns == 0) columns = parts.size();
    if (parts.size() != columns)
      file.fail(fmt::format("{}, {} numbers", where, parts.size()),
                fmt::format("{} numbers, as on the lines above", columns));
    for (std::size_t j = 0; j < columns; ++j) {
      const std::string place =
          fmt::format("{}, column {}: \"{}\"", where, j + 1, parts[j].substr(0, 40));
      if (!parse(parts[j], x)) file.fail(place, "a number");
      if (!std::isfinite(x)) file.fail(place, "a finite number");
      values.push_back(x);
    }
  }
  if (values.empty()) file.fail("the whole file", "at least one line of numbers");
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto d = static_cast<Eigen::Index>(columns);
  return Eigen::Map<const RowMajor>(values.data(), static_cast<Eigen::Index>(values.size()) / d, d);
}

// ---- binary: entries of one type after a header

/// Copies `rows` x `columns` entries of type T that start at byte `at`, having checked that they
/// are all there: a header may promise anything.
template <class T>
Eigen::MatrixXd read_entries(const File& file, std::size_t at,
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

Eigen::MatrixXd read_idx(const File& file) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(file.bytes[k]); };
  if (file.bytes.size() < 4 || byte(0) != 0 || byte(1) != 0)
    file.fail("byte 0", "an idx file, which begins with two zero bytes (gunzip it first)");
  if (byte(2) != 8) file.fail("byte 2", "8, the idx type of unsigned bytes");
  const std::size_t axes = byte(3), header = 4 + 4 * axes;
  if (axes < 1 || axes > 8) file.fail("byte 3", "1 to 8 axes");
  if (file.bytes.size() < header)
    file.fail(fmt::format("{} bytes", file.bytes.size()),
              fmt::format("a header of {} bytes (truncated)", header));
  std::vector<std::uint64_t> shape(axes);
  for (std::size_t axis = 0; axis < axes; ++axis)
    for (std::size_t k = 0; k < 4; ++k) shape[axis] = shape[axis] << 8 | byte(4 + 4 * axis + k);
  return read_entries<std::uint8_t>(file, header, shape, false);
}

/// The text after `'key':` in the header of an npy file.
std::string_view npy_entry(const File& file, std::string_view header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "'");
  const std::size_t colon = at == header.npos ? at : header.find(':', at);
  if (colon == header.npos) file.fail("header", "an entry '" + key + "'");
  return trimmed(header.substr(colon + 1));
}

Eigen::MatrixXd read_npy(const File& file) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(file.bytes[k]); };
  if (file.bytes.size() < 12 || file.bytes.compare(0, 6, "\x93NUMPY") != 0)
    file.fail("byte 0", "an npy file, which begins with \\x93NUMPY");
  const bool wide = byte(6) >= 2;
  std::size_t length = byte(8) + 256u * byte(9);
  if (wide) length += 65536ul * byte(10) + 16777216ul * byte(11);
  const std::size_t begin = wide ? 12 : 10;
  if (length > file.bytes.size() - begin)
    file.fail(fmt::format("{} bytes", file.bytes.size()),
              fmt::format("a header of {} bytes (truncated)", length));
  const std::string_view header = std::string_view(file.bytes).substr(begin, length);
  const bool column_major = npy_entry(file, header, "fortran_order").starts_with("True");

  std::string_view list = npy_entry(file, header, "shape");
  const std::size_t close = list.find(')');
  if (list.empty() || list[0] != '(' || close == list.npos) file.fail("header", "a shape (n, d)");
  list = list.substr(1, close - 1);
  std::vector<std::uint64_t> shape;
  std::vector<std::string_view> parts;
  split(list, parts);
  for (const std::string_view part : parts) {
    if (part.empty()) continue;  // (n,)
    std::uint64_t extent = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), extent);
    if (error != std::errc() || end != part.data() + part.size())
      file.fail("header", "a shape of whole numbers");
    shape.push_back(extent);
  }
  if (shape.empty() || (column_major && shape.size() > 2))
    file.fail("header", "an array of one axis or two (or more in C order, flattened to rows)");

  const std::string_view type = npy_entry(file, header, "descr");
  const std::size_t data = begin + length;
  for (const char order : {'<', '|', '='}) {
    const auto is = [&](const char* name) {
      return type.starts_with(std::string("'") + order + name + "'");
    };
    if (is("f8")) return read_entries<double>(file, data, shape, column_major);
    if (is("f4")) return read_entries<float>(file, data, shape, column_major);
    if (is("i8")) return read_entries<std::int64_t>(file, data, shape, column_major);
    if (is("i4")) return read_entries<std::int32_t>(file, data, shape, column_major);
    if (is("u1")) return read_entries<std::uint8_t>(file, data, shape, column_major);
  }
  file.fail("header, descr " + std::string(type.substr(0, type.find(','))),
            "little-endian float32, float64, int32, int64 or uint8");
}

}  // namespace

Eigen::MatrixXd read_matrix(const std::string& path, const std::string& field) {
  const auto ends = [&](const char* suffix) { return path.ends_with(suffix); };
  if (ends(".npy")) return read_npy(load(path, field));
  if (ends(".idx") || ends("-ubyte") || ends(".ubyte")) return read_idx(load(path, field));
  if (ends(".csv") || ends(".txt")) return read_text(load(path, field));
  throw InputError(field, path, "a file named .csv, .txt, .npy, .idx or -ubyte");
}

Eigen::ArrayXd read_column(const std::string& path, const std::string& field) {
  const Eigen::MatrixXd matrix = read_matrix(path, field);
  if (matrix.rows() != 1 && matrix.cols() != 1)
    throw InputError(field, fmt::format("{}, {} x {} numbers", path, matrix.rows(), matrix.cols()),
                     "a single row or column of numbers");
  return matrix.reshaped().array();
}

}  // namespace riskcurve
