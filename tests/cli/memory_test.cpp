#include <algorithm>

#include "command_fixture.hpp"

namespace {

class MemoryCommand : public CommandFixture {
 protected:
  void SetUp() override {
    if (!program().ends_with("/riskcurve")) GTEST_SKIP() << "a sanitizer needs terabytes";
  }
};

const std::string large_matrix = R"([problem]
geometry = "matrix"
covariance_out = { kind = "isotropic", dimension = 1024 }
covariance_in = { kind = "isotropic", dimension = 1024 }
target = { kind = "isotropic", risk = 1.0 }
noise = { kind = "gaussian", std = 0.3 }
[optimizer]
name = "sign_svd"
batch = 1024
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = 1
)";

// OpenBLAS asks without end for work space that a limit denies it.
TEST_F(MemoryCommand, AMatrixTooLargeForALimitEndsInOneLineAtOnce) {
  write("matrix.toml", large_matrix);
  for (const int kilobytes : {100000, 200000, 300000, 400000}) {
    const Outcome o = outcome("ulimit -v " + std::to_string(kilobytes) +
                              "; timeout 60 \"$R\" simulate matrix.toml --runs 4 --threads 4");
    EXPECT_EQ(o.code, 1) << kilobytes << o.err;
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    EXPECT_NE(o.err.find("not enough"), std::string::npos) << o.err;
    EXPECT_EQ(o.out, "");
  }
}

TEST_F(MemoryCommand, WhatNeedsNoMatrixProductsRunsUnderTheSameLimit) {
  write("vector.toml", R"([problem]
covariance = { kind = "isotropic", dimension = 100 }
target = { kind = "isotropic", risk = 1.0 }
noise = { kind = "gaussian", std = 0.3 }
[optimizer]
name = "sgd"
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = 10
)");
  const Outcome o = outcome("ulimit -v 300000; timeout 60 \"$R\" simulate vector.toml --threads 2");
  EXPECT_EQ(o.code, 0) << o.err;
}

}  // namespace
