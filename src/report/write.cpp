#include "riskcurve/report/write.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {
namespace {

std::string extension(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

}  // namespace

void save(const Record& record, const std::string& path,
          const std::function<bool(double fraction)>& progress) {
  check_output("--out", path, {".csv", ".json", ".npz"});
  const std::string kind = extension(path);
  write_file(path, kind == ".csv"    ? to_csv(record, progress)
                   : kind == ".json" ? to_json(record, progress) + "\n"
                                     : to_npz(record));
}

void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& extensions) {
  if (std::find(extensions.begin(), extensions.end(), extension(path)) == extensions.end()) {
    throw InputError(option, path,
                     fmt::format("a file name ending in {}", fmt::join(extensions, " or ")));
  }
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw InputError(option, path, "a file in a folder that exists");
  }
  if (std::filesystem::is_directory(path)) throw InputError(option, path, "a file, not a folder");
}

}  // namespace riskcurve
