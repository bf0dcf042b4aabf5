// Tables filled by shards.
#include "riskcurve/run/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace riskcurve {
namespace {

TEST(Shards, ComputeEveryPointOnceWhateverTheirNumber) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "riskcurve-shards-of-tables";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::mutex lock;
  std::vector<int> computed;
  Table table;
  table.identity = "squares";
  table.columns = {"x", "y"};
  table.points = 17;
  table.rows_each = 2;
  table.rows = [&](long point) {
    const std::lock_guard<std::mutex> guard(lock);
    ++computed[static_cast<std::size_t>(point)];
    const auto x = static_cast<double>(point);
    return std::vector<std::vector<Cell>>{{x, x * x}, {x, std::string("a, b")}};
  };
  computed.assign(17, 0);
  const std::vector<std::vector<std::string>> serial = fill(table, "", {}).rows;
  for (const long shards : {1L, 2L, 5L, 17L, 20L}) {
    const std::string journal = (folder / std::to_string(shards)).string();
    computed.assign(17, 0);
    long points = 0;
    TableOptions options;
    options.shards = shards;
    for (options.shard = shards; options.shard >= 1; --options.shard) {
      const TableOutcome outcome = fill(table, journal, options);
      EXPECT_TRUE(outcome.complete);
      EXPECT_TRUE(outcome.rows.empty());
      EXPECT_EQ(outcome.done, outcome.points);
      EXPECT_LE(outcome.points, 17 / shards + 1);
      points += outcome.points;
    }
    EXPECT_EQ(points, 17);
    TableOptions merge;
    merge.merge = true;
    const TableOutcome merged = fill(table, journal, merge);
    EXPECT_EQ(merged.rows, serial);
    EXPECT_EQ(merged.taken_over, 17);
    EXPECT_THAT(computed, testing::Each(1)) << shards;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace riskcurve
