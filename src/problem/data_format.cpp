#include <algorithm>
#include <cctype>

#include "problem/data_file.hpp"

namespace riskcurve {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  const char* name;
};

constexpr Magic kMagics[] = {
    {"\x1f\x8b"sv, "gzip data in gzip data"},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    {"MATLAB "sv, "a MATLAB file (.mat)"},
    {"%PDF"sv, "a PDF document"},
    {"PAR1"sv, "a Parquet file"},
    {"ARROW1"sv, "an Arrow file"},
    {"FEA1"sv, "a Feather file"},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, "an Excel workbook (.xls)"},
    {"\xfd\x37zXZ\0"sv, "xz compressed data"},
    {"\x28\xb5\x2f\xfd"sv, "zstd compressed data"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    {"\x80\x02"sv, "a Python pickle"},
    {"\x80\x03"sv, "a Python pickle"},
    {"\x80\x04"sv, "a Python pickle"},
    {"\x80\x05"sv, "a Python pickle"},
    {"SQLite format 3\0"sv, "an SQLite database"},
    {"CDF\x01"sv, "a NetCDF file"},
    {"CDF\x02"sv, "a NetCDF file"},
    {"\x93NUMPY"sv, "a NumPy array (.npy)"},
    {"\0\0\x08\x01"sv, "an idx file (-ubyte)"},
    {"\0\0\x08\x03"sv, "an idx file (-ubyte)"},
    {"\x89PNG"sv, "a PNG image"},
    {"\xff\xd8\xff"sv, "a JPEG image"},
    {"{\\rtf"sv, "an RTF document"},
    {"version https://git-lfs"sv, "a Git LFS pointer without its file"},
    {"\xff\xfe\0\0"sv, "UTF-32 text"},
    {"\xff\xfe"sv, "UTF-16 text"},
    {"\xfe\xff"sv, "UTF-16 text"},
};

/// By the name of the first member, which the formats made of zip files fix.
std::string zip_format(std::string_view bytes) {
  std::string_view name = bytes.substr(std::min<std::size_t>(30, bytes.size()));
  if (bytes.size() >= 30)
    name = name.substr(
        0, static_cast<unsigned char>(bytes[26]) + 256u * static_cast<unsigned char>(bytes[27]));
  if (name.ends_with(".npy")) return "an .npz archive of NumPy";
  if (name == "[Content_Types].xml" || name.starts_with("xl/") || name.starts_with("_rels/"))
    return "an Excel workbook (.xlsx)";
  if (name == "mimetype") return "an OpenDocument file (.ods)";
  return "a zip archive";
}

bool starts_with_any_case(std::string_view text, std::string_view start) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
  };
  return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(),
                                                   [&](char b, char a) { return same(a, b); });
}

}  // namespace

std::string format_of(std::string_view bytes) {
  for (const Magic& magic : kMagics)
    if (bytes.starts_with(magic.bytes)) return magic.name;
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) return zip_format(bytes);
  if (bytes.starts_with("BZh") && bytes.substr(4).starts_with("1AY&SY"))
    return "bzip2 compressed data";
  // Without its mark: digits and separators, each with a zero byte.
  if (bytes.size() >= 4 && (bytes[0] == 0) != (bytes[1] == 0) &&
      (bytes[0] == 0) == (bytes[2] == 0) && (bytes[1] == 0) == (bytes[3] == 0))
    return "UTF-16 text";
  std::string_view text = bytes;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (starts_with_any_case(text, "<!doctype html") || starts_with_any_case(text, "<html"))
    return "a web page (HTML)";
  if (starts_with_any_case(text, "<?xml")) return "an XML file";
  return {};
}

}  // namespace riskcurve
