#include "problem/data_lines.hpp"

#include <algorithm>

#include "problem/number.hpp"

namespace riskcurve {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";

bool outside_quotes(std::string_view line, char mark) {
  if (line.find('"') == line.npos) return line.find(mark) != line.npos;
  bool inside = false;
  for (const char c : line) {
    if (c == mark && !inside) return true;
    inside = inside != (c == '"');
  }
  return false;
}

/// The last quote of the quoted cell that begins `text`, or npos.
std::size_t closing_quote(std::string_view text) {
  for (std::size_t at = 1;; at += 2) {
    at = text.find('"', at);
    if (at == text.npos || at + 1 == text.size() || text[at + 1] != '"') return at;
  }
}

void split(std::string_view line, char mark, Cells& cells) {
  const std::string_view marks = mark == ' ' ? kBlanks : std::string_view(&mark, 1);
  const auto skip_blanks = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  };
  cells.text.clear();
  cells.mark = mark;
  cells.open = false;
  cells.quoted = 0;
  cells.ends_in_mark = mark != ' ' && line.ends_with(mark);
  while (true) {
    skip_blanks();
    std::size_t end = line.find_first_of(marks);
    std::string_view cell = trimmed(line.substr(0, end));
    if (line.starts_with('"')) {
      const std::size_t close = closing_quote(line);
      if (close == line.npos) {
        cells.open = true;
        cells.text.push_back(line);
        return;
      }
      const std::size_t after = line.find_first_not_of(mark == ' ' ? "" : kBlanks, close + 1);
      if (after == line.npos || marks.find(line[after]) != marks.npos) {
        cell = trimmed(line.substr(1, close - 1));
        ++cells.quoted;
        end = after;
      }
    }
    cells.text.push_back(cell);
    if (end == line.npos) return;
    line.remove_prefix(end);
    if (mark == ' ')
      skip_blanks();
    else
      line.remove_prefix(1);
  }
}

bool all_numbers(const Cells& cells) {
  double x = 0;
  return std::all_of(cells.text.begin(), cells.text.end(), [&](std::string_view cell) {
    return parse_number(cell, x) || parse_decimal_comma(cell, x);
  });
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool Lines::next(std::string_view& line) {
  begin_ = end_;
  return join(line);
}

bool Lines::join(std::string_view& line) {
  if (end_ >= text_.size()) return false;
  if (number_ == 0 || feed_ < end_) feed_ = std::min(text_.find('\n', end_), text_.size());
  std::size_t end = text_.substr(end_, feed_ - end_).find('\r');
  // One before the LF is of the same line end.
  end = end == text_.npos || end_ + end + 1 == feed_ ? feed_ : end_ + end;
  line = text_.substr(begin_, end - begin_);
  end_ = end + 1;
  ++number_;
  return true;
}

void split(std::string_view line, Cells& cells) {
  if (outside_quotes(line, ';')) return split(line, ';', cells);
  if (!outside_quotes(line, ',')) return split(line, ' ', cells);
  if (line.find_first_of(" \t") != line.npos) {
    split(line, ' ', cells);
    if (cells.text.size() > 1 && all_numbers(cells)) return;
  }
  split(line, ',', cells);
}

}  // namespace riskcurve
