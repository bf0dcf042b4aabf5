#pragma once
#include <string>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

/// f(), where an InputError about a key says the table it is in: "risk" becomes "target.risk".
template <class F>
auto named(const std::string& table, F&& f) {
  try {
    return f();
  } catch (const InputError& error) {
    if (error.field().empty() || error.field().rfind(table, 0) == 0) throw;
    throw InputError(table + error.field(), error.value(), error.expected());
  }
}

}  // namespace riskcurve
