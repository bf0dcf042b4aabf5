#include <pybind11/stl.h>

#include <cmath>

#include "read_keys.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve::python {
namespace {

template <class Table>
py::dict keys_to_dict(const Table& table);

py::object schedule_value(const Schedule& schedule) {
  const bool plain = schedule.kind == ConstantSchedule::kind && schedule.warmup == 0;
  if (plain) return std::isnan(schedule(0)) ? py::object(py::none()) : py::float_(schedule(0));
  return to_dict(schedule, kRequired);
}

/// The keys that a struct lists, into a dict; None where there is nothing.
struct WriteKeys {
  py::dict table;

  void put(const char* key, const py::object& value) { table[key] = value; }
  void operator()(const char* key, double x, const Range& range) {
    if (std::isnan(x))
      put(key, py::none());
    else if (range.whole && std::abs(x) < 9e15)
      put(key, py::int_(static_cast<long long>(x)));
    else
      put(key, py::float_(x));
  }
  void operator()(const char* key, int x, const Range&) { put(key, py::int_(x)); }
  void operator()(const char* key, bool x) { put(key, py::bool_(x)); }
  void operator()(const char* key, const std::optional<double>& x, const Range&) {
    put(key, x ? py::object(py::float_(*x)) : py::none());
  }
  void operator()(const char* key, const std::vector<double>& x, const Range&) {
    put(key, x.empty() ? py::object(py::none()) : py::object(py::cast(x)));
  }
  void operator()(const char* key, const std::array<double, 2>& x, const Range&) {
    put(key, py::make_tuple(x[0], x[1]));
  }
  void operator()(const char* key, const File& x) {
    put(key, x.path.empty() ? py::object(py::none()) : py::object(py::str(x.path)));
  }
  void operator()(const char* key, const Entries& x) {
    if (!x)
      put(key, py::none());
    else if ((*x).cols() == 1)
      put(key, numpy(Eigen::ArrayXd((*x).col(0))));
    else
      put(key, numpy(Eigen::MatrixXd(*x)));
  }
  template <class Enum, std::size_t n>
  void operator()(const char* key, Enum x, const Choice<Enum> (&choices)[n]) {
    for (const auto& choice : choices)
      if (choice.value == x) put(key, py::str(choice.text));
  }
  void operator()(const char* key, const Schedule& x, const Range&) { put(key, schedule_value(x)); }
  void operator()(const char* key, const std::optional<Schedule>& x, const Range&) {
    put(key, x ? schedule_value(*x) : py::none());
  }
  template <class Table>
  void operator()(const char* key, const std::optional<Table>& x) {
    if (!x)
      put(key, py::none());
    else if constexpr (requires { std::variant_size<Table>::value; })
      put(key, to_dict(*x));
    else
      put(key, keys_to_dict(*x));
  }
  void operator()(const char* key, const std::vector<NoiseComponent>& components) {
    py::list laws;
    for (const NoiseComponent& component : components) {
      py::dict law = to_dict(component.law);
      law["weight"] = component.weight;
      laws.append(law);
    }
    put(key, laws.empty() ? py::object(py::none()) : py::object(laws));
  }
};

template <class Table>
py::dict all_keys(const Table& table) {
  WriteKeys write;
  Table::keys(table, write);
  return write.table;
}

/// Those that are not at their defaults.
template <class Table>
py::dict keys_to_dict(const Table& table) {
  const py::dict written = all_keys(table), defaults = all_keys(Table{});
  py::dict result;
  for (const auto& [key, value] : written) {
    if (value.is_none()) continue;
    const py::object usual = defaults[key];
    if (py::isinstance<py::array>(value) || usual.is_none() || !value.equal(usual))
      result[key] = value;
  }
  return result;
}

}  // namespace

template <class Variant>
py::dict to_dict(const Variant& kind) {
  return std::visit(
      [](const auto& of) {
        using Of = std::decay_t<decltype(of)>;
        py::dict result;
        result["kind"] = kind_of<Of>();
        for (const auto& [key, value] : keys_to_dict(of)) result[key] = value;
        return result;
      },
      kind);
}

py::dict to_dict(const Schedule& schedule, double dimension) {
  py::dict result = to_dict(schedule.shape);
  const bool scaled = schedule.unit != 1 && schedule.unit == 1 / dimension;
  for (const char* key : {"step", "final_step"}) {
    if (!result.contains(key)) continue;
    const py::object value = result.attr("pop")(key);
    if (scaled) {
      result[(key == std::string("step") ? "scaled_step" : "final_scaled_step")] = value;
    } else if (schedule.unit == 1) {
      result[key] = value;
    } else if (py::isinstance<py::list>(value)) {
      py::list values;
      for (const py::handle& x : value) values.append(py::cast<double>(x) * schedule.unit);
      result[key] = values;
    } else {
      result[key] = py::cast<double>(value) * schedule.unit;
    }
  }
  if (schedule.warmup > 0) result["warmup"] = schedule.warmup;
  if (const auto* custom = std::get_if<CustomSchedule>(&schedule.shape)) {
    const auto at = custom->at;
    result["at"] = py::cpp_function([at](double k) { return (*at)(k); });
    result["breaks"] = custom->breaks;
  }
  return result;
}

