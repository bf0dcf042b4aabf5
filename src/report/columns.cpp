#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/ticker.hpp"
#include "riskcurve/report/write.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {
namespace {

/// A column of numbers, or of texts.
struct Column {
  std::string name;
  Eigen::Map<const Eigen::ArrayXd> numbers{nullptr, 0};
  const std::vector<std::string>* texts = nullptr;

  Eigen::Index rows() const { return texts ? std::ssize(*texts) : numbers.size(); }
};

void collect_columns(const Record& record, std::vector<Column>& columns) {
  for (const Field& field : record.fields()) {
    if (const auto* inner = std::get_if<Record>(&field.value)) {
      collect_columns(*inner, columns);
    } else if (field.is_column) {
      if (const auto* vector = std::get_if<Eigen::ArrayXd>(&field.value)) {
        columns.push_back({field.name, {vector->data(), vector->size()}, nullptr});
      } else if (const auto* texts = std::get_if<std::vector<std::string>>(&field.value)) {
        columns.push_back({field.name, {nullptr, 0}, texts});
      } else {
        const auto& matrix = std::get<Eigen::ArrayXXd>(field.value);
        for (Eigen::Index j = 0; j < matrix.cols(); ++j)
          columns.push_back({fmt::format("{}_{}", field.name, j + 1),
                             {matrix.data() + j * matrix.rows(), matrix.rows()},
                             nullptr});
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

/// The cells of a column under its heading, end to end.
struct Cells {
  std::string text;
  std::vector<std::size_t> ends;
  std::size_t width = 0;

  void end_cell() {
    width = std::max(width, text.size() - (ends.empty() ? 0 : ends.back()));
    ends.push_back(text.size());
  }
  std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};

}  // namespace

std::string to_csv(const Record& record, const std::function<bool(double fraction)>& progress) {
  std::vector<Column> columns;
  collect_columns(record, columns);
  std::string text;
  for (const Column& column : columns) {
    if (&column != columns.data()) text += ',';
    text += csv_line({column.name});
  }
  text += '\n';
  const Eigen::Index rows = columns.empty() ? 0 : columns.front().rows();
  Ticker ticker(progress, static_cast<double>(rows) * static_cast<double>(columns.size()));
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (const Column& column : columns) {
      if (&column != columns.data()) text += ',';
      if (column.texts)
        text += csv_line({(*column.texts)[static_cast<std::size_t>(i)]});
      else
        fmt::format_to(std::back_inserter(text), "{}", column.numbers[i]);
      ticker.tick();
    }
    text += '\n';
  }
  return text;
}

std::string to_table(const Record& record, const std::vector<Heading>& headings) {
  std::vector<Cells> columns;
  for (const Heading& heading : headings) {
    const Field* field = find_dotted(record, heading.field);
    const auto* values = field ? std::get_if<Eigen::ArrayXd>(&field->value) : nullptr;
    const auto* texts = field ? std::get_if<std::vector<std::string>>(&field->value) : nullptr;
    if (!values && !texts) continue;
    Cells& cells = columns.emplace_back();
    cells.text = heading.title;
    cells.end_cell();
    for (std::size_t i = 0; texts && i < texts->size(); ++i) {
      cells.text += (*texts)[i];
      cells.end_cell();
    }
    for (Eigen::Index i = 0; values && i < values->size(); ++i) {
      if (std::isnan((*values)[i]))
        cells.text += '-';
      else
        fmt::format_to(std::back_inserter(cells.text), fmt::runtime(heading.format), (*values)[i]);
      cells.end_cell();
    }
  }
  std::string text;
  for (std::size_t i = 0; !columns.empty() && i < columns.front().ends.size(); ++i) {
    for (const Cells& column : columns) {
      if (&column != columns.data()) text += "  ";
      // Padded as fmt pads, by characters.
      fmt::format_to(std::back_inserter(text), "{:>{}}", column[i], column.width);
    }
    text += '\n';
  }
  return text;
}

}  // namespace riskcurve
