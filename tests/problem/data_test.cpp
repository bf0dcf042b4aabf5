#include "problem/data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "problem/number.hpp"
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

TEST(TextMatrix, MayBeginWithTheMarkAndTheHintOfExcel) {
  const Eigen::MatrixXd expected{{1, 2}, {3, 4}};
  EXPECT_EQ(read_matrix(write("a.csv",
                              "\xef\xbb\xbf"
                              "1,2\n3,4\n"),
                        "f"),
            expected);
  EXPECT_EQ(read_matrix(write("a.csv", "\xef\xbb\xbfsep=;\r\na;b\r\n1;2\r\n3;4\r\n"), "f"),
            expected);
}

TEST(TextMatrix, LinesMayEndInAnyWay) {
  const Eigen::MatrixXd expected{{1, 2}, {3, 4}};
  for (const char* text : {"1,2\n3,4\n", "1,2\r\n3,4\r\n", "1,2\r3,4\r", "1,2\r3,4",
                           "a,b\r1,2\r\n3,4\n", "1 2 \r3 4\r\r"})
    EXPECT_EQ(read_matrix(write("a.csv", text), "f"), expected) << text;
  EXPECT_EQ(error_of("b.csv", "1\r2\rx\r"), "line 3, column 1: \"x\": expected a number");
}

TEST(TextMatrix, QuotedNumbersAreNumbersAndNoHeader) {
  const Eigen::MatrixXd expected{{1.5, 2}, {3, -4}};
  for (const char* text :
       {"\"1.5\",\"2\"\n\"3\",\"-4\"\n", "\"a, m\",\"b \"\"in\"\" m\"\n\"1.5\" , 2\n3,\" -4 \"\n",
        "\"a;b\",c\n1.5,2\n3,-4", "\"1.5\" \"2\"\n3\t\"-4\"\n", "\"a\nb\",c\n1.5,2\n3,-4\n"})
    EXPECT_EQ(read_matrix(write("a.csv", text), "f"), expected) << text;
  EXPECT_EQ(error_of("b.csv", "\"1\",\"x\"\n"), "line 1, column 2: \"x\": expected a number");
  EXPECT_EQ(error_of("b.csv", "\"1\"2,3\n"), "line 1, column 1: \"\"1\"2\": expected a number");
  EXPECT_EQ(error_of("b.csv", "\"a,b\n1,2\n"), "line 1: expected an end of the quoted cell");
  EXPECT_EQ(error_of("b.csv", "\"a\nb\",c\n1,x\n"), "line 3, column 2: \"x\": expected a number");
}

TEST(TextMatrix, EveryLineMayEndInASeparatorOrNone) {
  const Eigen::MatrixXd expected{{1, 2}, {3, 4}};
  for (const char* text :
       {"1,2,\n3,4,\n", "1;2;\r\n3;4;\r\n", "a,b\n1,2,\n3,4,\n", "a,b,\n1,2 ,\n3,4, \n"})
    EXPECT_EQ(read_matrix(write("a.csv", text), "f"), expected) << text;
  EXPECT_EQ(read_column(write("a.csv", "1,\n2,\n"), "f").size(), 2);
  EXPECT_EQ(error_of("b.csv", "1,2,\n3,4\n"),
            "line 2, no separator at its end: expected one, as on the lines above");
  EXPECT_EQ(error_of("b.csv", "1,2\n3,4,\n"),
            "line 2, \",\" at its end: expected none, as on the lines above");
  EXPECT_EQ(error_of("b.csv", "1,2,\n3,,\n"), "line 2, column 2: \"\": expected a number");
  // A name says that there is a cell.
  EXPECT_EQ(error_of("b.csv", "a,b,c\n1,2,\n3,4,\n"), "line 2, column 3: \"\": expected a number");
}

TEST(TextMatrix, DecimalCommasAreReadWhereTheySeparateNothing) {
  const Eigen::MatrixXd expected{{1.5, -2.25}, {3, 0.5}};
  for (const char* text :
       {"1,5;-2,25\n3;,5\n", "a;b\n1,5;-2,25;\n3;0,5;\n", "\"1,5\";\"-2,25\"\n3;0,5\n",
        "1,5\t-2,25\n3\t0,5\n", "1,5 -2,25\n3 0,5\n"})
    EXPECT_EQ(read_matrix(write("a.csv", text), "f"), expected) << text;
  EXPECT_EQ(read_matrix(write("a.csv", "1, 5\t, 2\n"), "f"), (Eigen::MatrixXd{{1, 5, 2}}));
  const std::string thousands =
      "a number; decimal commas are read between semicolons or blanks, thousands never";
  EXPECT_EQ(error_of("b.csv", "1.234,5;2\n"),
            "line 1, column 1: \"1.234,5\": expected " + thousands);
  EXPECT_EQ(error_of("b.csv", "1;2,345,678\n"),
            "line 1, column 2: \"2,345,678\": expected " + thousands);
  EXPECT_EQ(error_of("b.csv", "\"1,234\",5\n"),
            "line 1, column 1: \"1,234\": expected " + thousands);
  EXPECT_EQ(error_of("b.csv", "1.234,50;2.000,00\n1;2\n"),
            "line 1, column 1: \"1.234,50\": expected " + thousands);  // no header
  EXPECT_EQ(error_of("b.csv", "1,5;2\n3;2.5\n"),
            "line 2, column 2: \"2.5\": expected the decimal mark of line 1");
  EXPECT_EQ(error_of("b.csv", "1,2;\n3,4;\n"),
            "line 1, \"1,2;\": expected either a decimal comma or numbers separated by commas");
}

