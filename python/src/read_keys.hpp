#pragma once
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tables.hpp"

namespace riskcurve::python {

template <class Of>
constexpr const char* kind_of() {
  if constexpr (requires { Of::kind; }) {
    return Of::kind;
  } else {
    return Of::name;
  }
}

/// Reads the keys that a struct lists from a dict, and remembers which.
class ReadKeys {
 public:
  ReadKeys(py::dict table, std::string prefix, Around around)
      : table_(std::move(table)), prefix_(std::move(prefix)), around_(around) {}

  void operator()(const char* key, double& x, const Range& range) {
    const py::object value = find(key);
    if (!value.is_none())
      x = number_from(value, field(key), range);
    else if (std::isnan(x))
      throw InputError(field(key), "(missing)", range.expected());
  }
  void operator()(const char* key, int& x, const Range& range) {
    const py::object value = find(key);
    if (value.is_none()) return;
    if (std::string_view(key) == "batch" && is_schedule(value))  // one that changes: of the chain
      x = static_cast<int>(std::max(1.0, std::round(read_schedule(value, field(key), around_)(0))));
    else
      x = static_cast<int>(number_from(value, field(key), range));
  }
  void operator()(const char* key, bool& x) {
    const py::object value = find(key);
    if (value.is_none()) return;
    if (!py::isinstance<py::bool_>(value))
      throw InputError(field(key), text_of(value), "True or False");
    x = py::cast<bool>(value);
  }
  void operator()(const char* key, std::optional<double>& x, const Range& range) {
    const py::object value = find(key);
    if (!value.is_none()) x = number_from(value, field(key), range);
  }
  void operator()(const char* key, std::vector<double>& x, const Range& range) {
    const py::object value = find(key);
    if (value.is_none()) return;
    // Lists of triples are read row by row.
    const Eigen::MatrixXd numbers = matrix_from(value, field(key));
    const auto flat = numbers.reshaped<Eigen::RowMajor>();
    x.assign(flat.begin(), flat.end());
    for (std::size_t i = 0; i < x.size(); ++i)
      check_range(field(key) + "[" + std::to_string(i) + "]", x[i], range);
  }
  void operator()(const char* key, std::array<double, 2>& x, const Range& range) {
    std::vector<double> numbers;
    (*this)(key, numbers, range);
    if (find(key).is_none()) return;
    if (numbers.size() != 2) throw InputError(field(key), text_of(find(key)), "two numbers");
    x = {numbers[0], numbers[1]};
  }
  void operator()(const char* key, File& x) {
    const py::object value = find(key);
    if (value.is_none()) return;
    try {
      x.path = py::cast<std::string>(py::module_::import("os").attr("fspath")(value));
    } catch (const std::exception&) {
      throw InputError(field(key), text_of(value), "the name of a file");
    }
  }
  void operator()(const char* key, Entries& x) {
    const py::object value = find(key);
    if (!value.is_none())
      x.matrix = std::make_shared<const Eigen::MatrixXd>(matrix_from(value, field(key)));
  }
  template <class Enum, std::size_t n>
  void operator()(const char* key, Enum& x, const Choice<Enum> (&choices)[n]) {
    const py::object value = find(key);
    if (value.is_none()) return;
    std::string known;
    for (const auto& choice : choices) {
      if (py::isinstance<py::str>(value) && py::cast<std::string>(value) == choice.text) {
        x = choice.value;
        return;
      }
      known += (known.empty() ? "one of \"" : "\", \"") + std::string(choice.text);
    }
    throw InputError(field(key), text_of(value), known + "\"");
  }
  void operator()(const char* key, Schedule& x, const Range& range) {
    const py::object value = find(key);
    if (value.is_none()) {
      if (std::isnan(x(0)))
        throw InputError(field(key), "(missing)", range.expected() + ", or a schedule");
      return;
    }
    x = read_schedule(value, field(key), around_);
    check_values(field(key), x, range);
  }
  void operator()(const char* key, std::optional<Schedule>& x, const Range& range) {
    const py::object value = find(key);
    if (value.is_none()) return;
    if (!is_schedule(value)) {
      const double constant = number_from(value, field(key), range);  // 0: none
      x.reset();
      if (constant > 0) x = constant_schedule(constant);
      return;
    }
    x = read_schedule(value, field(key), around_);
    check_values(field(key), *x, range);
  }
  template <class Table>
  void operator()(const char* key, std::optional<Table>& x) {
    const py::object value = find(key);
    if (value.is_none()) return;
    if (!py::isinstance<py::dict>(value)) throw InputError(field(key), text_of(value), "a table");
    if constexpr (requires { std::variant_size<Table>::value; }) {
      x = read_kind<Table>(py::cast<py::dict>(value), field(key) + ".", around_);
    } else {
      ReadKeys within(py::cast<py::dict>(value), field(key) + ".", around_);
      Table::keys(x.emplace(), within);
      within.refuse_others();
    }
  }
  void operator()(const char* key, std::vector<NoiseComponent>& components) {
    const py::object value = find(key);
    if (value.is_none()) return;
    if (!py::isinstance<py::sequence>(value) || py::isinstance<py::str>(value))
      throw InputError(field(key), text_of(value), "a list of laws with their weights");
    for (const py::handle& item : value) {
      const std::string name = field(key) + "[" + std::to_string(components.size()) + "]";
      if (!py::isinstance<py::dict>(item))
        throw InputError(name, text_of(item), "a law with its weight");
      const py::dict copy(py::dict(py::reinterpret_borrow<py::dict>(item)).attr("copy")());
      NoiseComponent component;
      ReadKeys of(copy, name + ".", around_);
      of("weight", component.weight, Range::positive());
      copy.attr("pop")("weight");
      component.law = read_kind<NoiseKind>(copy, name + ".", around_);
      components.push_back(std::move(component));
    }
  }

