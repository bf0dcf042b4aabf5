#include "run/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "riskcurve/problem/error.hpp"
#include "run/csv.hpp"

namespace riskcurve {
namespace {

std::string fnv1a(const std::string& text) {
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", h);
}

std::string line_of_cells(const std::vector<Cell>& row) {
  std::vector<std::string> cells;
  for (const Cell& cell : row)
    cells.push_back(std::holds_alternative<double>(cell) ? fmt::format("{}", std::get<double>(cell))
                                                         : std::get<std::string>(cell));
  return csv_line(cells);
}

/// n of "-i-of-n", behind the name of a journal; 0 where the text is none.
long shards_of(const std::string& suffix) {
  long shard = 0, shards = 0;
  const char *at = suffix.data(), *const end = at + suffix.size();
  if (!suffix.starts_with('-')) return 0;
  const auto first = std::from_chars(at + 1, end, shard);
  if (first.ec != std::errc() || !std::string(first.ptr, end).starts_with("-of-")) return 0;
  const auto last = std::from_chars(first.ptr + 4, end, shards);
  return last.ec == std::errc() && last.ptr == end && shard >= 1 && shard <= shards ? shards : 0;
}

}  // namespace

std::string journal_of(const std::string& journal, long shard, long shards) {
  return journal.empty() || shards == 0 ? journal
                                        : fmt::format("{}-{}-of-{}", journal, shard, shards);
}

std::vector<FoundJournal> journals_at(const std::string& journal) {
  std::vector<FoundJournal> found;
  if (journal.empty()) return found;
  const std::filesystem::path whole(journal);
  const std::string name = whole.filename().string();
  const std::filesystem::path folder = whole.has_parent_path() ? whole.parent_path() : ".";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string other = entry.path().filename().string();
    if (!other.starts_with(name)) continue;
    const std::string suffix = other.substr(name.size());
    const long shards = shards_of(suffix);
    if (suffix.empty() || shards > 0) found.push_back({journal + suffix, shards});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

void remove_journals(const std::string& journal) {
  for (const FoundJournal& found : journals_at(journal)) std::filesystem::remove(found.path);
}

FinishedRows::FinishedRows(const Table& table)
    : header_("riskcurve 2 " + fnv1a(table.identity)),
      each_(static_cast<std::size_t>(table.rows_each)),
      columns_(table.columns.size()),
      lines_(static_cast<std::size_t>(table.points) * each_) {}

bool FinishedRows::take_over(const std::string& text) {
  const std::size_t end = text.find('\n');
  // Cut short within the first line, it is still a start of it.
  if (end == std::string::npos) return header_.starts_with(text);
  if (text.compare(0, end, header_) != 0) return false;
  std::size_t from = end + 1;
  for (std::size_t to; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
    keep(text.substr(from, to - from));
  return true;
}

void FinishedRows::keep(const std::string& line) {
  std::size_t number = 0;
  const char* const begin = line.data();
  const auto [comma, error] = std::from_chars(begin, begin + line.size(), number);
  if (error != std::errc() || number >= lines_.size() || *comma != ',') return;
  const std::string row = line.substr(static_cast<std::size_t>(comma - begin) + 1);
  if (csv_cells(row).size() == columns_) lines_[number] = row;
}

bool FinishedRows::has(long point) const {
  const auto first =
      lines_.begin() + static_cast<std::ptrdiff_t>(point) * static_cast<std::ptrdiff_t>(each_);
  return std::all_of(first, first + static_cast<std::ptrdiff_t>(each_),
                     [](const auto& line) { return line.has_value(); });
}

std::string FinishedRows::add(long point, const std::vector<std::vector<Cell>>& rows) {
  std::string text;
  std::size_t number = static_cast<std::size_t>(point) * each_;
  for (const std::vector<Cell>& row : rows) {
    lines_[number] = line_of_cells(row);
    text += fmt::format("{},{}\n", number, *lines_[number]);
    ++number;
  }
  return text;
}

std::vector<std::string> FinishedRows::cells(std::size_t row) const {
  return csv_cells(*lines_[row]);
}

std::vector<std::vector<std::string>> FinishedRows::cells() const {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(lines_.size());
  for (std::size_t row = 0; row < lines_.size(); ++row) rows.push_back(cells(row));
  return rows;
}

Journal::Journal(std::string path, const std::string& header) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::string text = read_file(path_);
  text.resize(text.rfind('\n') + 1);  // whole lines only
  write_file(path_, text.empty() ? header + '\n' : text);
  file_.reset(std::fopen(path_.c_str(), "ab"));
  if (!file_) throw Failure("cannot write " + path_);
}

void Journal::append(const std::string& lines) {
  if (file_ && (std::fwrite(lines.data(), 1, lines.size(), file_.get()) != lines.size() ||
                std::fflush(file_.get()) != 0))
    throw Failure("cannot write " + path_);
}

void Journal::remove() {
  file_.reset();
  if (!path_.empty()) std::filesystem::remove(path_);
}

}  // namespace riskcurve
