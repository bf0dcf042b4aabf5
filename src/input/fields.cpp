#include "input/fields.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

/// `table` points into the document, whose nodes stay where they are as long as `root` lives.
struct Fields::Node {
  std::shared_ptr<toml::table> root;
  toml::table* table = nullptr;
  std::string prefix;            // dotted name of this table; empty at the top
  std::filesystem::path folder;  // of the problem file
  std::set<std::string> asked;
  std::map<std::string, std::shared_ptr<Node>> children;
  std::map<std::string, std::vector<std::shared_ptr<Node>>> arrays;

  const toml::node* find(const std::string& key) {
    asked.insert(key);
    return table->get(key);
  }
  std::shared_ptr<Node> child(toml::table* of, const std::string& name) const {
    auto node = std::make_shared<Node>();
    node->root = root;
    node->table = of;
    node->prefix = name;
    node->folder = folder;
    return node;
  }
};

namespace {

/// A TOML value as it would be written, in one line and not too long.
std::string written(const toml::node* node) {
  if (!node) return "(missing)";
  std::ostringstream out;
  node->visit([&](const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (toml::is_table<Value>) {
      out << toml::toml_formatter{value, toml::format_flags::none};
    } else if constexpr (toml::is_floating_point<Value>) {
      out << number_text(value.get());
    } else {
      out << value;
    }
  });
  std::string text = out.str();
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return node->is_table() ? "{ " + text + " }" : text;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({swap, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The candidate nearest to `key`, if it is plausibly a misspelling.
template <class Keys>
std::string nearest(const std::string& key, const Keys& candidates) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t d = edit_distance(key, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string joined(const std::string& prefix, const std::string& key) {
  return prefix.empty() ? key : prefix + "." + key;
}

/// " > 0 and <= 1"; empty where there are none.
std::string bounds(Range range) {
  range.whole = false;
  return range.expected().substr(std::string("a number").size());
}

double to_number(const toml::node& node, const std::string& name, const Range& range) {
  if (!node.is_number()) throw InputError(name, written(&node), range.expected());
  const double x =
      node.is_integer() ? static_cast<double>(node.as_integer()->get()) : node.value_or(0.0);
  if (!range.contains(x))
    throw InputError(name, written(&node),
                     range.whole ? range.expected() : "a finite number" + bounds(range));
  return x;
}

}  // namespace

Fields::Fields() : node_(std::make_shared<Node>()) {
  node_->root = std::make_shared<toml::table>();
  node_->table = node_->root.get();
}

Fields Fields::copy() const {
  Fields fields;
  *fields.node_->root = *node_->table;
  fields.node_->prefix = node_->prefix;
  fields.node_->folder = node_->folder;
  return fields;
}

Fields Fields::from_text(const std::string& text, const std::string& name) {
  Fields fields;
  try {
    *fields.node_->root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    std::string description(error.description());
    std::replace(description.begin(), description.end(), '\n', ' ');
    throw InputError(fmt::format("{}:{}:{}: {}", name, error.source().begin.line,
                                 error.source().begin.column, description));
  }
  return fields;
}

Fields Fields::from_file(const std::string& path) {
  std::error_code ignored;
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path, ignored))
    throw InputError("file", path, "a file that can be read");
  std::ostringstream text;
  text << in.rdbuf();
  Fields fields = from_text(text.str(), path);
  fields.node_->folder = std::filesystem::path(path).parent_path();
  return fields;
}

bool Fields::has(const std::string& key) const {
  return node_->find(key) != nullptr;
}

bool Fields::is_table(const std::string& key) const {
  const toml::node* found = node_->find(key);
  return found && found->is_table();
}

bool Fields::is_array(const std::string& key) const {
  const toml::node* found = node_->find(key);
  return found && found->is_array();
}

bool Fields::is_string(const std::string& key) const {
  const toml::node* found = node_->find(key);
  return found && found->is_string();
}

std::string Fields::name(const std::string& key) const {
  return joined(node_->prefix, key);
}

void Fields::fail(const std::string& key, const std::string& expected) const {
  const toml::node* found = node_->find(key);
  std::string value = written(found);
  if (!found) {
    std::vector<std::string> strangers;
    for (const auto& entry : *node_->table) {
      std::string other(entry.first.str());
      if (!node_->asked.count(other)) strangers.push_back(std::move(other));
    }
    const std::string meant = nearest(key, strangers);
    if (!meant.empty()) value = fmt::format("(missing; was \"{}\" meant?)", meant);
  }
  throw InputError(name(key), value, expected);
}

double Fields::number(const std::string& key, const Range& range) const {
  const toml::node* found = node_->find(key);
  if (!found) fail(key, range.expected());
  return to_number(*found, name(key), range);
}

double Fields::integer(const std::string& key, const Range& range) const {
  const toml::node* found = node_->find(key);
  Range whole = range;
  whole.whole = true;
  const std::string expected = whole.expected();
  if (!found || !found->is_number()) fail(key, expected);
  const double x = to_number(*found, name(key), Range::any());
  if (!whole.contains(x)) fail(key, expected);
  return x;
}

bool Fields::boolean(const std::string& key) const {
  const toml::node* found = node_->find(key);
  if (!found || !found->is_boolean()) fail(key, "true or false");
  return found->as_boolean()->get();
}

std::string Fields::text(const std::string& key) const {
  const toml::node* found = node_->find(key);
  if (!found || !found->is_string()) fail(key, "a string");
  return found->as_string()->get();
}

std::string Fields::one_of(const std::string& key, const std::vector<std::string>& choices) const {
  const std::string expected = fmt::format("one of \"{}\"", fmt::join(choices, "\", \""));
  const toml::node* found = node_->find(key);
  if (!found || !found->is_string()) fail(key, expected);
  const std::string value = found->as_string()->get();
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    const std::string meant = nearest(value, choices);
    fail(key, meant.empty() ? expected : fmt::format("{} (\"{}\"?)", expected, meant));
  }
  return value;
}

std::vector<double> Fields::numbers(const std::string& key, const Range& range) const {
  const toml::node* found = node_->find(key);
  if (!found || !found->is_array()) fail(key, "an array of numbers" + bounds(range));
  std::vector<double> result;
  for (const toml::node& element : *found->as_array())
    result.push_back(to_number(element, fmt::format("{}[{}]", name(key), result.size()), range));
  return result;
}

std::vector<Cell> Fields::cells(const std::string& key) const {
  const toml::node* found = node_->find(key);
  const toml::array* array = found ? found->as_array() : nullptr;
  if (array && !array->empty() && array->is_homogeneous<std::string>()) {
    std::vector<Cell> result;
    for (const toml::node& element : *array) result.emplace_back(element.as_string()->get());
    return result;
  }
  const bool text = array && std::any_of(array->begin(), array->end(),
                                         [](const auto& e) { return e.is_string(); });
  if (!array || text) fail(key, "an array of numbers, or of strings");
  const std::vector<double> values = numbers(key);
  return {values.begin(), values.end()};
}

Eigen::MatrixXd Fields::matrix(const std::string& key) const {
  const toml::node* found = node_->find(key);
  const toml::array* rows = found ? found->as_array() : nullptr;
  if (!rows || rows->empty()) fail(key, "an array of rows of numbers");
  const auto width = [](const toml::node& row) {
    return row.is_array() ? row.as_array()->size() : std::size_t{1};
  };
  const auto columns = static_cast<Eigen::Index>(width((*rows)[0]));
  Eigen::MatrixXd result(static_cast<Eigen::Index>(rows->size()), columns);
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    const toml::node& row = (*rows)[static_cast<std::size_t>(i)];
    const std::string row_name = fmt::format("{}[{}]", name(key), i);
    if (static_cast<Eigen::Index>(width(row)) != columns)
      throw InputError(row_name, written(&row), fmt::format("{} numbers, as the first", columns));
    for (Eigen::Index j = 0; j < columns; ++j)
      result(i, j) = row.is_array() ? to_number((*row.as_array())[static_cast<std::size_t>(j)],
                                                fmt::format("{}[{}]", row_name, j), Range::any())
                                    : to_number(row, row_name, Range::any());
  }
  return result;
}

