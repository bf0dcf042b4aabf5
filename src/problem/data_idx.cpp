#include "problem/data_entries.hpp"

namespace riskcurve {

Eigen::MatrixXd read_idx(const DataFile& file) {
  if (file.bytes.size() < 4 || file.byte(0) != 0 || file.byte(1) != 0) {
    const std::string format = format_of(file.bytes);
    file.fail(format.empty() ? "byte 0" : format, "an idx file, which begins with two zero bytes");
  }
  if (file.byte(2) != 8) file.fail("byte 2", "8, the idx type of unsigned bytes");
  const std::size_t axes = file.byte(3), header = 4 + 4 * axes;
  if (axes < 1 || axes > 8) file.fail("byte 3", "1 to 8 axes");
  if (file.bytes.size() < header)
    file.fail(fmt::format("{} bytes", file.bytes.size()),
              fmt::format("a header of {} bytes (truncated)", header));
  std::vector<std::uint64_t> shape(axes);
  for (std::size_t axis = 0; axis < axes; ++axis)
    for (std::size_t k = 0; k < 4; ++k)
      shape[axis] = shape[axis] << 8 | file.byte(4 + 4 * axis + k);
  return read_entries<std::uint8_t>(file, header, shape, false);
}

}  // namespace riskcurve
