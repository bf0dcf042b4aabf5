#pragma once
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <typeinfo>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve::fuzz {

/// What no number of a file should be able to break; whole numbers, fractions and no numbers.
inline const std::vector<std::string> kHardNumbers = {"0",
                                                      "-0.0",
                                                      "-1",
                                                      "1",
                                                      "2",
                                                      "0.5",
                                                      "1.0000000000000002",
                                                      "9",
                                                      "1e18",
                                                      "1e300",
                                                      "-1e300",
                                                      "1e308",
                                                      "-inf",
                                                      "1e-300",
                                                      "5e-324",
                                                      "1e-310",
                                                      "nan",
                                                      "inf",
                                                      "1e999",
                                                      "1e15",
                                                      "1e9",
                                                      "1000000",
                                                      "4294967296",
                                                      "2147483648",
                                                      "\"\"",
                                                      "\"x\"",
                                                      "[]",
                                                      "[1]",
                                                      "{}",
                                                      "true",
                                                      "9223372036854775807"};

/// A source of inputs: random bytes, and valid ones that were damaged. The same at every run.
class Source {
 public:
  explicit Source(std::uint64_t seed) : random_(seed, 0, 0) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  char byte() { return static_cast<char>(random_()); }
  std::string bytes(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = byte();
    return text;
  }
  /// Random characters of `alphabet`: nearer to a text format than random bytes.
  std::string of(const std::string& alphabet, std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = alphabet[below(alphabet.size())];
    return text;
  }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  /// `text` after one to three edits; `other` is what parts may be taken from.
  std::string damaged(std::string text, const std::string& other) {
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) edit(text, other);
    return text;
  }
  /// `text` with one of its numbers, if it has any, replaced by a hard one.
  std::string renumbered(std::string text) {
    const char* const digits = "0123456789";
    const std::size_t from = text.find_first_of(digits, below(text.size() + 1));
    if (from == text.npos) return text;
    const std::size_t to = std::min(text.find_first_not_of("0123456789.eE+-", from), text.size());
    return text.replace(from, to - from, pick(kHardNumbers));
  }

 private:
  void edit(std::string& text, const std::string& other) {
    const std::size_t at = below(text.size() + 1),
                      length = below(1 + std::min<std::size_t>(text.size() - at, 24));
    switch (below(9)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = byte();
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, bytes(6));
        break;
      case 4:
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
      case 5:
        text.resize(at);
        break;
      case 6:
        text = text.substr(0, at) + other.substr(std::min(other.size(), below(other.size() + 1)));
        break;
      case 7:
        text.replace(at, length, length, below(2) ? '\xff' : '\0');
        break;
      default:
        text = renumbered(text);
    }
  }
  Random random_;
};

/// The input as it would be typed into a string literal, so that a failure can be taken from the
/// log into a test.
inline std::string literal(const std::string& bytes) {
  std::string text = "\"";
  const char* const hex = "0123456789abcdef";
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n\"\n\"";
    } else if (code < 32 || code > 126) {
      text += std::string("\\x") + hex[code / 16] + hex[code % 16] + "\"\"";
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

/// How many inputs were taken and how many refused.
struct Tally {
  int taken = 0, refused = 0;
};

inline void expect_one_line(const std::string& line, const std::string& input) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
  EXPECT_FALSE(line.empty()) << literal(input);
  EXPECT_TRUE(std::none_of(line.begin(), line.end(), control)) << literal(line) << "\nfrom\n"
                                                               << literal(input);
}

/// Expects `read` to take the input, or to refuse it by an InputError of one line. With
/// `may_fail`, a Failure is as good.
template <class Read>
void expect_taken_or_refused(const std::string& input, Tally& tally, const Read& read,
                             bool may_fail = false) {
  try {
    read();
    ++tally.taken;
  } catch (const InputError& error) {
    expect_one_line(error.what(), input);
    ++tally.refused;
  } catch (const Failure& error) {
    EXPECT_TRUE(may_fail) << "Failure: " << error.what() << "\nfrom\n" << literal(input);
    expect_one_line(error.what(), input);
    ++tally.refused;
  } catch (const std::exception& error) {
    ADD_FAILURE() << typeid(error).name() << ": " << error.what() << "\nfrom\n" << literal(input);
  }
}

/// A folder of the test's own, gone at its end; the test may not grow the program by 1 GiB.
class Folder : public ::testing::Test {
 protected:
  Folder() { std::filesystem::create_directories(folder); }
  ~Folder() override { std::filesystem::remove_all(folder); }
  void TearDown() override { EXPECT_LT(largest_size() - before_, 1L << 20) << "KiB of growth"; }
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::string path = (folder / name).string();
    std::filesystem::remove(path);  // some file systems write a truncated file out at once
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("riskcurve-fuzz-" + std::to_string(getpid()));

 private:
  static long largest_size() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }
  long before_ = largest_size();
};

}  // namespace riskcurve::fuzz
