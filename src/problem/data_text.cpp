#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "problem/data_file.hpp"
#include "problem/data_lines.hpp"
#include "problem/number.hpp"

namespace riskcurve {
namespace {

/// The start of a cell, never a part of a UTF-8 character.
std::string_view shortened(std::string_view cell) {
  std::size_t size = std::min<std::size_t>(cell.size(), 40);
  while (size < cell.size() && size > 36 && (cell[size] & 0xc0) == 0x80) --size;
  return cell.substr(0, size);
}

/// The lines of numbers so far.
class Rows {
 public:
  explicit Rows(const DataFile& file) : file_(file) {}

  /// Takes a first line none of whose cells is like a number.
  bool take_header(const Cells& cells, std::size_t line);
  void add(const Cells& cells, std::size_t line);
  Eigen::MatrixXd matrix() const;

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& what,
                         const std::string& expected) const {
    file_.fail(fmt::format("line {}{}", line, what), expected);
  }
  void set_columns(const Cells& cells);
  void check_columns(const Cells& cells, std::size_t line) const;
  double number(const Cells& cells, std::size_t j, std::size_t line);

  const DataFile& file_;
  std::vector<double> values_;
  std::size_t columns_ = 0;
  bool ends_in_mark_ = false;           ///< every line, after its last number
  std::size_t names_ = 0, header_ = 0;  ///< how many names the header has, and its line
  bool unnamed_first_ = false, quoted_names_ = false;  ///< of the header
  std::size_t point_ = 0, comma_ = 0;  ///< first lines with a decimal point, with a decimal comma
};

bool Rows::take_header(const Cells& cells, std::size_t line) {
  double x = 0;
  if (std::any_of(cells.text.begin(), cells.text.end(), [&](std::string_view cell) {
        return parse_number(cell, x) || resembles_number(cell);
      }))
    return false;
  header_ = line;
  names_ = cells.text.size() - cells.ends_in_mark;
  unnamed_first_ = names_ > 1 && cells.text[0].empty() && !cells.text[1].empty();
  quoted_names_ = cells.quoted == cells.text.size();
  return true;
}

void Rows::set_columns(const Cells& cells) {
  columns_ = cells.text.size();
  // Under a name, what follows the last mark is a cell that is empty.
  ends_in_mark_ = cells.ends_in_mark && names_ != columns_;
  columns_ -= ends_in_mark_;
  if (unnamed_first_ || (quoted_names_ && names_ + 1 == columns_))
    fail(header_, ": no name above the first column",
         "data without row numbers (pandas: index=False, R: row.names=FALSE)");
}

void Rows::check_columns(const Cells& cells, std::size_t line) const {
  const std::size_t count = cells.text.size() - (cells.ends_in_mark && ends_in_mark_);
  if (count == columns_ && cells.ends_in_mark == ends_in_mark_) return;
  if (count == columns_ && ends_in_mark_)
    fail(line, ", no separator at its end", "one, as on the lines above");
  if (count == columns_ + 1 && cells.ends_in_mark)
    fail(line, fmt::format(", \"{}\" at its end", cells.mark), "none, as on the lines above");
  if (count != columns_)
    fail(line, fmt::format(", {} numbers", count),
         fmt::format("{} numbers, as on the lines above", columns_));
}

double Rows::number(const Cells& cells, std::size_t j, std::size_t line) {
  const std::string_view cell = cells.text[j];
  const auto refuse = [&](const std::string& expected) {
    fail(line, fmt::format(", column {}: \"{}\"", j + 1, shortened(cell)), expected);
  };
  double x = 0;
  const bool plain = parse_number(cell, x);
  const bool may_be_comma = cells.mark == ';' || (cells.mark == ' ' && cells.text.size() > 1);
  if (!plain && !(may_be_comma && parse_decimal_comma(cell, x)))
    refuse(cell.find(',') == cell.npos
               ? "a number"
               : "a number; decimal commas are read between semicolons or blanks, thousands never");
  if (!std::isfinite(x)) refuse("a finite number");
  if (!plain && comma_ == 0) comma_ = line;
  if (plain && point_ == 0 && cell.find('.') != cell.npos) point_ = line;
  if (point_ > 0 && comma_ > 0)
    refuse(fmt::format("the decimal mark of line {}", std::min(point_, comma_)));
  return x;
}

void Rows::add(const Cells& cells, std::size_t line) {
  if (columns_ == 0) set_columns(cells);
  check_columns(cells, line);
  if (cells.mark == ';' && columns_ == 1 && cells.text[0].find(',') != std::string_view::npos)
    fail(line, fmt::format(", \"{};\"", shortened(cells.text[0])),
         "either a decimal comma or numbers separated by commas");
  for (std::size_t j = 0; j < columns_; ++j) values_.push_back(number(cells, j, line));
}

Eigen::MatrixXd Rows::matrix() const {
  if (values_.empty()) file_.fail("the whole file", "at least one line of numbers");
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto d = static_cast<Eigen::Index>(columns_);
  return Eigen::Map<const RowMajor>(values_.data(), static_cast<Eigen::Index>(values_.size()) / d,
                                    d);
}

/// Refuses what is no text, saying what it is.
void check_text(const DataFile& file) {
  const std::string expected = "numbers as text, one row a line (export it as .csv)";
  const std::string format = format_of(file.bytes);
  if (!format.empty()) file.fail(format, expected);
  const auto odd = std::find_if(file.bytes.begin(), file.bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 32 && (c < '\t' || c > '\r');
  });
  if (odd != file.bytes.end())
    file.fail(fmt::format("byte {}: 0x{:02x}", odd - file.bytes.begin(),
                          static_cast<unsigned char>(*odd)),
              expected);
}

}  // namespace

Eigen::MatrixXd read_text(const DataFile& file) {
  check_text(file);
  std::string_view text = file.bytes;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the byte order mark of Excel
  Lines lines(text);
  Rows rows(file);
  Cells cells;
  bool first = true;
  for (std::string_view line; lines.next(line);) {
    line = trimmed(line);
    const std::size_t number = lines.number();
    if (line.empty() || line[0] == '#') continue;
    if (number == 1 && line.starts_with("sep=") && line.size() <= 5) continue;  // Excel's
    split(line, cells);
    // A name may hold line ends.
    for (int more = 0; first && cells.open && more < 100 && lines.join(line); ++more)
      split(trimmed(line), cells);
    if (first && cells.open) file.fail(fmt::format("line {}", number), "an end of the quoted cell");
    if (!first || !rows.take_header(cells, number)) rows.add(cells, number);
    first = false;
  }
  return rows.matrix();
}

}  // namespace riskcurve