Fields Fields::table(const std::string& key) const {
  const toml::node* found = node_->find(key);
  if (!found || !found->is_table()) fail(key, "a table");
  std::shared_ptr<Node>& child = node_->children[key];
  if (!child) child = node_->child(node_->table->get_as<toml::table>(key), name(key));
  Fields fields;
  fields.node_ = child;
  return fields;
}

std::vector<Fields> Fields::tables(const std::string& key) const {
  const toml::node* found = node_->find(key);
  if (!found || !found->is_array()) fail(key, "an array of tables");
  std::vector<std::shared_ptr<Node>>& children = node_->arrays[key];
  toml::array& array = *node_->table->get_as<toml::array>(key);
  for (std::size_t i = children.size(); i < array.size(); ++i) {
    const std::string element = fmt::format("{}[{}]", name(key), i);
    if (!array[i].is_table()) throw InputError(element, written(&array[i]), "a table");
    children.push_back(node_->child(array[i].as_table(), element));
  }
  std::vector<Fields> result(children.size());
  for (std::size_t i = 0; i < children.size(); ++i) result[i].node_ = children[i];
  return result;
}

double Fields::number_or(const std::string& key, double otherwise, const Range& range) const {
  return has(key) ? number(key, range) : otherwise;
}

double Fields::integer_or(const std::string& key, double otherwise, const Range& range) const {
  return has(key) ? integer(key, range) : otherwise;
}

