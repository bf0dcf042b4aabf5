#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

std::string name_of(const Optimizer& optimizer) {
  return std::visit([](const auto& o) -> std::string { return o.name; }, optimizer);
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

}  // namespace riskcurve
