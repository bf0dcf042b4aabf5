#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

struct Outcome {
  int code;  ///< exit code; -1 where a signal ended it
  std::string out, err;
};

/// The program under test: ctest names it, and alone a test takes the one of the build.
inline std::string program() {
  const char* given = std::getenv("RISKCURVE");
  return given ? given : RISKCURVE_BINARY_DIR "/src/riskcurve";
}

/// Runs the riskcurve command as a user's script would, in a folder that goes with the test.
class CommandFixture : public ::testing::Test {
 protected:
  CommandFixture() { std::filesystem::create_directories(folder); }
  ~CommandFixture() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
  }
  std::string contents(const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(folder / name, std::ios::binary).rdbuf();
    return bytes.str();
  }
  /// A shell line in the folder, $R the command; its output stays in out.txt and err.txt.
  int shell(const std::string& line) const {
    const std::string all = "cd '" + folder.string() + "' && R='" + program() + "'; " + line +
                            " >out.txt 2>err.txt </dev/null";
    const int status = std::system(all.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  Outcome outcome(const std::string& line) const {
    const int code = shell(line);
    return {code, contents("out.txt"), contents("err.txt")};
  }

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("riskcurve-cli-" + std::to_string(getpid()));
};
