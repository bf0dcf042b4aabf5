#include "riskcurve/run/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "riskcurve/problem/error.hpp"
#include "run/csv.hpp"
#include "run/parallel.hpp"
#include "run/progress.hpp"

namespace riskcurve {
namespace {

std::string hash(const std::string& text) {  // FNV-1a
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", h);
}

std::string line_of(const std::vector<Cell>& row) {
  std::vector<std::string> cells;
  for (const Cell& cell : row)
    cells.push_back(std::holds_alternative<double>(cell) ? fmt::format("{}", std::get<double>(cell))
                                                         : std::get<std::string>(cell));
  return csv_line(cells);
}

/// The finished rows, on disk as they come (unless the path is empty): a header, then "number,row"
/// lines. A point is there when all its rows are.
class Journal {
 public:
  Journal(std::string path, const Table& table, bool resume)
      : path_(std::move(path)),
        each_(static_cast<std::size_t>(table.rows_each)),
        lines_(static_cast<std::size_t>(table.points) * each_) {
    if (path_.empty()) return;
    const std::string header = "riskcurve 2 " + hash(table.identity);
    std::string text = header + '\n';
    if (std::filesystem::exists(path_)) {
      if (!resume)
        throw InputError("--out", path_,
                         "no unfinished table there: --resume goes on with it, removing it starts "
                         "again");
      take_over(header, table.columns.size());
      for (std::size_t i = 0; i < lines_.size(); ++i)
        if (lines_[i]) text += fmt::format("{},{}\n", i, *lines_[i]);
    }
    write_file(path_, text);  // whole lines only
    file_.reset(std::fopen(path_.c_str(), "ab"));
    if (!file_) throw Failure("cannot write " + path_);
  }
  bool has(long point) const {
    const std::size_t first = static_cast<std::size_t>(point) * each_;
    return std::all_of(lines_.begin() + static_cast<std::ptrdiff_t>(first),
                       lines_.begin() + static_cast<std::ptrdiff_t>(first + each_),
                       [](const auto& line) { return line.has_value(); });
  }
  void add(long point, const std::vector<std::vector<Cell>>& rows) {
    std::string text;
    std::size_t number = static_cast<std::size_t>(point) * each_;
    for (const std::vector<Cell>& row : rows) {
      lines_[number] = line_of(row);
      text += fmt::format("{},{}\n", number, *lines_[number]);
      ++number;
    }
    if (file_ && (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
                  std::fflush(file_.get()) != 0))
      throw Failure("cannot write " + path_);
  }
  const std::vector<std::optional<std::string>>& lines() const { return lines_; }
  void remove() {
    file_.reset();
    if (!path_.empty()) std::filesystem::remove(path_);
  }

 private:
  void take_over(const std::string& header, std::size_t columns) {
    const std::string text = read_file(path_);
    const std::size_t end = text.find('\n');
    // Cut short within the first line, it is still a start of it.
    if (end == std::string::npos ? !header.starts_with(text) : text.substr(0, end) != header)
      throw InputError("--resume", path_,
                       "what was left of the same table: the same input files and options");
    std::size_t from = end == std::string::npos ? text.size() : end + 1;
    for (std::size_t to; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
      keep(text.substr(from, to - from), columns);
  }
  void keep(const std::string& line, std::size_t columns) {
    std::size_t number = 0;
    const char* const begin = line.data();
    const auto [comma, error] = std::from_chars(begin, begin + line.size(), number);
    if (error != std::errc() || number >= lines_.size() || *comma != ',') return;
    const std::string row = line.substr(static_cast<std::size_t>(comma - begin) + 1);
    if (csv_cells(row).size() == columns) lines_[number] = row;
  }
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::size_t each_;
  std::vector<std::optional<std::string>> lines_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace

TableOutcome fill(const Table& table, const std::string& path, const TableOptions& options) {
  Journal journal(path, table, options.resume);
  const long points = table.points;
  std::vector<long> open;
  for (long point = 0; point < points; ++point)
    if (!journal.has(point)) open.push_back(point);
  TableOutcome outcome;
  outcome.taken_over = outcome.done = points - static_cast<long>(open.size());

  Progress progress(options.progress, static_cast<double>(points), outcome.done);
  std::mutex lock;
  try {
    parallel_for(std::ssize(open), options.threads, progress.stop, [&](long i) {
      const long point = open[static_cast<std::size_t>(i)];
      const std::vector<std::vector<Cell>> rows = table.rows(point);
      {
        const std::lock_guard<std::mutex> guard(lock);
        journal.add(point, rows);
      }
      progress.count();
    });
  } catch (...) {
    if (progress.done() == 0) journal.remove();  // bad input leaves nothing behind
    throw;
  }
  outcome.done = progress.done();

  outcome.complete = outcome.done == points;
  if (outcome.complete)
    for (const auto& line : journal.lines()) outcome.rows.push_back(csv_cells(*line));
  return outcome;
}

}  // namespace riskcurve
