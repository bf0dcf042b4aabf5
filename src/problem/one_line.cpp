#include "problem/one_line.hpp"

#include <cstdint>
#include <cstdio>
#include <utility>

namespace riskcurve {
namespace {

/// The UTF-8 character that begins `text`, and its length; length 0 where there is none.
std::pair<std::uint32_t, std::size_t> character(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  std::uint32_t code = size == 1 ? byte(0) : byte(0) & (0x7fu >> size);
  if (size > text.size() || (byte(0) >= 0x80 && byte(0) < 0xc0) || byte(0) >= 0xf8) return {0, 0};
  for (std::size_t k = 1; k < size; ++k) {
    if ((byte(k) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(k) & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < least[size - 1] || code > 0x10ffff || surrogate ? std::pair{0u, std::size_t{0}}
                                                                : std::pair{code, size};
}

/// Controls beyond ASCII, blanks and marks that look like a space or like nothing.
bool invisible(std::uint32_t code) {
  return (code >= 0x80 && code <= 0xa0) || code == 0xad || (code >= 0x2000 && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) ||
         code == 0x3000 || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  char code_text[16];
  while (!text.empty()) {
    const auto [code, size] = character(text);
    if (size == 0)
      std::snprintf(code_text, sizeof code_text, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(text[0])));
    else
      std::snprintf(code_text, sizeof code_text, "<U+%04X>", static_cast<unsigned>(code));
    if (size == 0 || invisible(code))
      line += code_text;
    else if (code < 32 || code == 127)
      line += ' ';
    else
      line += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return line;
}

}  // namespace riskcurve
