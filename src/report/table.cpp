#include "riskcurve/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/write.hpp"

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

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && inside && i + 1 < line.size() && line[i + 1] == '"')
      cells.back() += line[++i];
    else if (line[i] == '"')
      inside = !inside;
    else if (line[i] == ',' && !inside)
      cells.emplace_back();
    else
      cells.back() += line[i];
  }
  return cells;
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
    if (cells_of(row).size() == columns) lines_[number] = row;
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

  std::mutex lock;
  std::size_t next = 0;
  std::exception_ptr error;
  bool stopped = false;
  const auto work = [&] {
    while (true) {
      long point;
      {
        const std::lock_guard<std::mutex> guard(lock);
        if (stopped || error || next == open.size()) return;
        point = open[next++];
      }
      try {
        const std::vector<std::vector<Cell>> rows = table.rows(point);
        const std::lock_guard<std::mutex> guard(lock);
        journal.add(point, rows);
        ++outcome.done;
        if (options.progress &&
            !options.progress(static_cast<double>(outcome.done) / static_cast<double>(points)))
          stopped = true;
      } catch (...) {
        const std::lock_guard<std::mutex> guard(lock);
        if (!error) error = std::current_exception();
      }
    }
  };
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (int i = 1; i < (options.threads > 0 ? options.threads : cores); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (error) {
    if (outcome.done == 0) journal.remove();  // bad input leaves nothing behind
    std::rethrow_exception(error);
  }

  outcome.complete = outcome.done == points;
  if (outcome.complete)
    for (const auto& line : journal.lines()) outcome.rows.push_back(cells_of(*line));
  return outcome;
}

std::string to_csv(const std::vector<std::string>& columns,
                   const std::vector<std::vector<std::string>>& rows) {
  std::string text = csv_line(columns) + '\n';
  for (const auto& row : rows) text += csv_line(row) + '\n';
  return text;
}

Record to_record(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  Record record;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::vector<std::string> texts;
    Eigen::ArrayXd numbers(static_cast<Eigen::Index>(rows.size()));
    bool numeric = true;
    for (const auto& row : rows) {
      char* end = nullptr;
      numbers[static_cast<Eigen::Index>(texts.size())] = std::strtod(row[i].c_str(), &end);
      numeric = numeric && end != row[i].c_str() && *end == '\0';
      texts.push_back(row[i]);
    }
    if (numeric)
      record.column(columns[i], numbers);
    else
      record.column(columns[i], texts);
  }
  return record;
}

}  // namespace riskcurve
