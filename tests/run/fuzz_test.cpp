// Damaged journals of tables: taken over as far as they are whole, or refused in one line.
#include "fuzz.hpp"

#include "riskcurve/run/table.hpp"

namespace riskcurve {
namespace {

using fuzz::Source;
using fuzz::Tally;

constexpr long kPoints = 4, kRowsEach = 2;

/// Texts with all that CSV has to quote.
Table small_table() {
  Table table;
  table.identity = "fuzz";
  table.columns = {"x", "y", "status"};
  table.points = kPoints;
  table.rows_each = kRowsEach;
  table.rows = [](long point) {
    const auto x = static_cast<double>(point);
    return std::vector<std::vector<Cell>>{{x, 0.1 * x, std::string("ok")},
                                          {x, -x, std::string("a, \"b\", 3,4")}};
  };
  return table;
}

class FuzzedJournal : public fuzz::Folder {
 protected:
  /// What is left of an interrupted table: all but its last point.
  std::string journal() const {
    const std::string path = (folder / "whole").string();
    std::filesystem::remove(path);
    TableOptions options;
    options.threads = 1;
    options.progress = [](double done) { return done < 0.7; };
    fill(small_table(), path, options);
    return read_file(path);
  }
  TableOutcome resumed(const std::string& bytes) const {
    TableOptions options;
    options.threads = 1;
    options.resume = true;
    return fill(small_table(), write("journal", bytes), options);
  }
};

TEST_F(FuzzedJournal, IsTakenOverOrRefusedInOneLine) {
  const std::string whole = journal();
  ASSERT_EQ(resumed(whole).taken_over, 3);
  Source source(1);
  Tally tally;
  long taken_over = 0;
  for (int i = 0; i < 800; ++i) {
    const std::size_t body = whole.find('\n') + 1;
    // Mostly behind the first line, which is all that tells one table from another.
    const std::string bytes =
        i % 4 == 0 ? source.damaged(whole, whole)
                   : whole.substr(0, body) + source.damaged(whole.substr(body), whole);
    fuzz::expect_taken_or_refused(bytes, tally, [&] {
      const TableOutcome outcome = resumed(bytes);
      taken_over += outcome.taken_over;
      EXPECT_TRUE(outcome.complete);
      ASSERT_EQ(outcome.rows.size(), static_cast<std::size_t>(kPoints * kRowsEach));
      for (const auto& row : outcome.rows) ASSERT_EQ(row.size(), 3U) << fuzz::literal(bytes);
    });
  }
  EXPECT_GT(tally.refused, 50);
  EXPECT_GT(taken_over, 500);
}

TEST_F(FuzzedJournal, ThatWasCutAnywhereEndsInTheSameRows) {
  const std::string whole = journal();
  const auto expected = resumed(whole).rows;
  for (std::size_t size = whole.find('\n') + 1; size < whole.size(); ++size)
    EXPECT_EQ(resumed(whole.substr(0, size)).rows, expected) << size;
}

TEST_F(FuzzedJournal, LinesWithoutANumberAreNotTakenForTheFirstRow) {
  const std::string whole = journal();
  const auto expected = resumed(whole).rows;
  // In place of the line of row 0, with that of row 1 behind it, so that the point seems there.
  const std::size_t first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  for (const char* line : {"x,7,8,ok\n", ",7,8,ok\n", "-0,7,8,ok\n", "0x,7,8,ok\n", " 0,7,8,ok\n",
                           "18446744073709551616,7,8,ok\n", "\"0,\",8,ok\n", "0\"a, \",7,8,ok\n"})
    EXPECT_EQ(resumed(whole.substr(0, first) + line + whole.substr(second)).rows, expected) << line;
  EXPECT_NE(resumed(whole.substr(0, first) + "0,7,8,ok\n" + whole.substr(second)).rows, expected);
}

TEST_F(FuzzedJournal, AFileThatIsNoJournalIsNotOverwritten) {
  const std::string header = journal().substr(0, journal().find('\n'));
  for (const std::string& bytes : {std::string("precious"), "precious\n" + header + "\n",
                                   header + " more", std::string("\n")}) {
    EXPECT_THROW(resumed(bytes), InputError) << bytes;
    EXPECT_EQ(read_file((folder / "journal").string()), bytes);
  }
  for (const std::string& bytes : {std::string(), header.substr(0, 5), header})
    EXPECT_TRUE(resumed(bytes).complete) << bytes;
}

}  // namespace
}  // namespace riskcurve
