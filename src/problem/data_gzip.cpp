#include <fmt/format.h>
#define ZLIB_CONST  // input is not written to
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "problem/data_file.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

struct Inflater : z_stream {
  Inflater() : z_stream{} {
    if (inflateInit2(this, 15 + 16) != Z_OK) throw Failure("zlib does not start");  // 16: gzip
  }
  ~Inflater() { inflateEnd(this); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzipped(const DataFile& file) {
  constexpr std::size_t most = std::numeric_limits<uInt>::max();  // zlib counts in 32 bits
  const std::string_view in = file.bytes;
  std::string out(std::max<std::size_t>(4 * in.size(), 4096), '\0');
  Inflater stream;
  std::size_t from = 0, size = 0;
  while (true) {
    if (size == out.size()) out.resize(2 * size);
    const auto given = static_cast<uInt>(std::min(in.size() - from, most));
    const auto room = static_cast<uInt>(std::min(out.size() - size, most));
    stream.next_in = reinterpret_cast<const Bytef*>(in.data() + from);
    stream.avail_in = given;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = room;
    const int status = inflate(&stream, Z_NO_FLUSH);
    from += given - stream.avail_in;
    size += room - stream.avail_out;
    if (status == Z_STREAM_END) {
      // Another member may follow; as gzip does, what else follows (padding) is left alone.
      if (!is_gzip(in.substr(from)) || inflateReset(&stream) != Z_OK) break;
    } else if (status == Z_MEM_ERROR) {
      throw Failure("out of memory in " + file.path);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      file.fail(fmt::format("gzip data, byte {}: {}", from, stream.msg ? stream.msg : "corrupt"),
                "a gzip file that is whole");
    } else if (from == in.size() && stream.avail_out > 0) {
      file.fail(fmt::format("gzip data, {} bytes", in.size()), "the whole of them (truncated)");
    }
  }
  out.resize(size);
  return out;
}

}  // namespace riskcurve
