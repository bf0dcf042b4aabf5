#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "input/fields.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// How a table calls the values of a schedule: `step` and `final_step`, or others.
struct StepNames {
  std::string step = "step", final_step = "final_step";
};

/// optimizer.batch as a table like [schedule], whose values are named `value`.
Schedule read_batch(const Fields& optimizer, double horizon);

/// Reads the keys that a struct lists (keys.hpp) from a table.
class ReadKeys {
 public:
  /// horizon: of a schedule among the keys, where it is not in its table.
  explicit ReadKeys(Fields fields, StepNames names = {}, double horizon = kRequired)
      : fields_(std::move(fields)), names_(std::move(names)), horizon_(horizon) {}

  void operator()(const char* key, double& x, const Range& range) const {
    const std::string name = called(key);
    if (!fields_.has(name) && !std::isnan(x)) return;  // keeps its default
    x = range.whole ? fields_.integer(name, range) : fields_.number(name, range);
  }
  void operator()(const char* key, int& x, const Range& range) const {
    // A batch that changes stands in the chain; the optimizer's own is that of step 0.
    if (std::string_view(key) == "batch" && fields_.is_table(key))
      x = static_cast<int>(std::max(1.0, std::round(read_batch(fields_, horizon_)(0))));
    else if (fields_.has(key))
      x = static_cast<int>(fields_.integer(key, range));
  }
  void operator()(const char* key, bool& x) const { x = fields_.boolean_or(key, x); }
  void operator()(const char* key, std::optional<double>& x, const Range& range) const {
    if (fields_.has(key))
      x = range.whole ? fields_.integer(key, range) : fields_.number(key, range);
  }
  void operator()(const char* key, std::vector<double>& x, const Range& range) const {
    const std::string name = called(key);
    if (!fields_.has(name)) return;
    if (std::string_view(key) != "ns_coefficients") {
      x = fields_.numbers(name, range);
      return;
    }
    // A list of numbers, or of triples.
    const Eigen::MatrixXd rows = fields_.matrix(name);
    if (rows.cols() != 1 && rows.cols() != 3) fields_.fail(name, "numbers, or triples of them");
    const auto numbers = rows.reshaped<Eigen::RowMajor>();
    x.assign(numbers.begin(), numbers.end());
  }
  void operator()(const char* key, std::array<double, 2>& x, const Range& range) const {
    if (!fields_.has(key)) return;
    const std::vector<double> numbers = fields_.numbers(key, range);
    if (numbers.size() != 2) fields_.fail(key, "two numbers");
    x = {numbers[0], numbers[1]};
  }
  void operator()(const char* key, File& x) const {
    if (fields_.has(key)) x.path = fields_.path(key);
  }
  void operator()(const char* key, Entries& x) const {
    if (fields_.has(key)) x.matrix = std::make_shared<const Eigen::MatrixXd>(fields_.matrix(key));
  }
  template <class Enum, std::size_t n>
  void operator()(const char* key, Enum& x, const Choice<Enum> (&choices)[n]) const {
    if (!fields_.has(key)) return;
    std::vector<std::string> names;
    for (const auto& choice : choices) names.emplace_back(choice.text);
    const std::string chosen = fields_.one_of(key, names);
    for (const auto& choice : choices)
      if (choice.text == chosen) x = choice.value;
  }
  void operator()(const char* key, Schedule& threshold, const Range& range) const;
  /// A number, where 0 is none, or a table.
  void operator()(const char* key, std::optional<Schedule>& x, const Range& range) const;
  /// A table of its own, of keys or of a kind.
  template <class Table>
  void operator()(const char* key, std::optional<Table>& x) const;
  void operator()(const char* key, std::vector<NoiseComponent>& components) const;

 private:
  std::string called(const char* key) const {
    const std::string name = key;
    return name == "step" ? names_.step : name == "final_step" ? names_.final_step : name;
  }
  Fields fields_;
  StepNames names_;
  double horizon_;
};

/// The alternatives of a variant of such structs by what their kind (or name) is called.
template <class Variant>
std::vector<std::string> kinds_of() {
  return []<class... Of>(std::type_identity<std::variant<Of...>>) {
    const auto text = []<class T>(std::type_identity<T>) -> std::string {
      if constexpr (requires { T::kind; }) {
        return T::kind;
      } else {
        return T::name;
      }
    };
    return std::vector<std::string>{text(std::type_identity<Of>{})...};
  }(std::type_identity<Variant>{});
}

/// A default one of the alternative called `kind`.
template <class Variant, std::size_t i = 0>
Variant alternative(std::size_t index) {
  if constexpr (i + 1 == std::variant_size_v<Variant>) {
    return Variant(std::in_place_index<i>);
  } else {
    return index == i ? Variant(std::in_place_index<i>) : alternative<Variant, i + 1>(index);
  }
}

/// Chooses by the text of `key`, and reads the keys of the chosen struct.
template <class Variant, class Prepare>
Variant read_kind(const Fields& fields, const char* key, const ReadKeys& reader,
                  const Prepare& prepare) {
  const std::vector<std::string> kinds = kinds_of<Variant>();
  const std::string chosen = fields.one_of(key, kinds);
  std::size_t index = 0;
  while (kinds[index] != chosen) ++index;
  Variant result = alternative<Variant>(index);
  std::visit(
      [&](auto& of) {
        prepare(of);
        std::decay_t<decltype(of)>::keys(of, reader);
      },
      result);
  return result;
}
template <class Variant>
Variant read_kind(const Fields& fields, const char* key = "kind") {
  return read_kind<Variant>(fields, key, ReadKeys(fields), [](auto&) {});
}

template <class Table>
void ReadKeys::operator()(const char* key, std::optional<Table>& x) const {
  if (!fields_.has(key)) return;
  const Fields table = fields_.table(key);
  if constexpr (requires { std::variant_size<Table>::value; }) {
    x = read_kind<Table>(table);
  } else {
    Table::keys(x.emplace(), ReadKeys(table));
  }
}

}  // namespace riskcurve
