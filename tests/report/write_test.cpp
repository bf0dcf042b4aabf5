#include "riskcurve/report/write.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "problem/data.hpp"
#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Numbers whose shortest exact text is long, and those at the ends of the range.
Eigen::ArrayXd awkward_numbers() {
  Eigen::ArrayXd x(6);
  x << 0.1, 1.0 / 3, 2.2250738585072014e-308, 1.7976931348623157e308, -5e-324, 123456789.123456789;
  return x;
}

Record example_record() {
  Record record;
  record.column("steps", awkward_numbers());
  Eigen::ArrayXXd runs(6, 2);
  runs << 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
  record.column("run", runs);
  Record inner;
  inner.column("phi", Eigen::ArrayXd(Eigen::ArrayXd::LinSpaced(6, 0, 1)));
  inner.set("count", 7L);
  record.set("observables", inner);
  record.set("population_risk", nullptr);
  record.set("status", std::string("ok"));
  record.set("flag", true);
  record.set("warnings", std::vector<std::string>{"first", "second one"});
  record.set("aside", Eigen::ArrayXd(Eigen::ArrayXd::Ones(3)));
  return record;
}

/// A folder of its own, gone at the end of the test.
class Folder : public ::testing::Test {
 protected:
  Folder() { fs::create_directories(path); }
  ~Folder() override { fs::remove_all(path); }
  std::string in(const std::string& name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator{}));
  }
  fs::path path = fs::temp_directory_path() / ("riskcurve-report-" + std::to_string(getpid()));
};
using WriteFile = Folder;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ToJson, NumbersRoundTripExactly) {
  const auto read = Json::parse(to_json(example_record()))["steps"].get<std::vector<double>>();
  const Eigen::ArrayXd x = awkward_numbers();
  ASSERT_EQ(read.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(read[i], x(i));
}

TEST(ToJson, NanAndInfinityAndMissingBecomeNull) {
  Record record;
  Eigen::ArrayXd x(3);
  x << NAN, INFINITY, -INFINITY;
  record.column("x", x);
  record.set("y", INFINITY);
  record.set("z", nullptr);
  EXPECT_EQ(to_json(record), R"({"x":[null,null,null],"y":null,"z":null})");
}

TEST(ToJson, KeepsOrderNestingAndRowsOfMatrices) {
  const Json read = Json::parse(to_json(example_record()));
  EXPECT_EQ(to_json(example_record()).substr(0, 9), "{\"steps\":");
  EXPECT_EQ(read["run"][1], Json({3.0, 4.0}));
  EXPECT_EQ(read["observables"]["count"], 7);
  EXPECT_EQ(read["warnings"], Json({"first", "second one"}));
}

TEST(ToJson, InvalidUtf8DoesNotThrow) {
  Record record;
  record.set("message", std::string("bad \xff byte"));
  EXPECT_TRUE(Json::accept(to_json(record)));
}

TEST(ToCsv, HoldsColumnsOnlyAndNumbersRoundTrip) {
  std::istringstream lines(to_csv(example_record()));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "steps,run_1,run_2,phi");
  const Eigen::ArrayXd x = awkward_numbers();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(std::strtod(line.c_str(), nullptr), x(i));
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 3);
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(RecordColumns, MustBeOfOneLength) {
  Record record = example_record();
  EXPECT_THROW(record.column("short", Eigen::ArrayXd(Eigen::ArrayXd::Ones(5))), std::logic_error);
}

TEST(ToTable, AlignsRightAndLeavesOutWhatIsMissing) {
  Record record;
  Eigen::ArrayXd steps(2), risk(2);
  steps << 0, 1000;
  risk << 0.5, NAN;
  record.column("steps", steps);
  record.column("risk", risk);
  EXPECT_EQ(to_table(record, {{"step", "steps"}, {"gone", "gone"}, {"R", "risk", "{:.3f}"}}),
            "step      R\n"
            "   0  0.500\n"
            "1000      -\n");
  EXPECT_EQ(to_table(example_record(), {{"phi", "observables.phi", "{:.1f}"}}).substr(0, 8),
            "phi\n0.0\n");
}

