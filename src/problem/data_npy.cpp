#include <algorithm>
#include <charconv>

#include "problem/data_entries.hpp"

namespace riskcurve {
namespace {

/// The text after `'key':` in the header.
std::string_view entry(const DataFile& file, std::string_view header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "'");
  const std::size_t colon = at == header.npos ? at : header.find(':', at);
  if (colon == header.npos) file.fail("header", "an entry '" + key + "'");
  header.remove_prefix(colon + 1);
  header.remove_prefix(std::min(header.find_first_not_of(" \t"), header.size()));
  return header;
}

/// The extents of "(n, d)" or "(n,)".
std::vector<std::uint64_t> shape_of(const DataFile& file, std::string_view list) {
  const std::size_t close = list.find(')');
  if (list.empty() || list[0] != '(' || close == list.npos) file.fail("header", "a shape (n, d)");
  const std::string_view all = list.substr(0, close + 1);
  list = all.substr(1, close - 1);
  std::vector<std::uint64_t> shape;
  while (true) {
    list.remove_prefix(std::min(list.find_first_not_of(' '), list.size()));
    if (list.empty()) break;
    std::uint64_t extent = 0;
    const char* const stop = list.data() + list.size();
    auto [end, error] = std::from_chars(list.data(), stop, extent);
    while (end != stop && *end == ' ') ++end;
    if (error != std::errc() || (end != stop && *end != ','))
      file.fail("header", "a shape of whole numbers");
    shape.push_back(extent);
    list.remove_prefix(static_cast<std::size_t>(end - list.data()) + (end != stop));
  }
  if (shape.empty() || shape.size() > 2)
    file.fail(fmt::format("header, shape {}", all),
              "an array of one axis or two, as by x.reshape(len(x), -1)");
  return shape;
}

template <class Result>
Result read(const DataFile& file) {
  if (file.bytes.size() < 12 || file.bytes.compare(0, 6, "\x93NUMPY") != 0) {
    const std::string format = format_of(file.bytes);
    file.fail(format.empty() ? "byte 0" : format, "an npy file, which begins with \\x93NUMPY");
  }
  const bool wide = file.byte(6) >= 2;
  std::size_t length = file.byte(8) + 256u * file.byte(9);
  if (wide) length += 65536ul * file.byte(10) + 16777216ul * file.byte(11);
  const std::size_t begin = wide ? 12 : 10;
  if (length > file.bytes.size() - begin)
    file.fail(fmt::format("{} bytes", file.bytes.size()),
              fmt::format("a header of {} bytes (truncated)", length));
  const std::string_view header = std::string_view(file.bytes).substr(begin, length);
  const bool column_major = entry(file, header, "fortran_order").starts_with("True");
  const std::vector<std::uint64_t> shape = shape_of(file, entry(file, header, "shape"));

  const std::string_view type = entry(file, header, "descr");
  const std::size_t data = begin + length;
  for (const char order : {'<', '|', '='}) {
    const auto is = [&](const char* name) {
      return type.starts_with(std::string("'") + order + name + "'");
    };
    if (is("f8")) return read_entries<double, Result>(file, data, shape, column_major);
    if (is("f4")) return read_entries<float, Result>(file, data, shape, column_major);
    if (is("i8")) return read_entries<std::int64_t, Result>(file, data, shape, column_major);
    if (is("i4")) return read_entries<std::int32_t, Result>(file, data, shape, column_major);
    if (is("u1")) return read_entries<std::uint8_t, Result>(file, data, shape, column_major);
  }
  file.fail("header, descr " + std::string(type.substr(0, type.find(','))),
            "little-endian float32, float64, int32, int64 or uint8");
}

}  // namespace

Eigen::MatrixXd read_npy(const DataFile& file) {
  return read<Eigen::MatrixXd>(file);
}

Eigen::ArrayXd read_npy_column(const DataFile& file) {
  return read<Eigen::ArrayXd>(file);
}

}  // namespace riskcurve