TEST(TextMatrix, RowNumbersOfPandasAndRAreNoData) {
  const std::string expected =
      "line 1: no name above the first column: expected data without row numbers (pandas: "
      "index=False, R: row.names=FALSE)";
  EXPECT_EQ(error_of("b.csv", ",a,b\n0,1.5,2\n1,3,4\n"), expected);
  EXPECT_EQ(error_of("b.csv", "\"\",\"V1\",\"V2\"\n\"1\",0.1,0.2\n"), expected);
  EXPECT_EQ(error_of("b.txt", "\"V1\" \"V2\"\n\"1\" 0.1 0.2\n"), expected);
  EXPECT_EQ(read_matrix(write("a.txt", "some words\n1 2 3\n"), "f").cols(), 3);
}

TEST(TextMatrix, OtherFormatsAreNamed) {
  using namespace std::string_literals;
  const std::string zip = "PK\x03\x04" + std::string(22, '\x01');
  const auto zipped = [&](const std::string& name) {
    return zip + static_cast<char>(name.size()) + "\0\0\0"s + name + "\x01\x02";
  };
  const std::string expected = ": expected numbers as text, one row a line (export it as .csv)";
  for (const auto& [bytes, name] : std::vector<std::pair<std::string, std::string>>{
           {zipped("x.npy"), "an .npz archive of NumPy"},
           {zipped("[Content_Types].xml"), "an Excel workbook (.xlsx)"},
           {zipped("mimetype"), "an OpenDocument file (.ods)"},
           {zipped("data.csv"), "a zip archive"},
           {"PK\x03\x04", "a zip archive"},
           {"\x89HDF\r\n\x1a\n\0\0"s, "an HDF5 file"},
           {"%PDF-1.7\n", "a PDF document"},
           {"PAR1\x15", "a Parquet file"},
           {"\xff\xfe"
            "1\0,\0"
            "2\0"s,
            "UTF-16 text"},
           {"1\0,\0"
            "2\0"s,
            "UTF-16 text"},
           {"\0"
            "1\0,\0"
            "2"s,
            "UTF-16 text"},
           {"\n<!DOCTYPE html>\n", "a web page (HTML)"},
           {"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer without its file"},
           {npy("<f8", "(1,)", false, raw<double>({1})), "a NumPy array (.npy)"},
           {"1,2\n\x01\x02", "byte 4: 0x01"}})
    EXPECT_EQ(error_of("b.csv", bytes), name + expected);
  EXPECT_EQ(error_of("b.npy", zipped("x.npy")),
            "an .npz archive of NumPy: expected an npy file, which begins with \\x93NUMPY");
}

TEST(TextMatrix, ErrorsHoldNoBytesThatATerminalCannotShow) {
  EXPECT_EQ(error_of("b.csv", "1,\xe9\x80\n"),
            "line 1, column 2: \"\\xe9\\x80\": expected a number");
  EXPECT_EQ(error_of("b.csv",
                     "1,2\xc2\xa0"
                     "000\n"),
            "line 1, column 2: \"2<U+00A0>000\": expected a number");
  EXPECT_EQ(error_of("b.csv",
                     "1,\xc2\x9b"
                     "31m\n"),
            "line 1, column 2: \"<U+009B>31m\": expected a number");
  EXPECT_EQ(error_of("b.csv", "1,\xce\xbb\n"), "line 1, column 2: \"\xce\xbb\": expected a number");
  std::string long_cell = "x";
  for (int i = 0; i < 30; ++i) long_cell += "\xce\xbb";
  EXPECT_EQ(error_of("b.csv", "1," + long_cell + "\n"),
            "line 1, column 2: \"" + long_cell.substr(0, 39) + "\": expected a number");
  EXPECT_EQ(error_of("b.npy", npy("\x1b[31m\xff", "(1,)", false, "")),
            "header, descr ' [31m\\xff': expected little-endian float32, float64, int32, int64 or "
            "uint8");
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
  const std::string row = write("a.npy", npy("|u1", "(1, 3)", true, raw<std::uint8_t>({4, 5, 6})));
  EXPECT_TRUE((read_column(row, "f") == Eigen::Array3d(4, 5, 6)).all());
  const std::string both = write("a.npy", npy("|u1", "(3, 2)", true, std::string(6, '\1')));
  try {
    read_column(both, "f");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("3 x 2 numbers: expected a single row or column"),
              std::string::npos)
        << error.what();
  }
}

