// The forms of the page: every optimizer, covariance, noise law, target and schedule with its keys,
// their defaults and ranges, from the lists that problem files are read by (keys.hpp).
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

using Json = nlohmann::ordered_json;

Json finite_or_null(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

template <class Table>
Json table_of_keys(const Table& table);
template <class Variant>
Json kinds_of_registry(std::type_identity<Variant>);

struct ListKeys {
  Json keys = Json::array();

  Json& put(const char* key, const char* type) {
    keys.push_back({{"key", key}, {"type", type}});
    return keys.back();
  }
  void put(const char* key, const char* type, const Range& range, const Json& value) {
    Json& line = put(key, type);
    line["expected"] = range.expected();
    line["low"] = finite_or_null(range.low);
    line["high"] = finite_or_null(range.high);
    line["default"] = value;
  }
  void operator()(const char* key, double x, const Range& range) {
    put(key, range.whole ? "int" : "float", range, finite_or_null(x));
    keys.back()["required"] = std::isnan(x);
  }
  void operator()(const char* key, int x, const Range& range) { put(key, "int", range, x); }
  void operator()(const char* key, bool x) { put(key, "bool")["default"] = x; }
  void operator()(const char* key, const std::optional<double>&, const Range& range) {
    put(key, range.whole ? "int" : "float", range, nullptr);
  }
  void operator()(const char* key, const std::vector<double>& x, const Range& range) {
    put(key, "list", range, x);
  }
  void operator()(const char* key, const std::array<double, 2>& x, const Range& range) {
    put(key, "pair", range, x);
  }
  void operator()(const char* key, const File&) { put(key, "path"); }
  void operator()(const char* key, const Entries&) { put(key, "entries"); }
  template <class Enum, std::size_t n>
  void operator()(const char* key, Enum x, const Choice<Enum> (&choices)[n]) {
    Json& line = put(key, "choice");
    for (const auto& choice : choices) {
      line["choices"].push_back(choice.text);
      if (choice.value == x) line["default"] = choice.text;
    }
  }
  void operator()(const char* key, const Schedule& x, const Range& range) {
    put(key, "schedule", range, finite_or_null(x(0)));
    keys.back()["required"] = std::isnan(x(0));
  }
  void operator()(const char* key, const std::optional<Schedule>&, const Range& range) {
    put(key, "schedule", range, nullptr);
  }
  template <class Table>
  void operator()(const char* key, const std::optional<Table>& x) {
    Json& line = put(key, "table");
    line["given"] = x.has_value();
    if constexpr (requires { std::variant_size<Table>::value; })
      line["kinds"] = kinds_of_registry(std::type_identity<Table>{});
    else
      line["kinds"] = Json::array({table_of_keys(Table{})});
  }
  void operator()(const char* key, const std::vector<NoiseComponent>&) { put(key, "laws"); }
};

template <class Table>
Json table_of_keys(const Table& table) {
  Json result;
  if constexpr (requires { Table::kind; }) result["kind"] = Table::kind;
  if constexpr (requires { Table::title; }) {
    result["kind"] = Table::name;
    result["title"] = Table::title;
  }
  if constexpr (requires { table.weight_decay + 1.0; }) result["weight_decay"] = table.weight_decay;
  ListKeys list;
  Table::keys(table, list);
  result["keys"] = list.keys;
  return result;
}

template <class Variant>
Json kinds_of_registry(std::type_identity<Variant>) {
  Json list = Json::array();
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (list.push_back(table_of_keys(Of{})), ...);
  }(std::type_identity<Variant>{});
  return list;
}

}  // namespace

std::vector<Optimizer> map_optimizers() {
  const std::vector<std::string> known = optimizer_names(true);
  std::vector<Optimizer> found = default_optimizers();
  std::erase_if(found, [&](const Optimizer& optimizer) {
    return std::find(known.begin(), known.end(), name_of(optimizer)) == known.end();
  });
  return found;
}

std::string catalogue() {
  Json result;
  result["optimizer"] = kinds_of_registry(std::type_identity<Optimizer>{});
  result["covariance"] = kinds_of_registry(std::type_identity<CovarianceKind>{});
  result["noise"] = kinds_of_registry(std::type_identity<NoiseKind>{});
  result["vector_target"] = kinds_of_registry(std::type_identity<VectorTarget>{});
  result["matrix_target"] = kinds_of_registry(std::type_identity<MatrixTarget>{});
  result["schedule"] = kinds_of_registry(std::type_identity<StatedShape>{});
  result["chain"] = table_of_keys(Chain{});
  for (const auto& choice : kSignals) result["signal"].push_back(choice.text);
  result["of_a_vector"] = optimizer_names(false);
  result["of_a_matrix"] = optimizer_names(true);
  for (const Optimizer& optimizer : map_optimizers())
    result["of_a_map"].push_back(name_of(optimizer));
  return result.dump();
}

}  // namespace riskcurve
