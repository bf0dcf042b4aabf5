#include "input/fields.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "problem/data.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

/// The line of the InputError that `work` must throw.
std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

const char* const kText = R"(
count = 3
big = 1e18
half = 0.5
name = "spiked"
on = true
list = [1, 2.5]
[outer]
inner = { alpha = 0.6 }
[[part]]
weight = 1
[[part]]
weight = 2
)";

TEST(Fields, ACopyIsSetWithoutTouchingTheOriginal) {
  const Fields fields = Fields::from_text(kText);
  fields.has("half");
  Fields copy = fields.copy();
  copy.set("outer.inner.alpha", 0.9);
  copy.erase("list");
  EXPECT_EQ(copy.table("outer").table("inner").number("alpha"), 0.9);
  EXPECT_FALSE(copy.has("list"));
  EXPECT_EQ(fields.table("outer").table("inner").number("alpha"), 0.6);
  EXPECT_TRUE(fields.has("list"));
}

TEST(Fields, ReadsEveryType) {
  const Fields fields = Fields::from_text(kText);
  EXPECT_EQ(fields.number("count"), 3);
  EXPECT_EQ(fields.integer("big"), 1e18);
  EXPECT_EQ(fields.text("name"), "spiked");
  EXPECT_EQ(fields.one_of("name", {"isotropic", "spiked"}), "spiked");
  EXPECT_TRUE(fields.boolean("on"));
  EXPECT_EQ(fields.numbers("list"), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(fields.cells("list"), (std::vector<Cell>{1.0, 2.5}));
  EXPECT_EQ(Fields::from_text("x = ['a', 'b']").cells("x"),
            (std::vector<Cell>{std::string("a"), std::string("b")}));
  EXPECT_EQ(error_of([] { Fields::from_text("x = ['a', 1]").cells("x"); }),
            "x = [ 'a', 1 ]: expected an array of numbers, or of strings");
  EXPECT_EQ(fields.table("outer").table("inner").number("alpha"), 0.6);
  ASSERT_EQ(fields.tables("part").size(), 2u);
  EXPECT_EQ(fields.tables("part")[1].number("weight"), 2);
  EXPECT_EQ(fields.number_or("absent", 7), 7);
  EXPECT_EQ(fields.integer_or("count", 7), 3);
  EXPECT_FALSE(fields.boolean_or("absent", false));
  EXPECT_EQ(fields.text_or("absent", "x"), "x");
  EXPECT_TRUE(fields.is_table("outer"));
  EXPECT_TRUE(fields.is_array("list"));
  EXPECT_TRUE(fields.is_string("name"));
  EXPECT_FALSE(fields.has("absent"));
}

TEST(Fields, ErrorsNameTheDottedPathTheValueAndTheExpectation) {
  const Fields fields = Fields::from_text(kText);
  const Fields inner = fields.table("outer").table("inner");
  EXPECT_EQ(error_of([&] { inner.number("alpha", Range::within(1, 2)); }),
            "outer.inner.alpha = 0.6: expected a finite number >= 1 and <= 2");
  EXPECT_EQ(error_of([&] { inner.number("beta"); }),
            "outer.inner.beta = (missing): expected a number");
  EXPECT_EQ(error_of([&] { fields.text("count"); }), "count = 3: expected a string");
  EXPECT_EQ(error_of([&] { fields.integer("half"); }), "half = 0.5: expected a whole number");
  EXPECT_EQ(error_of([&] { fields.tables("part")[0].number("weight", Range::within(2, 3)); }),
            "part[0].weight = 1: expected a finite number >= 2 and <= 3");
  EXPECT_EQ(error_of([&] { fields.numbers("list", Range::within(0, 2)); }),
            "list[1] = 2.5: expected a finite number >= 0 and <= 2");
  EXPECT_NE(error_of([&] {
              fields.one_of("name", {"spikes", "isotropic"});
            }).find("\"spikes\", \"isotropic\" (\"spikes\"?)"),
            std::string::npos);
}

TEST(Fields, NanAndInfAreNoNumbers) {
  const Fields fields = Fields::from_text("a = nan\nb = inf\nc = [1, -inf]");
  EXPECT_THROW(fields.number("a"), InputError);
  EXPECT_THROW(fields.number("b"), InputError);
  EXPECT_THROW(fields.integer("b"), InputError);
  EXPECT_THROW(fields.numbers("c"), InputError);
}

TEST(Fields, MissingKeySuggestsTheMisspelling) {
  const Fields fields = Fields::from_text("alhpa = 1\n");
  EXPECT_EQ(error_of([&] { fields.number("alpha", Range::positive()); }),
            "alpha = (missing; was \"alhpa\" meant?): expected a number > 0");
}

TEST(Fields, UnknownKeysAreNamedWithTheKnownOnesWhereverTheyStand) {
  const Fields fields = Fields::from_text("a = 1\n[t]\nalpha = 1\nalfa = 2\n[[p]]\nw = 1\nz = 1");
  fields.number("a");
  const Fields table = fields.table("t");
  table.number("alpha");
  fields.tables("p")[0].number("w");
  EXPECT_EQ(error_of([&] { fields.reject_unknown({"t"}); }),
            "p[0].z: unknown key, did you mean "
            "\"w\"? (known here: w)");
  fields.tables("p")[0].number("z");
  EXPECT_EQ(error_of([&] { fields.reject_unknown(); }),
            "t.alfa: unknown key, did you mean \"alpha\"? (known here: alpha)");
  fields.reject_unknown({"t"});
  table.number("alfa");
  fields.reject_unknown();
}

TEST(Fields, SetReachesTablesAlreadyHandedOut) {
  const Fields fields = Fields::from_text(kText);
  const Fields inner = fields.table("outer").table("inner");
  Fields writable = fields;
  writable.set("outer.inner.alpha", 0.9);
  writable.set("new.key", std::string("value"));
  EXPECT_EQ(inner.number("alpha"), 0.9);
  EXPECT_EQ(fields.table("new").text("key"), "value");
  EXPECT_THROW(writable.set("outer.inner", 1.0), InputError);
  EXPECT_THROW(writable.set("count.deeper", 1.0), InputError);
  EXPECT_THROW(writable.set("a..b", 1.0), InputError);
}

TEST(Fields, SyntaxErrorsSayWhere) {
  const std::string error = error_of([] { Fields::from_text("a = 1\nb = = 2\n", "my.toml"); });
  EXPECT_EQ(error.rfind("my.toml:2:", 0), 0u) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
  EXPECT_THROW(Fields::from_file("/no/such/file.toml"), InputError);
  EXPECT_THROW(Fields::from_file("/"), InputError);
}

TEST(Fields, PathsStandBesideTheProblemFile) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("riskcurve-fields-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "p.toml") << "path = \"x.csv\"\nroot = \"/y.csv\"\n";
  const Fields fields = Fields::from_file((folder / "p.toml").string());
  EXPECT_EQ(fields.path("path"), (folder / "x.csv").string());
  EXPECT_EQ(fields.path("root"), "/y.csv");
}

TEST(Fields, ErrorsStayOneLineWhateverTheyQuote) {
  const Fields fields = Fields::from_text("\"a\\nb\\u001b[31m\" = 1\npath = \"x\\ny\"");
  EXPECT_EQ(error_of([&] { fields.reject_unknown(); }).substr(0, 20), "a b [31m: unknown ke");
  EXPECT_EQ(error_of([&] { read_matrix(fields.path("path") + ".csv", "f"); }),
            "f = x y.csv: expected a file that exists");
}

TEST(Fields, AnEmptyTableHasNothing) {
  const Fields fields;
  EXPECT_FALSE(fields.has("a"));
  fields.reject_unknown();
}

}  // namespace
}  // namespace riskcurve
