#pragma once
#include <string>
#include <type_traits>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// "one of "sgd", ...": the optimizers that have an update_of for this geometry.
template <class Problem>
std::string expected_optimizers() {
  std::string names;
  const auto add = [&]<class Of>(std::type_identity<Of>) {
    if constexpr (requires(const Of& of, const Problem& problem) { update_of(of, problem); })
      names += std::string(names.empty() ? "one of \"" : ", \"") + Of::name + "\"";
  };
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (add(std::type_identity<Of>{}), ...);
  }(std::type_identity<Optimizer>{});
  return names;
}

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
          throw InputError("optimizer.name", std::string("'") + of.name + "'",
                           expected_optimizers<Problem>());
        }
      },
      optimizer);
}

}  // namespace riskcurve