  /// Throws InputError about the first key that nothing has asked for.
  void refuse_others() const {
    for (const auto& [key, value] : table_) {
      const std::string name = py::cast<std::string>(key);
      if (asked_.count(name) || name == "kind" || name == "name") continue;
      std::string known;
      for (const std::string& other : asked_) known += (known.empty() ? "" : ", ") + other;
      throw InputError(prefix_ + name, text_of(value), "no such key; there are: " + known);
    }
  }

 private:
  static bool is_schedule(const py::object& value) {
    return py::isinstance<py::dict>(value) || PyCallable_Check(value.ptr());
  }
  std::string field(const char* key) const { return prefix_ + key; }
  py::object find(const char* key) {
    asked_.insert(key);
    return table_.contains(key) ? py::object(table_[key]) : py::none();
  }
  py::dict table_;
  std::string prefix_;
  Around around_;
  std::set<std::string> asked_;
};

template <class Variant, std::size_t i = 0, class F>
bool with_kind(const std::string& text, F&& f) {
  if constexpr (i == std::variant_size_v<Variant>) {
    return false;
  } else {
    using Of = std::variant_alternative_t<i, Variant>;
    if (text != kind_of<Of>()) return with_kind<Variant, i + 1>(text, f);
    f(Of{});
    return true;
  }
}

template <class Variant>
std::string kinds_text() {
  return []<class... Of>(std::type_identity<std::variant<Of...>>) {
    std::string text;
    ((text += (text.empty() ? "one of \"" : "\", \"") + std::string(kind_of<Of>())), ...);
    return text + "\"";
  }(std::type_identity<Variant>{});
}

template <class Variant>
Variant read_kind(const py::dict& table, const std::string& prefix, const Around& around) {
  const char* const which = table.contains("kind") ? "kind" : "name";
  const std::string text = table.contains(which) ? py::cast<std::string>(table[which]) : "";
  Variant result;
  const bool found = with_kind<Variant>(text, [&](auto of) {
    ReadKeys reader(table, prefix, around);
    decltype(of)::keys(of, reader);
    reader.refuse_others();
    result = std::move(of);
  });
  if (!found) throw InputError(prefix + which, "\"" + text + "\"", kinds_text<Variant>());
  return result;
}

}  // namespace riskcurve::python
