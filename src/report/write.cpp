#include "riskcurve/report/write.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Record& record);

struct ToJson {
  Json operator()(const Eigen::ArrayXd& x) const {
    return std::vector<double>(x.data(), x.data() + x.size());
  }
  Json operator()(const Eigen::ArrayXXd& x) const {
    Json rows = Json::array();
    for (Eigen::Index i = 0; i < x.rows(); ++i) rows.push_back((*this)(x.row(i).transpose()));
    return rows;
  }
  Json operator()(const Record& record) const { return json_of(record); }
  template <class T>
  Json operator()(const T& plain) const {
    return plain;
  }
};

Json json_of(const Record& record) {
  Json object = Json::object();
  for (const Field& field : record.fields()) object[field.name] = std::visit(ToJson{}, field.value);
  return object;
}

struct Column {
  std::string name;
  std::vector<std::string> cells;
};

std::vector<std::string> cells_of(const Eigen::ArrayXd& values) {
  std::vector<std::string> cells;
  for (const double x : values) cells.push_back(fmt::format("{}", x));
  return cells;
}

void collect_columns(const Record& record, std::vector<Column>& columns) {
  for (const Field& field : record.fields()) {
    if (const auto* inner = std::get_if<Record>(&field.value)) {
      collect_columns(*inner, columns);
    } else if (field.is_column) {
      if (const auto* vector = std::get_if<Eigen::ArrayXd>(&field.value)) {
        columns.push_back({field.name, cells_of(*vector)});
      } else if (const auto* texts = std::get_if<std::vector<std::string>>(&field.value)) {
        columns.push_back({field.name, *texts});
      } else {
        const auto& matrix = std::get<Eigen::ArrayXXd>(field.value);
        for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
          columns.push_back({fmt::format("{}_{}", field.name, j + 1), cells_of(matrix.col(j))});
        }
      }
    }
  }
}

const Field* find_dotted(const Record& record, const std::string& name) {
  if (const Field* field = record.find(name)) return field;
  const auto dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const Field* outer = record.find(name.substr(0, dot));
  const auto* inner = outer ? std::get_if<Record>(&outer->value) : nullptr;
  return inner ? find_dotted(*inner, name.substr(dot + 1)) : nullptr;
}

std::string extension(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

}  // namespace

std::string to_json(const Record& record) {
  return json_of(record).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_csv(const Record& record) {
  std::vector<Column> columns;
  collect_columns(record, columns);
  const auto line = [&](const auto& cell) {
    std::vector<std::string> cells;
    for (const Column& column : columns) cells.push_back(cell(column));
    return csv_line(cells) + '\n';
  };
  std::string text = line([](const Column& column) { return column.name; });
  const std::size_t rows = columns.empty() ? 0 : columns.front().cells.size();
  for (std::size_t i = 0; i < rows; ++i)
    text += line([i](const Column& column) { return column.cells[i]; });
  return text;
}

std::string to_table(const Record& record, const std::vector<Heading>& headings) {
  std::vector<std::vector<std::string>> columns;
  for (const Heading& heading : headings) {
    const Field* field = find_dotted(record, heading.field);
    const auto* values = field ? std::get_if<Eigen::ArrayXd>(&field->value) : nullptr;
    const auto* texts = field ? std::get_if<std::vector<std::string>>(&field->value) : nullptr;
    if (!values && !texts) continue;
    columns.push_back({heading.title});
    if (texts) columns.back().insert(columns.back().end(), texts->begin(), texts->end());
    for (const double x : values ? *values : Eigen::ArrayXd()) {
      columns.back().push_back(std::isnan(x) ? "-" : fmt::format(fmt::runtime(heading.format), x));
    }
  }
  if (columns.empty()) return {};
  std::vector<std::size_t> widths;
  for (const auto& column : columns) {
    widths.push_back(std::max_element(column.begin(), column.end(), [](auto& a, auto& b) {
                       return a.size() < b.size();
                     })->size());
  }
  std::string text;
  for (std::size_t i = 0; i < columns.front().size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      fmt::format_to(std::back_inserter(text), "{}{:>{}}", j ? "  " : "", columns[j][i], widths[j]);
    }
    text += '\n';
  }
  return text;
}

void save(const Record& record, const std::string& path) {
  check_output("--out", path, {".csv", ".json", ".npz"});
  const std::string kind = extension(path);
  write_file(path, kind == ".csv"    ? to_csv(record)
                   : kind == ".json" ? to_json(record) + "\n"
                                     : to_npz(record));
}

void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& extensions) {
  if (std::find(extensions.begin(), extensions.end(), extension(path)) == extensions.end()) {
    throw InputError(option, path,
                     fmt::format("a file name ending in {}", fmt::join(extensions, " or ")));
  }
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw InputError(option, path, "a file in a folder that exists");
  }
  if (std::filesystem::is_directory(path)) throw InputError(option, path, "a file, not a folder");
}

}  // namespace riskcurve