bool Fields::boolean_or(const std::string& key, bool otherwise) const {
  return has(key) ? boolean(key) : otherwise;
}

std::string Fields::text_or(const std::string& key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}

std::string Fields::path(const std::string& key) const {
  const std::filesystem::path value = text(key);
  if (value.empty()) fail(key, "the name of a file");
  return (node_->folder / value).string();
}

void Fields::reject_unknown(const std::vector<std::string>& leave) const {
  for (const auto& entry : *node_->table) {
    const std::string key(entry.first.str());
    if (!node_->asked.count(key)) {
      std::string line = name(key) + ": unknown key";
      const std::string meant = nearest(key, node_->asked);
      if (!meant.empty()) line += fmt::format(", did you mean \"{}\"?", meant);
      if (!node_->asked.empty())
        line += fmt::format(" (known here: {})", fmt::join(node_->asked, ", "));
      throw InputError(line);
    }
    if (std::find(leave.begin(), leave.end(), key) != leave.end()) continue;
    if (entry.second.is_table()) table(key).reject_unknown();
    if (node_->arrays.count(key))
      for (const Fields& element : tables(key)) element.reject_unknown();
  }
}

namespace {

/// The table that holds the last part of a dotted key, made where it is missing.
std::pair<toml::table*, std::string> place(toml::table* table, const std::string& prefix,
                                           const std::string& dotted) {
  std::string rest = dotted, done = prefix;
  for (std::size_t dot; (dot = rest.find('.')) != std::string::npos; rest = rest.substr(dot + 1)) {
    const std::string part = rest.substr(0, dot);
    done = joined(done, part);
    if (part.empty()) throw InputError("key", dotted, "names separated by single dots");
    if (!table->contains(part)) table->insert(part, toml::table{});
    if (!table->get(part)->is_table()) throw InputError(done, written(table->get(part)), "a table");
    table = table->get(part)->as_table();
  }
  if (rest.empty()) throw InputError("key", dotted, "names separated by single dots");
  const toml::node* old = table->get(rest);
  if (old && (old->is_table() || old->is_array_of_tables()))
    throw InputError(joined(done, rest), written(old), "a single value, to be set");
  return {table, rest};
}

}  // namespace

void Fields::set(const std::string& dotted, double value) {
  const auto [table, key] = place(node_->table, node_->prefix, dotted);
  table->insert_or_assign(key, value);
}

void Fields::set(const std::string& dotted, const std::string& value) {
  const auto [table, key] = place(node_->table, node_->prefix, dotted);
  table->insert_or_assign(key, value);
}

void Fields::erase(const std::string& key) {
  node_->table->erase(key);
  node_->children.erase(key);
  node_->arrays.erase(key);
}

void Fields::lay_over(const Fields& other) {
  for (const auto& [key, table] : *other.node_->table) {
    const std::string name(key.str());
    if (!table.is_table()) other.fail(name, "a table");
    if (!node_->table->contains(name)) node_->table->insert(name, toml::table{});
    toml::node* here = node_->table->get(name);
    if (!here->is_table()) fail(name, "a table");
    for (const auto& [field, value] : *table.as_table())
      here->as_table()->insert_or_assign(field.str(), value);
  }
}

std::string Fields::to_toml() const {
  std::ostringstream out;
  out << *node_->table;
  return out.str();
}

}  // namespace riskcurve