py::dict to_dict(const Optimizer& optimizer, const Chain& chain) {
  py::dict result = to_dict(optimizer);
  result["name"] = result.attr("pop")("kind");
  for (const auto& [key, value] : keys_to_dict(chain)) result[key] = value;
  if (chain.batch) result["batch"] = to_dict(*chain.batch, kRequired);
  std::visit(
      [&](const auto& of) {
        if constexpr (requires { of.weight_decay; }) {
          if (!chain.weight_decay) result["weight_decay"] = 0.0;
          if (chain.weight_decay == constant_schedule(of.weight_decay))
            result.attr("pop")("weight_decay");
        }
      },
      optimizer);
  return result;
}

namespace {

py::list kinds(const auto& describe_one, auto variant) {
  py::list result;
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (result.append(describe_one(Of{})), ...);
  }(variant);
  return result;
}

/// What each key takes: a line in words, and a type.
struct DescribeKeys {
  py::list keys;
  py::dict defaults;

  py::dict put(const char* key, const char* type, const std::string& expected) {
    py::dict line;
    line["key"] = key;
    line["type"] = type;
    line["expected"] = expected;
    line["default"] = defaults[key];
    line["required"] = false;
    keys.append(line);
    return line;
  }
  void operator()(const char* key, double x, const Range& range) {
    put(key, range.whole ? "int" : "float", range.expected())["required"] = std::isnan(x);
  }
  void operator()(const char* key, int, const Range& range) { put(key, "int", range.expected()); }
  void operator()(const char* key, bool) { put(key, "bool", "True or False"); }
  void operator()(const char* key, const std::optional<double>&, const Range& range) {
    put(key, "float", range.expected());
  }
  void operator()(const char* key, const std::vector<double>&, const Range& range) {
    put(key, "array",
        "numbers" + range.expected().substr(
                        range.expected().find(' ') == 1 ? std::string("a number").size() : 0));
  }
  void operator()(const char* key, const std::array<double, 2>&, const Range& range) {
    put(key, "pair", "two numbers, each " + range.text());
  }
  void operator()(const char* key, const File&) { put(key, "path", "the name of a file"); }
  void operator()(const char* key, const Entries&) { put(key, "array", "an array of numbers"); }
  template <class Enum, std::size_t n>
  void operator()(const char* key, Enum, const Choice<Enum> (&choices)[n]) {
    std::string known;
    py::list texts;
    for (const auto& choice : choices) {
      known += (known.empty() ? "\"" : " or \"") + std::string(choice.text) + "\"";
      texts.append(choice.text);
    }
    put(key, "choice", known)["choices"] = texts;
  }
  void operator()(const char* key, const Schedule& x, const Range& range) {
    put(key, "schedule", range.expected() + ", or a schedule")["required"] = std::isnan(x(0));
  }
  void operator()(const char* key, const std::optional<Schedule>&, const Range& range) {
    put(key, "schedule", range.expected() + ", or a schedule");
  }
  template <class Table>
  void operator()(const char* key, const std::optional<Table>&) {
    py::dict line = put(key, "table", "a table");
    if constexpr (requires { std::variant_size<Table>::value; })
      line["kinds"] = kinds(describe, std::type_identity<Table>{});
    else
      line["kinds"] = py::make_tuple(describe(Table{}));
  }
  void operator()(const char* key, const std::vector<NoiseComponent>&) {
    put(key, "laws", "pairs (weight, law)")["required"] = true;
  }

  static constexpr auto describe = [](auto of) {
    using Of = decltype(of);
    DescribeKeys lines;
    lines.defaults = all_keys(of);
    Of::keys(of, lines);
    py::dict result;
    if constexpr (
        requires { Of::kind; } || requires { Of::name; })
      result["kind"] = kind_of<Of>();
    if constexpr (requires { Of::title; }) result["title"] = Of::title;
    if constexpr (requires { of.weight_decay; }) result["weight_decay"] = of.weight_decay;
    result["keys"] = lines.keys;
    return result;
  };
};

}  // namespace

py::dict catalogue() {
  const auto all = [](auto variant) { return kinds(DescribeKeys::describe, variant); };
  py::dict result;
  result["optimizer"] = all(std::type_identity<Optimizer>{});
  result["covariance"] = all(std::type_identity<CovarianceKind>{});
  result["noise"] = all(std::type_identity<NoiseKind>{});
  result["target"] = all(std::type_identity<VectorTarget>{});
  result["matrix_target"] = all(std::type_identity<MatrixTarget>{});
  result["schedule"] = all(std::type_identity<ScheduleShape>{});
  result["chain"] = DescribeKeys::describe(Chain{});
  for (const bool matrix : {false, true})
    result[matrix ? "of_a_matrix" : "of_a_vector"] = texts(optimizer_names(matrix));
  return result;
}

template py::dict to_dict(const CovarianceKind&);
template py::dict to_dict(const NoiseKind&);
template py::dict to_dict(const VectorTarget&);
template py::dict to_dict(const MatrixTarget&);

}  // namespace riskcurve::python