TEST(NpyMatrix, OfThreeAxesIsRefusedWithItsShape) {
  const std::string six = raw<std::uint8_t>({1, 2, 3, 4, 5, 6});
  for (const bool fortran : {false, true})
    EXPECT_EQ(error_of("b.npy", npy("|u1", "(2, 3, 1)", fortran, six)),
              "header, shape (2, 3, 1): expected an array of one axis or two, as by "
              "x.reshape(len(x), -1)");
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
}

/// `bytes` as one gzip member.
std::string gzipped(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(GzipFile, IsReadAsWhatItHoldsUnderAnyName) {
  const std::string text = gzipped("a,b\n1,2\n3,255\n");
  const std::string array = gzipped(npy("<f8", "(2, 2)", false, raw<double>({1, 2, 3, 255})));
  const std::string images =
      gzipped(std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x01\x02\x03\xff", 20));
  const Eigen::MatrixXd expected{{1, 2}, {3, 255}};
  for (const char* name : {"a.csv.gz", "a.txt.gz", "a.csv", "a.gz"})
    EXPECT_EQ(read_matrix(write(name, text), "f"), expected) << name;
  for (const char* name : {"a.npy.gz", "a.npy", "a.gz"})
    EXPECT_EQ(read_matrix(write(name, array), "f"), expected) << name;
  for (const char* name : {"a-idx3-ubyte.gz", "a.idx.gz", "a-ubyte", "a.gz"})
    EXPECT_EQ(read_matrix(write(name, images), "f"), expected) << name;
  // Unpacked already, as browsers do.
  EXPECT_EQ(read_matrix(write("a.csv.gz", "1,2\n3,255\n"), "f"), expected);
}

TEST(GzipFile, MayHoldMembersAndPaddingAndALot) {
  const Eigen::MatrixXd expected{{1, 2}, {3, 4}};
  const std::string members = gzipped("1,2\n") + gzipped("3,4\n");
  EXPECT_EQ(read_matrix(write("a.csv.gz", members), "f"), expected);
  EXPECT_EQ(read_matrix(write("a.csv.gz", members + std::string(100, '\0')), "f"), expected);
  std::string lines;
  for (int i = 0; i < 200000; ++i) lines += "0,0\n";
  EXPECT_EQ(read_matrix(write("a.csv.gz", gzipped(lines)), "f"), Eigen::MatrixXd::Zero(200000, 2));
}

TEST(GzipFile, CutShortOrCorruptIsOneClearLine) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::to_string(i * i) + "\n";
  const std::string good = gzipped(text);
  ASSERT_EQ(error_of("b.csv.gz", good), "no error");
  for (std::size_t size = 2; size < good.size(); size += 3)
    EXPECT_EQ(
        error_of("b.csv.gz", good.substr(0, size)),
        "gzip data, " + std::to_string(size) + " bytes: expected the whole of them (truncated)");
  for (std::size_t at = 20; at < good.size() - 4; at += 17) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_THAT(error_of("b.csv.gz", bad), testing::AllOf(testing::StartsWith("gzip data, "),
                                                          testing::Not(testing::HasSubstr("\n"))))
        << at;
  }
  EXPECT_EQ(error_of("b.csv.gz", gzipped(good)),
            "gzip data in gzip data: expected numbers as text, one row a line (export it as .csv)");
}

TEST(Number, IsReadTheSameByStrtod) {
  for (const char* text : {"1",
                           "+1",
                           "-1.5",
                           ".5",
                           "5.",
                           "1e5",
                           "1E-5",
                           "1e999",
                           "-1e999",
                           "1e-999",
                           "0e-999",
                           "5e-324",
                           "1e-320",
                           "1.7976931348623157e308",
                           "1.8e308",
                           "0.1",
                           "9007199254740993",
                           "inf",
                           "-inf",
                           "nan",
                           "infinity",
                           "",
                           "+",
                           "-",
                           "+-1",
                           "-+1",
                           "++1",
                           " 1",
                           "1 ",
                           "0x10",
                           "1,5",
                           "1e",
                           "1e+",
                           "e5",
                           ".",
                           "1.2.3",
                           "--1",
                           "1f",
                           "1_000",
                           "0.000000000000000000000000000000000000000000000000000000001",
                           "12345678901234567890123456789012345678901234567890123456789012345678901"
                           "2345678901234567890"}) {
    double x = -7, y = -7;
    EXPECT_EQ(parse_number(text, x), parse_number_by_strtod(text, y)) << text;
    if (parse_number(text, x) && x == x) {
      EXPECT_EQ(x, y) << text;
    }
  }
  double x = 0;
  const std::string longer = "12345";
  EXPECT_TRUE(parse_number_by_strtod(std::string_view(longer).substr(0, 2), x));
  EXPECT_EQ(x, 12);
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