TEST(TextColumns, StandBesideNumbersInTablesCsvAndJson) {
  Record record;
  record.column("name", std::vector<std::string>{"sgd", "a, \"b\""});
  record.column("x", Eigen::ArrayXd(Eigen::ArrayXd::LinSpaced(2, 1, 2)));
  EXPECT_EQ(to_csv(record), "name,x\nsgd,1\n\"a, \"\"b\"\"\",2\n");
  EXPECT_EQ(to_table(record, {{"name", "name"}, {"x", "x"}}),
            "  name  x\n"
            "   sgd  1\n"
            "a, \"b\"  2\n");
  EXPECT_EQ(to_json(record), R"({"name":["sgd","a, \"b\""],"x":[1.0,2.0]})");
  EXPECT_THROW(record.column("short", std::vector<std::string>{"one"}), std::logic_error);
}

// --- .npz, read back by the definitions of zip and npy ------------------------------------------

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  T value;
  EXPECT_LE(offset + sizeof(T), bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

/// Members of a stored zip by its central directory, each checked against its local header.
std::map<std::string, std::string> unzip(const std::string& zip) {
  std::map<std::string, std::string> members;
  const std::size_t end = zip.size() - 22;
  EXPECT_EQ(zip.substr(end, 4), "PK\x05\x06");
  const int count = at<std::uint16_t>(zip, end + 10);
  std::size_t entry = at<std::uint32_t>(zip, end + 16);
  EXPECT_EQ(entry + at<std::uint32_t>(zip, end + 12), end);
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(zip.substr(entry, 4), "PK\x01\x02");
    const auto size = at<std::uint32_t>(zip, entry + 24);
    const auto name_size = at<std::uint16_t>(zip, entry + 28);
    const std::string name = zip.substr(entry + 46, name_size);
    const std::size_t local = at<std::uint32_t>(zip, entry + 42);
    EXPECT_EQ(zip.substr(local, 4), "PK\x03\x04");
    EXPECT_EQ(zip.substr(local + 4, 26), zip.substr(entry + 6, 26)) << name;
    EXPECT_EQ(zip.substr(local + 30, name_size), name);
    const std::string data = zip.substr(local + 30 + name_size, size);
    EXPECT_EQ(at<std::uint32_t>(zip, entry + 16), crc32(data)) << name;
    members[name] = data;
    entry += 46 + name_size;
  }
  EXPECT_EQ(entry, end);
  return members;
}

struct Npy {
  std::string header, data;
};
Npy parse_npy(const std::string& bytes) {
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const auto size = at<std::uint16_t>(bytes, 8);
  EXPECT_EQ((10 + size) % 64, 0);
  return {bytes.substr(10, size), bytes.substr(10 + size)};
}

TEST(Crc32, OfTheTestIsTheStandardOne) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
}

TEST(ToNpz, ReadsBackAsWritten) {
  const auto members = unzip(to_npz(example_record()));
  EXPECT_EQ(members.count("population_risk.npy"), 0u);

  const Npy steps = parse_npy(members.at("steps.npy"));
  EXPECT_NE(steps.header.find("'descr': '<f8'"), std::string::npos);
  EXPECT_NE(steps.header.find("'shape': (6,)"), std::string::npos);
  ASSERT_EQ(steps.data.size(), 6 * sizeof(double));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(at<double>(steps.data, 8 * i), awkward_numbers()(i));

  const Npy runs = parse_npy(members.at("run.npy"));
  EXPECT_NE(runs.header.find("'fortran_order': True, 'shape': (6, 2)"), std::string::npos);
  EXPECT_EQ(at<double>(runs.data, 8 * 1), 3);  // row 2 of the first column

  EXPECT_EQ(at<std::int64_t>(parse_npy(members.at("observables.count.npy")).data, 0), 7);
  EXPECT_EQ(parse_npy(members.at("status.npy")).data, "ok");
  const Npy warnings = parse_npy(members.at("warnings.npy"));
  EXPECT_NE(warnings.header.find("'|S10'"), std::string::npos);
  EXPECT_EQ(warnings.data, std::string("first\0\0\0\0\0second one", 20));
}

TEST_F(WriteFile, NpzMembersOfRandomShapesAreReadBackAsNpy) {
  Random random(1, 0, 0);
  const auto below = [&](int n) { return 1 + static_cast<int>(random() % std::uint64_t(n)); };
  for (int i = 0; i < 50; ++i) {
    const int rows = below(20), columns = below(9);
    const Eigen::ArrayXd x = Eigen::ArrayXd::NullaryExpr(rows, [&] { return random.normal(); });
    const Eigen::ArrayXXd y =
        Eigen::ArrayXXd::NullaryExpr(rows, columns, [&] { return std::exp(99 * random.normal()); });
    Record record;
    record.column(std::string(static_cast<std::size_t>(below(80)), 'x'), x);
    record.column("y", y);
    record.set("text", std::string(static_cast<std::size_t>(below(80)), '"'));
    for (const auto& [name, bytes] : unzip(to_npz(record))) {
      if (name == "text.npy") continue;
      write_file(in("member.npy"), bytes);
      const Eigen::MatrixXd read = read_matrix(in("member.npy"), name);
      EXPECT_EQ(read, name == "y.npy" ? y.matrix() : Eigen::MatrixXd(x.matrix())) << name;
    }
  }
}

