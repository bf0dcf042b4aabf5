#pragma once
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace riskcurve {

/// A number, or a text.
using Cell = std::variant<double, std::string>;

/// A long result: points computed one by one, each some rows of a table.
struct Table {
  std::string identity;  ///< all that the rows depend on, as text
  std::vector<std::string> columns;
  long points = 0, rows_each = 1;
  /// The `rows_each` rows of a point, in the order of `columns`: deterministic, and safe to call
  /// from several threads.
  std::function<std::vector<std::vector<Cell>>(long point)> rows;
};

struct TableOptions {
  int threads = 0;      ///< 0: all cores this process may use; changes no number
  bool resume = false;  ///< go on from the journals, where there are any
  /// One of `shards` runs, from 1, each of which computes one of every `shards` points and keeps it
  /// in a journal of its own, "JOURNAL-shard-of-shards". 0 shards: a run of all points.
  long shard = 0, shards = 0;
  bool merge = false;  ///< compute nothing: all points are in journals
  /// Called from one thread at a time; false: stop, and what is finished stays saved.
  std::function<bool(double fraction)> progress;
};

struct TableOutcome {
  bool complete = false;
  long points = 0;                             ///< of the shard, or of the table
  long done = 0, taken_over = 0;               ///< points finished, and how many of them earlier
  std::vector<std::vector<std::string>> rows;  ///< cells as text, numbers to the last digit; of a
                                               ///< shard none
};

/// Computes the points. Each finished one is appended to the file `journal` at once (none if it is
/// empty), which stays there: remove it when the result is safe. A point cut short by a kill counts
/// as not there, so a resumed table ends in the same rows as one that was never stopped. It goes on
/// from the journals of shards as well, of any number, and so does a shard from others.
/// Throws InputError where a journal exists and is not to be resumed, or belongs to another table
/// (its first line holds a hash of the identity), or points to merge are missing, and what `rows`
/// throws; Failure where the journal cannot be written.
TableOutcome fill(const Table& table, const std::string& journal, const TableOptions& options);

/// A line of a CSV file, without its end: cells in quotes where they need them.
std::string csv_line(const std::vector<std::string>& cells);
/// The rows as CSV under the names of the columns.
std::string to_csv(const std::vector<std::string>& columns,
                   const std::vector<std::vector<std::string>>& rows);

/// The bytes of a file; empty where it cannot be read.
std::string read_file(const std::string& path);
/// Writes the file whole: under a temporary name beside it, then renamed. Throws Failure.
void write_file(const std::string& path, const std::string& bytes);

}  // namespace riskcurve
