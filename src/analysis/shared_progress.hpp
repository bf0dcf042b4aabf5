#pragma once
#include <memory>
#include <mutex>
#include <utility>

#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// Options for solves on several threads: one of them at a time says how far it is.
inline SolveOptions with_shared_progress(SolveOptions options) {
  if (options.progress)
    options.progress = [lock = std::make_shared<std::mutex>(),
                        own = std::move(options.progress)](double fraction) {
      const std::lock_guard<std::mutex> hold(*lock);
      return own(fraction);
    };
  return options;
}

}  // namespace riskcurve
