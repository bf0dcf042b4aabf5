#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// An update rule under the name that problem files give it.
template <class Update>
struct Registration {
  const char* name;
  Update (*make)(const Experiment&);
};

/// The update named in experiment.optimizer. Throws InputError that lists the names there are.
template <class Update>
Update update_of(std::span<const Registration<Update>> registered, const Experiment& experiment) {
  std::vector<std::string> names;
  for (const auto& entry : registered) names.emplace_back(entry.name);
  const std::string name = experiment.optimizer.one_of("name", names);
  return std::find_if(registered.begin(), registered.end(),
                      [&](const auto& entry) { return entry.name == name; })
      ->make(experiment);
}

}  // namespace riskcurve
