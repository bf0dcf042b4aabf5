#pragma once
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// Where a shard keeps its points: "X.partial-2-of-8"; shards = 0, the whole table: `journal`.
std::string journal_of(const std::string& journal, long shard, long shards);

/// A journal that is there, of a shard or of a whole run (shards = 0).
struct FoundJournal {
  std::string path;
  long shards = 0;
};
/// All journals of a table, whoever left them: `journal`, then those of shards by name.
std::vector<FoundJournal> journals_at(const std::string& journal);

/// Removes them, once the result is safe.
void remove_journals(const std::string& journal);

/// The rows of a table that are finished, as lines of CSV. A point is there when all its rows are.
class FinishedRows {
 public:
  explicit FinishedRows(const Table& table);
  /// The whole lines of a journal; false where it belongs to another table, and nothing is taken.
  bool take_over(const std::string& text);
  bool has(long point) const;
  /// Returns the lines to append to a journal.
  std::string add(long point, const std::vector<std::vector<Cell>>& rows);
  /// First line of a journal: a hash of the table's identity.
  const std::string& header() const { return header_; }
  std::vector<std::string> cells(std::size_t row) const;  ///< of a row that is there
  std::vector<std::vector<std::string>> cells() const;    ///< of all rows, which are there

 private:
  void keep(const std::string& line);
  std::string header_;
  std::size_t each_, columns_;
  std::vector<std::optional<std::string>> lines_;
};

/// A file that finished rows are appended to: a header, then "number,row" lines. Throws Failure
/// where it cannot be written.
class Journal {
 public:
  /// Goes on behind the last whole line of what is there. An empty path: keeps nothing.
  Journal(std::string path, const std::string& header);
  void append(const std::string& lines);
  void remove();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace riskcurve
