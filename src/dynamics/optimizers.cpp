#include "riskcurve/dynamics/optimizers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Fill = ModeSystem (*)(const Experiment&);

/// Every optimizer: its name in [optimizer] and how its mode system is filled.
const std::vector<std::pair<std::string, Fill>>& registry() {
  static const std::vector<std::pair<std::string, Fill>> entries = {
      {"sgd", [](const Experiment& e) { return sgd(e.problem, read_sgd(e.optimizer)); }},
      {"sign_sgd",
       [](const Experiment& e) { return sign_sgd(e.problem, read_sign_sgd(e.optimizer)); }},
      {"clipped_sgd",
       [](const Experiment& e) {
         return clipped_sgd(e.problem, read_clipped_sgd(e.optimizer, e.run.steps));
       }},
  };
  return entries;
}

}  // namespace

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const auto& [name, fill] : registry()) names.push_back(name);
  return names;
}

ModeSystem mode_system(const Experiment& experiment) {
  const std::string wanted = experiment.optimizer.one_of("name", optimizer_names());
  for (const auto& [name, fill] : registry())
    if (name == wanted) {
      ModeSystem system = fill(experiment);
      if (!experiment.problem.covariance.remark.empty())
        system.warnings.push_back(experiment.problem.covariance.remark);
      return system;
    }
  throw InputError("optimizer.name", wanted,
                   fmt::format("one of {}", fmt::join(optimizer_names(), ", ")));
}

}  // namespace riskcurve
