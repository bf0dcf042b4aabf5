#pragma once
#include <string>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// update_of(optimizer, problem) of the experiment's optimizer. Throws InputError where there is
/// none for this geometry.
template <class Update, class Problem>
Update update_for(const Optimizer& optimizer, const Problem& problem) {
  validate(optimizer);
  return std::visit(
      [&](const auto& of) -> Update {
        if constexpr (requires { update_of(of, problem); }) {
          return update_of(of, problem);
        } else {
          throw InputError("optimizer.name", of.name,
                           "an optimizer that runs on problems of this geometry");
        }
      },
      optimizer);
}

}  // namespace riskcurve
