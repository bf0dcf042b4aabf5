#pragma once
#include <string>
#include <string_view>

namespace riskcurve {

/// What a terminal shows of any bytes: control characters become blanks, \xNN stands for bytes that
/// are no UTF-8, <U+N> for characters that look like a blank or like nothing.
std::string one_line(std::string_view text);

}  // namespace riskcurve
