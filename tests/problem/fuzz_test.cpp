// Every reader of files against damaged ones: it takes them, or says in one line what is wrong.
#include "fuzz.hpp"

#include <cstdint>
#include <cstring>

#include "input/read.hpp"
#include "problem/data.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {
namespace {

using fuzz::Folder;
using fuzz::Source;
using fuzz::Tally;

class FuzzedMatrix : public Folder {
 protected:
  /// Random bytes, then damaged copies of the valid files, all under one ending.
  void run(const std::string& ending, const std::vector<std::string>& valid,
           const std::string& alphabet, std::uint64_t seed) {
    Source source(seed);
    const auto read = [&](const std::string& bytes, Tally& tally) {
      const std::string path = write("f" + ending, bytes);
      fuzz::expect_taken_or_refused(bytes, tally, [&] {
        const Eigen::MatrixXd matrix = read_matrix(path, "field");
        EXPECT_TRUE(matrix.size() > 0 && matrix.allFinite()) << fuzz::literal(bytes);
      });
    };
    Tally untouched, noise, damaged;
    for (const std::string& bytes : valid) read(bytes, untouched);
    EXPECT_EQ(untouched.refused, 0);
    for (int i = 0; i < 1000; ++i) {
      // The start of a valid file leads random bytes past the first check.
      const std::string& start = source.pick(valid);
      read(source.bytes(200), noise);
      read(source.of(alphabet, 60), noise);
      read(start.substr(0, source.below(start.size())) + source.bytes(40), noise);
    }
    for (int i = 0; i < 4000; ++i)
      read(source.damaged(source.pick(valid), source.pick(valid)), damaged);
    EXPECT_GT(damaged.taken, 100);
    EXPECT_GT(damaged.refused, 1000);
    EXPECT_GT(noise.refused, 1000);
  }
};

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string npy(char version, const std::string& descr, const std::string& shape, bool fortran,
                const std::string& data) {
  const std::string header = "{'descr': '" + descr +
                             "', 'fortran_order': " + (fortran ? "True" : "False") +
                             ", 'shape': " + shape + ", }\n";
  const std::string length = raw<std::uint32_t>({static_cast<std::uint32_t>(header.size())});
  return "\x93NUMPY" + std::string{version, '\0'} + length.substr(0, version == 1 ? 2 : 4) +
         header + data;
}

TEST_F(FuzzedMatrix, OfCsvIsReadOrRefusedInOneLine) {
  run(".csv", {"x,y\n1,2\n-3e-5,+4\n", "1;2;3\n4;5;6", "# note\n1 2\t3\r\n\r\n4 5 6\r\n", "0.5\n"},
      "0123456789.,;+-e \t\r\n#naif", 1);
}

TEST_F(FuzzedMatrix, OfTxtIsReadOrRefusedInOneLine) {
  run(".txt", {"1 2 3\n4 5 6\n", "7\n8\n9\n"}, "0123456789.+-e \t\n", 2);
}

TEST_F(FuzzedMatrix, OfNpyIsReadOrRefusedInOneLine) {
  run(".npy",
      {npy(1, "<f8", "(2, 3)", false, raw<double>({1, 2, 3, 4, 5, 6})),
       npy(1, "<f4", "(3, 2)", true, raw<float>({1, 2, 3, 4, 5, 6})),
       npy(2, "<i8", "(3,)", false, raw<std::int64_t>({1, 2, 3})),
       npy(1, "|u1", "(2, 2)", false, raw<std::uint8_t>({1, 2, 3, 4}))},
      "(), '<>fiu4810123456789xTrueFals:{}", 3);
}

TEST_F(FuzzedMatrix, OfIdxIsReadOrRefusedInOneLine) {
  const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x01\x02\x03\xff", 20);
  const std::string labels("\0\0\x08\x01\0\0\0\x03\x01\x02\x03", 11);
  run(".idx", {images, labels}, std::string("\0\x01\x08\xff", 4), 4);
}

using FuzzedSchedule = Folder;

/// Schedules as [schedule] gives them, and as the tables that optimum writes.
TEST_F(FuzzedSchedule, TableIsReadOrRefusedInOneLine) {
  const std::vector<std::string> valid = {"step,step_size\n0,0.1\n10,0.05\n1e3,0\n", "0,1\n5,2\n"};
  const Fields fields = Fields::from_text("kind = \"tabulated\"\nfile = \"" +
                                          (folder / "table.csv").string() + "\"\n");
  Source source(5);
  Tally tally;
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = source.damaged(source.pick(valid), source.pick(valid));
    write("table.csv", bytes);
    fuzz::expect_taken_or_refused(bytes, tally, [&] {
      const Schedule schedule = read_schedule(fields, 10, 100);
      for (const double k : {0.0, 0.5, 7.0, 1e3, 1e15})
        EXPECT_TRUE(schedule(k) >= 0 && std::isfinite(schedule(k))) << fuzz::literal(bytes);
    });
  }
  EXPECT_GT(tally.taken, 100);
  EXPECT_GT(tally.refused, 1000);
}

}  // namespace
}  // namespace riskcurve
