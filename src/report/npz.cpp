#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdint>
#include <cstring>
#include <limits>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve {
namespace {

// Both formats are little-endian, as are the machines this is built for.
template <class T>
void put(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

/// One array as an .npy file, version 1.0: magic, header length, header padded so that the data
/// start at a multiple of 64, data.
std::string npy(const std::string& type, const std::string& shape, bool fortran_order,
                const std::string& data) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", type,
                                   fortran_order ? "True" : "False", shape);
  header.append(64 - (10 + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  put(bytes, static_cast<std::uint16_t>(header.size()));
  return bytes + header + data;
}

template <class Array>
std::string raw(const Array& x) {
  return std::string(reinterpret_cast<const char*>(x.data()), sizeof(double) * x.size());
}

struct ToNpy {
  std::string operator()(std::nullptr_t) const { return {}; }
  std::string operator()(const Record&) const { return {}; }
  std::string operator()(const std::vector<Record>&) const { return {}; }
  std::string operator()(bool x) const { return npy("|b1", "", false, std::string(1, x)); }
  std::string operator()(long x) const {
    std::string data;
    put(data, static_cast<std::int64_t>(x));
    return npy("<i8", "", false, data);
  }
  std::string operator()(double x) const {
    std::string data;
    put(data, x);
    return npy("<f8", "", false, data);
  }
  std::string operator()(const std::string& x) const {
    return npy(fmt::format("|S{}", std::max<std::size_t>(x.size(), 1)), "", false,
               x.empty() ? std::string(1, '\0') : x);
  }
  std::string operator()(const std::vector<std::string>& list) const {
    std::size_t width = 1;
    for (const auto& x : list) width = std::max(width, x.size());
    std::string data;
    for (const auto& x : list) data += x + std::string(width - x.size(), '\0');
    return npy(fmt::format("|S{}", width), fmt::format("{},", list.size()), false, data);
  }
  std::string operator()(const Eigen::ArrayXd& x) const {
    return npy("<f8", fmt::format("{},", x.size()), false, raw(x));
  }
  std::string operator()(const Eigen::ArrayXXd& x) const {
    return npy("<f8", fmt::format("{}, {}", x.rows(), x.cols()), true, raw(x));
  }
};

struct Member {
  std::string name, bytes;
};

void collect(const Record& record, const std::string& prefix, std::vector<Member>& members) {
  for (const Field& field : record.fields()) {
    if (const auto* inner = std::get_if<Record>(&field.value)) {
      collect(*inner, prefix + field.name + ".", members);
    } else if (const auto* list = std::get_if<std::vector<Record>>(&field.value)) {
      for (std::size_t i = 0; i < list->size(); ++i)
        collect((*list)[i], fmt::format("{}{}.{}.", prefix, field.name, i), members);
    } else if (std::string bytes = std::visit(ToNpy{}, field.value); !bytes.empty()) {
      members.push_back({prefix + field.name + ".npy", std::move(bytes)});
    }
  }
}

/// What the local header and the central directory of a zip say alike of a stored member, dated
/// 1 January 1980 so that equal results give equal files.
std::string zip_fields(const Member& member) {
  boost::crc_32_type crc;
  crc.process_bytes(member.bytes.data(), member.bytes.size());
  std::string bytes;
  put(bytes, std::uint16_t{20});    // version needed
  put(bytes, std::uint16_t{0});     // flags
  put(bytes, std::uint16_t{0});     // stored
  put(bytes, std::uint16_t{0});     // time
  put(bytes, std::uint16_t{0x21});  // date
  put(bytes, static_cast<std::uint32_t>(crc.checksum()));
  put(bytes, static_cast<std::uint32_t>(member.bytes.size()));  // compressed
  put(bytes, static_cast<std::uint32_t>(member.bytes.size()));
  put(bytes, static_cast<std::uint16_t>(member.name.size()));
  put(bytes, std::uint16_t{0});  // extra field
  return bytes;
}

}  // namespace

std::string to_npz(const Record& record) {
  std::vector<Member> members;
  collect(record, "", members);
  std::uint64_t total = 22;
  for (const Member& member : members) total += member.bytes.size() + 2 * member.name.size() + 76;
  if (total > std::numeric_limits<std::uint32_t>::max()) {
    throw Failure("the result is larger than the 4 GiB an .npz file holds: write .csv or .json");
  }
  std::string archive, directory;
  for (const Member& member : members) {
    const auto offset = static_cast<std::uint32_t>(archive.size());
    const std::string fields = zip_fields(member);
    archive += "PK\x03\x04" + fields + member.name + member.bytes;
    directory += "PK\x01\x02";
    put(directory, std::uint16_t{20});  // version made by
    directory += fields;
    put(directory, std::uint16_t{0});  // comment
    put(directory, std::uint16_t{0});  // disk
    put(directory, std::uint16_t{0});  // internal attributes
    put(directory, std::uint32_t{0});  // external attributes
    put(directory, offset);
    directory += member.name;
  }
  const auto directory_offset = static_cast<std::uint32_t>(archive.size());
  archive += directory + "PK\x05\x06";
  put(archive, std::uint32_t{0});  // disks
  put(archive, static_cast<std::uint16_t>(members.size()));
  put(archive, static_cast<std::uint16_t>(members.size()));
  put(archive, static_cast<std::uint32_t>(directory.size()));
  put(archive, directory_offset);
  put(archive, std::uint16_t{0});  // comment
  return archive;
}

}  // namespace riskcurve
