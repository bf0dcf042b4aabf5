#include "riskcurve/problem/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace riskcurve {

double Muon::map(double g) const {
  for (int i = 0; i < ns_steps; ++i) {
    const auto [a, b, c] = coefficients(i);
    const double square = g * g;
    g *= a + square * (b + square * c);
  }
  return g;
}

double Muon::adjust(double rows, double columns) const {
  switch (adjust_lr_fn) {
    case Adjust::original:
      return std::sqrt(std::max(1.0, rows / columns));
    case Adjust::match_rms_adamw:
      return 0.2 * std::sqrt(std::max(rows, columns));
    default:
      return 1;
  }
}

std::array<double, 3> Muon::coefficients(int i) const {
  const std::size_t first = ns_coefficients.size() == 3 ? 0 : 3 * static_cast<std::size_t>(i);
  return {ns_coefficients[first], ns_coefficients[first + 1], ns_coefficients[first + 2]};
}

void Muon::check() const {
  const std::size_t given = ns_coefficients.size();
  if (given != 3 && given != 3 * static_cast<std::size_t>(ns_steps))
    throw InputError("optimizer.ns_coefficients", fmt::format("{} numbers", given),
                     "three numbers, or three for each of the ns_steps steps");
}

void Kaon::check() const {
  const auto& values = std::get<UniformValues>(spectrum.value());
  check_keys(values, "optimizer.spectrum.");
  if (!(values.from <= values.to))
    throw InputError("optimizer.spectrum.from", values.from,
                     "at most to = " + number_text(values.to));
}

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
  std::visit(
      [](const auto& o) {
        check_keys(o, "optimizer.");
        if constexpr (requires { o.check(); }) o.check();
      },
      optimizer);
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
