#include "riskcurve/problem/optimizer.hpp"

#include <type_traits>

namespace riskcurve {

std::string name_of(const Optimizer& optimizer) {
  return std::visit([](const auto& o) -> std::string { return o.name; }, optimizer);
}

std::string title_of(const Optimizer& optimizer) {
  return std::visit([](const auto& o) -> std::string { return o.title; }, optimizer);
}

std::string label_of(const Optimizer& optimizer) {
  return std::visit(
      [](const auto& o) -> std::string {
        if constexpr (requires { o.label(); }) return o.label();
        return o.name;
      },
      optimizer);
}

int batch_of(const Optimizer& optimizer) {
  return std::visit([](const auto& o) { return o.batch; }, optimizer);
}

Optimizer with_batch(Optimizer optimizer, int batch) {
  std::visit([batch](auto& o) { o.batch = batch; }, optimizer);
  return optimizer;
}

void validate(const Optimizer& optimizer) {
  std::visit([](const auto& o) { check_keys(o, "optimizer."); }, optimizer);
}

std::vector<Optimizer> default_optimizers() {
  std::vector<Optimizer> found;
  const auto add = [&found](const Optimizer& optimizer) {
    try {
      validate(optimizer);
      found.push_back(optimizer);
    } catch (const InputError&) {  // a parameter without a default
    }
  };
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (add(Of{}), ...);
  }(std::type_identity<Optimizer>{});
  return found;
}

}  // namespace riskcurve
