#pragma once
#include <string>

#include "input/read.hpp"

namespace riskcurve {

/// The optimizer of a table [optimizer], as in a problem file of `horizon` steps.
inline Optimizer optimizer_of(const std::string& text, double horizon = 1000) {
  const Fields fields = Fields::from_text(text);
  const Optimizer optimizer = read_optimizer(fields, horizon);
  fields.reject_unknown();
  return optimizer;
}

}  // namespace riskcurve