TEST(ToNpz, IsReadByNumpy) {
  if (std::system("python3 -c 'import numpy' 2>/dev/null") != 0) GTEST_SKIP() << "no numpy here";
  const std::string file =
      (fs::temp_directory_path() / ("riskcurve-numpy-" + std::to_string(getpid()) + ".npz"))
          .string();
  write_file(file, to_npz(example_record()));
  const std::string command = "python3 -c \"import numpy; z = numpy.load('" + file +
                              "'); assert z['run'][1,0] == 3 and z['run'].shape == (6,2) and "
                              "z['status'] == b'ok' and z['steps'][1] == 1/3 and z['flag']\"";
  EXPECT_EQ(std::system(command.c_str()), 0);
  fs::remove(file);
}

// --- files ------------------------------------------------------------------------------------

TEST_F(WriteFile, ReplacesTheFileAndLeavesNothingBeside) {
  write_file(in("a.json"), "first");
  write_file(in("a.json"), "second");
  EXPECT_EQ(contents(in("a.json")), "second");
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteFile, FailureLeavesNothing) {
  EXPECT_THROW(write_file(in("missing/a.json"), "text"), Failure);
  fs::create_directory(in("folder.json"));
  EXPECT_THROW(write_file(in("folder.json"), "text"), Failure);
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteFile, SaveChoosesTheFormatByExtension) {
  save(example_record(), in("r.csv"));
  save(example_record(), in("r.json"));
  save(example_record(), in("r.npz"));
  EXPECT_EQ(contents(in("r.csv")), to_csv(example_record()));
  EXPECT_TRUE(Json::accept(contents(in("r.json"))));
  EXPECT_EQ(contents(in("r.npz")), to_npz(example_record()));
}

TEST_F(WriteFile, UnknownExtensionsAndMissingFoldersAreBadInput) {
  const std::vector<std::string> known = {".csv", ".json"};
  for (const std::string& bad : {in("r.txt"), in("r"), in("none/r.csv"), in("")}) {
    EXPECT_THROW(check_output("--out", bad, known), InputError) << bad;
  }
  EXPECT_NO_THROW(check_output("--out", in("r.csv"), known));
  EXPECT_NO_THROW(check_output("--out", "r.csv", known));
  try {
    check_output("--out", "r.txt", known);
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "--out = r.txt: expected a file name ending in .csv or .json");
  }
}

TEST(ToJson, WritesNumbersAsTheLibraryDoes) {
  Record record;
  Eigen::ArrayXd x(9);
  x << 1, 0, -0.0, 1e-5, 1e15, 1e16, 123456.0, 1e-300, 0.1;
  record.column("x", x);
  Eigen::ArrayXXd y = x.replicate(1, 2);
  record.column("y", y);
  Json json;
  for (const double value : x) {
    json["x"].push_back(value);
    json["y"].push_back({value, value});
  }
  EXPECT_EQ(to_json(record), json.dump());
}

TEST(LongOutput, TellsItsProgressAndStopsWhereAsked) {
  Record record;
  record.column("x", Eigen::ArrayXd(Eigen::ArrayXd::LinSpaced(20000, 0, 1)));
  record.column("y", Eigen::ArrayXXd(Eigen::ArrayXXd::Zero(20000, 3)));
  const auto json = [&](const auto& progress) { to_json(record, progress); };
  const auto csv = [&](const auto& progress) { to_csv(record, progress); };
  for (const std::function<void(std::function<bool(double)>)>& write :
       {std::function<void(std::function<bool(double)>)>(json), {csv}}) {
    double last = 0;
    write([&](double fraction) {
      EXPECT_GT(fraction, last);
      return (last = fraction) <= 1;
    });
    EXPECT_GT(last, 0.9);
    EXPECT_THROW(write([](double) { return false; }), Failure);
  }
}

}  // namespace
}  // namespace riskcurve
