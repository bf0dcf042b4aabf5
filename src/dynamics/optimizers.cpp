#include "riskcurve/dynamics/optimizers.hpp"

#include <algorithm>

namespace riskcurve {
namespace {

/// An optimizer: its name in [optimizer], and how it fills the mode system of either geometry
/// (null where it does not exist).
struct Entry {
  std::string name;
  ModeSystem (*vector)(const VectorProblem&, const Experiment&);
  ModeSystem (*matrix)(const MatrixProblem&, const Experiment&, Grids);
};

template <class Problem, class... Grid>
ModeSystem fill_sgd(const Problem& problem, const Experiment& e, Grid...) {
  return sgd(problem, read_sgd(e.optimizer));
}
template <class Problem, class... Grid>
ModeSystem fill_sign_sgd(const Problem& problem, const Experiment& e, Grid...) {
  return sign_sgd(problem, read_sign_sgd(e.optimizer));
}
ModeSystem fill_clipped_sgd(const VectorProblem& problem, const Experiment& e) {
  return clipped_sgd(problem, read_clipped_sgd(e.optimizer, e.run.steps));
}
ModeSystem fill_spectral(const MatrixProblem& problem, const Experiment& e, Grids grids) {
  return spectral(problem, read_spectral(e.optimizer), grids);
}

const std::vector<Entry>& registry() {
  static const std::vector<Entry> entries = {
      {"sgd", fill_sgd<VectorProblem>, fill_sgd<MatrixProblem, Grids>},
      {"sign_sgd", fill_sign_sgd<VectorProblem>, fill_sign_sgd<MatrixProblem, Grids>},
      {"clipped_sgd", fill_clipped_sgd, nullptr},
      {"sign_svd", nullptr, fill_spectral},
      {"schatten", nullptr, fill_spectral},
      {"regularized_svd", nullptr, fill_spectral},
  };
  return entries;
}

const Entry& entry_of(const Experiment& experiment) {
  const std::string wanted =
      experiment.optimizer.one_of("name", optimizer_names(experiment.is_matrix()));
  return *std::find_if(registry().begin(), registry().end(),
                       [&](const Entry& e) { return e.name == wanted; });
}

}  // namespace

std::vector<std::string> optimizer_names(bool matrix) {
  std::vector<std::string> names;
  for (const Entry& entry : registry())
    if (matrix ? entry.matrix != nullptr : entry.vector != nullptr) names.push_back(entry.name);
  return names;
}

ModeSystem mode_system(const Experiment& experiment, Grids grids) {
  const bool matrix = experiment.is_matrix();
  const Entry& entry = entry_of(experiment);
  ModeSystem system = matrix ? entry.matrix(experiment.matrix(), experiment, grids)
                             : entry.vector(experiment.vector(), experiment);
  const auto remark = [&](const Covariance& covariance) {
    if (!covariance.remark.empty()) system.warnings.push_back(covariance.remark);
  };
  if (matrix) {
    remark(experiment.matrix().covariance_out);
    remark(experiment.matrix().covariance_in);
  } else {
    remark(experiment.vector().covariance);
  }
  return system;
}

std::optional<Spectral> spectral_of(const Experiment& experiment) {
  if (!experiment.is_matrix() || entry_of(experiment).matrix != fill_spectral) return {};
  const SpectralOptimizer optimizer = read_spectral(experiment.optimizer);
  return Spectral{spectral_function(optimizer), optimizer.batch};
}

}  // namespace riskcurve
