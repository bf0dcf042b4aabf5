#include "riskcurve/problem/data.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

std::string write(const std::string& name, const std::string& bytes) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("riskcurve-data-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / name).string();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// What the error says after the path.
std::string error_of(const std::string& name, const std::string& bytes) {
  const std::string path = write(name, bytes);
  try {
    read_matrix(path, "data.path");
  } catch (const InputError& error) {
    const std::string line = error.what(), prefix = "data.path = " + path + ", ";
    return line.rfind(prefix, 0) == 0 ? line.substr(prefix.size()) : "misnamed: " + line;
  }
  return "no error";
}

template <class T>
std::string raw(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

std::string npy(const std::string& descr, const std::string& shape, bool fortran,
                const std::string& data) {
  std::string header = "{'descr': '" + descr +
                       "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
         data;
}

TEST(TextMatrix, AcceptsEverySeparatorHeadersAndCarriageReturns) {
  const Eigen::MatrixXd expected{{1, -2.5, 3e-3}, {4, 5, 6}};
  EXPECT_EQ(read_matrix(write("a.csv", "x,y,z\r\n1,-2.5, 3e-3\r\n4,+5,6\r\n"), "f"), expected);
  EXPECT_EQ(read_matrix(write("a.csv", "1;-2.5;.003\n4;5;6"), "f"), expected);
  EXPECT_EQ(read_matrix(write("a.txt", "# note\n  1   -2.5\t3e-3\n\n4 5 6\n"), "f"), expected);
}

TEST(TextMatrix, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("b.csv", "1,2\n3\n"),
            "line 2, 1 numbers: expected 2 numbers, as on the lines above");
  EXPECT_EQ(error_of("b.csv", "1,2\n3,x\n"), "line 2, column 2: \"x\": expected a number");
  EXPECT_EQ(error_of("b.csv", "1,2\n3,\n"), "line 2, column 2: \"\": expected a number");
  EXPECT_EQ(error_of("b.csv", "1,x\n3,4\n"), "line 1, column 2: \"x\": expected a number");
  EXPECT_EQ(error_of("b.csv", "1,2\n3,nan\n"),
            "line 2, column 2: \"nan\": expected a finite number");
  EXPECT_EQ(error_of("b.csv", "1,1e999\n"), "line 1, column 2: \"1e999\": expected a number");
  EXPECT_EQ(error_of("b.csv", ""), "the whole file: expected at least one line of numbers");
  EXPECT_EQ(error_of("b.csv", "a,b\n"), "the whole file: expected at least one line of numbers");
}

TEST(Matrix, MissingFilesAndUnknownEndingsAreNamed) {
  EXPECT_THROW(read_matrix("/no/such.csv", "f"), InputError);
  EXPECT_THROW(read_matrix(testing::TempDir() + ".csv/", "f"), InputError);
  EXPECT_THROW(read_matrix(write("a.xls", "1"), "f"), InputError);
}

TEST(NpyMatrix, ReadsEveryTypeInBothOrders) {
  const Eigen::MatrixXd expected{{1, 2, 3}, {4, 5, 6}};
  const auto check = [&](const std::string& descr, const std::string& data, bool fortran) {
    EXPECT_EQ(read_matrix(write("a.npy", npy(descr, "(2, 3)", fortran, data)), "f"), expected)
        << descr;
  };
  check("<f8", raw<double>({1, 2, 3, 4, 5, 6}), false);
  check("<f8", raw<double>({1, 4, 2, 5, 3, 6}), true);
  check("<f4", raw<float>({1, 2, 3, 4, 5, 6}), false);
  check("<i8", raw<std::int64_t>({1, 2, 3, 4, 5, 6}), false);
  check("<i4", raw<std::int32_t>({1, 4, 2, 5, 3, 6}), true);
  check("|u1", raw<std::uint8_t>({1, 2, 3, 4, 5, 6}), false);
  const std::string vector = write("a.npy", npy("<f8", "(3,)", false, raw<double>({1, 2, 3})));
  EXPECT_TRUE((read_column(vector, "f") == Eigen::Array3d(1, 2, 3)).all());
  // Images: further axes are flattened to rows.
  EXPECT_EQ(read_matrix(write("a.npy", npy("|u1", "(2, 3, 1)", false,
                                           raw<std::uint8_t>({1, 2, 3, 4, 5, 6}))),
                        "f"),
            expected);
}

TEST(NpyMatrix, BadFilesAreNamedAtTheirByteWithoutTrustingTheHeader) {
  const std::string six = raw<double>({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(error_of("b.npy", "hello, this is text"),
            "byte 0: expected an npy file, which begins with \\x93NUMPY");
  EXPECT_EQ(error_of("b.npy", npy("<f8", "(2, 3)", false, six.substr(0, 40))),
            "40 bytes after the header: expected 2 x 3 entries of 8 bytes (truncated)");
  EXPECT_EQ(error_of("b.npy", npy("<f8", "(2, 3)", false, six + "x")),
            "49 bytes after the header: expected 2 x 3 entries of 8 bytes");
  for (const char* shape :
       {"(4000000000, 4000000000)", "(18446744073709551615, 2)", "(3, 9999999)"})
    EXPECT_NE(error_of("b.npy", npy("<f8", shape, false, six)).find("(truncated)"),
              std::string::npos);
  for (const char* shape : {"(99999999999999999999, 2)", "(-1, 2)", "(2, x)", "()", "2"})
    EXPECT_NE(error_of("b.npy", npy("<f8", shape, false, six)).find("header"), std::string::npos);
  EXPECT_NE(error_of("b.npy", npy("<f8", "(0, 3)", false, six)).find("no axis of length 0"),
            std::string::npos);
  EXPECT_NE(error_of("b.npy", npy(">f8", "(2, 3)", false, six)).find("little-endian"),
            std::string::npos);
  EXPECT_NE(error_of("b.npy", npy("<f8", "(1, 2)", false, raw<double>({1, NAN})))
                .find("nan: expected a finite number"),
            std::string::npos);
  const std::string good = npy("<f8", "(2, 3)", false, six);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(error_of("b.npy", good.substr(0, size)), "no error") << size;
}

TEST(IdxMatrix, ReadsImagesRowByRowAndRejectsEveryTruncation) {
  const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x01\x02\x03\xff", 20);
  const Eigen::MatrixXd expected{{1, 2}, {3, 255}};
  EXPECT_EQ(read_matrix(write("images-idx3-ubyte", images), "f"), expected);
  EXPECT_EQ(read_matrix(write("images.idx", images), "f"), expected);
  for (std::size_t size = 0; size < images.size(); ++size)
    EXPECT_NE(error_of("b.idx", images.substr(0, size)), "no error") << size;
  EXPECT_EQ(error_of("b.idx", images + "x"),
            "5 bytes after the header: expected 2 x 1 x 2 entries of 1 bytes");
  const std::string huge("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 17);
  EXPECT_NE(error_of("b.idx", huge).find("(truncated)"), std::string::npos);
  EXPECT_NE(error_of("b.idx", "\x1f\x8b\x08 gzip").find("gunzip"), std::string::npos);
}

TEST(Column, TakesARowOrAColumnOnly) {
  EXPECT_EQ(read_column(write("c.csv", "1\n2\n3\n"), "f").size(), 3);
  EXPECT_EQ(read_column(write("c.csv", "1,2,3\n"), "f").size(), 3);
  EXPECT_THROW(read_column(write("c.csv", "1,2\n3,4\n"), "f"), InputError);
}

TEST(BundledDigits, AreAsTheirReadmeSays) {
  const Eigen::MatrixXd digits =
      read_matrix(RISKCURVE_SOURCE_DIR "/validation/data/digits.csv", "f");
  EXPECT_EQ(digits.rows(), 1797);
  EXPECT_EQ(digits.cols(), 65);
  EXPECT_EQ(digits.minCoeff(), 0);
  EXPECT_EQ(digits.leftCols(64).maxCoeff(), 16);
  EXPECT_EQ(digits.col(64).maxCoeff(), 9);
}

}  // namespace
}  // namespace riskcurve
