#include "riskcurve/dynamics/optimizers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>
#include <utility>

#include "dynamics/batches.hpp"
#include "dynamics/compose.hpp"
#include "dynamics/few_nodes.hpp"
#include "dynamics/signal.hpp"
#include "problem/target.hpp"

namespace riskcurve {
namespace {

/// Whether there is a mode_system for small signals, and one for any.
template <class Problem, class Of>
constexpr bool exists_for_small = requires(const Problem& problem, const Of& of) {
  mode_system(problem, of);
};
template <class Problem, class Of>
constexpr bool exists_for_any = requires(const Problem& problem, const Of& of, Grids grids) {
  mode_system(problem, of, Filter{}, grids);
};
/// Whether there are rates for any signal without a filter.
template <class Problem, class Of>
constexpr bool exists_bare_for_any = exists_for_any<Problem, Of> ||
                                     requires(const Problem& problem, const Of& of) {
  any_signal_system(problem, of);
};
template <class Problem, class Of>
constexpr bool exists = exists_for_small<Problem, Of> || exists_bare_for_any<Problem, Of>;

template <class Problem>
std::vector<std::string> names_for() {
  std::vector<std::string> names;
  const auto add = [&]<class Of>(std::type_identity<Of>) {
    if (exists<Problem, Of>) names.emplace_back(Of::name);
  };
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (add(std::type_identity<Of>{}), ...);
  }(std::type_identity<Optimizer>{});
  return names;
}

/// The filter that stands before the optimizer's map, if any.
template <class Of>
std::optional<Filter> filter_in(const Chain& chain) {
  if constexpr (TakesMomentum<Of>)
    if (chain.momentum && Of::momentum == Momentum::before)
      return Filter{(*chain.momentum)(0), chain.nesterov,
                    chain.momentum->kind != ConstantSchedule::kind};
  return {};
}

template <class Problem, class Of>
bool large_signal(const Problem& problem, const Of& of) {
  if constexpr (requires { signal_matters(problem, of); })
    return signal_matters(problem, of);
  else
    return any_signal_is_derived(problem, of) && signal_matters(problem, of.batch);
}

/// Whether a signal of any size is to be allowed for where a small one is known too. For the SDE,
/// which asks for whole grids, it is not derived.
template <class Problem, class Of>
bool sees_any_signal(const Experiment& experiment, const Problem& problem, const Of& of,
                     Grids grids) {
  if constexpr (exists_bare_for_any<Problem, Of>) {
    if constexpr (!exists_for_small<Problem, Of>) {
      if (experiment.signal == Signal::small)
        throw InputError("run.signal", "\"small\"", fmt::format("\"full\" with {}", Of::name));
      return true;
    } else {
      if (experiment.signal != Signal::automatic) return experiment.signal == Signal::full;
      const Chain& chain = experiment.chain;
      return grids != Grids::whole && !chain.batch && !chain.local && large_signal(problem, of);
    }
  }
  return false;
}

template <class Problem, class Of>
ModeSystem of_small_signal(const Problem& problem, const Of& optimizer, Grids grids) {
  if (const auto few = grids == Grids::compressed ? few_nodes(problem) : std::nullopt) {
    ModeSystem system = of_small_signal(few->problem, optimizer, Grids::listed);
    if constexpr (std::is_same_v<Problem, MatrixProblem>) {
      if (system.signal) system.signal = signal_of(problem, optimizer.batch);
    } else if (!few->even) {  // what is a sum over single directions is not known
      system.multiplicity.resize(0);
      system.drift_loss = nullptr;
    }
    if (few->even || !system.squares) return system;
  }
  if constexpr (requires { mode_system(problem, optimizer, grids); })
    return mode_system(problem, optimizer, grids);
  else
    return mode_system(problem, optimizer);
}

template <class Problem, class Of>
ModeSystem filled(const Problem& problem, const Of& optimizer, const Experiment& experiment,
                  Grids grids) {
  const Chain& chain = experiment.chain;
  if (!filter_in<Of>(chain) && sees_any_signal(experiment, problem, optimizer, grids)) {
    if constexpr (exists_for_any<Problem, Of>)
      return mode_system(problem, optimizer, Filter{}, grids);
    else if constexpr (requires { any_signal_system(problem, optimizer, grids); })
      return any_signal_system(problem, optimizer, grids);
    else if constexpr (exists_bare_for_any<Problem, Of>)
      return any_signal_system(problem, optimizer);
  }
  if (const auto filter = filter_in<Of>(chain)) {
    if constexpr (exists_for_any<Problem, Of>) {
      if (experiment.signal == Signal::small)
        throw InputError("run.signal", "\"small\"", "\"full\" with momentum before the map");
      return mode_system(problem, optimizer, *filter, grids);
    } else if constexpr (requires { mode_system(problem, optimizer, *filter); }) {
      if constexpr (requires { any_signal_system(problem, optimizer, *filter); })
        if (experiment.signal == Signal::full ||
            (experiment.signal == Signal::automatic && grids != Grids::whole &&
             signal_matters(problem, optimizer, *filter)))
          return any_signal_system(problem, optimizer, *filter);
      return mode_system(problem, optimizer, *filter);
    }
    throw InputError("optimizer.momentum", "before the map",
                     fmt::format("0: it is not derived for {}", Of::name));
  }
  if constexpr (exists_for_small<Problem, Of>) {
    return of_small_signal(problem, optimizer, grids);
  } else {
    throw InputError("optimizer.name", fmt::format("'{}'", Of::name),
                     fmt::format("one of \"{}\"", fmt::join(names_for<Problem>(), "\", \"")));
  }
}

/// Names what makes rates overflow by its name in the problem.
void check_rates(const ModeSystem& system, const Experiment& experiment) {
  if (system.weight.allFinite() && system.drift.allFinite() && system.diffusion.allFinite()) return;
  std::string name = "problem.covariance";
  const Covariance* largest = nullptr;
  if (experiment.is_matrix()) {
    const MatrixProblem& problem = experiment.matrix();
    const bool out = problem.covariance_out.spectrum.norm() > problem.covariance_in.spectrum.norm();
    largest = out ? &problem.covariance_out : &problem.covariance_in;
    name += out ? "_out" : "_in";
  } else {
    largest = &experiment.vector().covariance;
  }
  throw InputError(name + ", largest eigenvalue", largest->spectrum.norm(),
                   "less: the rates of " + system.optimizer + " are beyond the largest number");
}

/// l of w theta/h in the gradient of a map that ignores scale, as a power of its drift: so that
/// compressed modes have it too.
void add_inverse(ModeSystem& system) {
  Blocks& blocks = *system.blocks;
  const Eigen::ArrayXd& h = system.weight;
  blocks.inverse = (h > 0).select(1 / h.max(1e-300), 0.0);
  Eigen::Index top, low;
  const Eigen::ArrayXd drift = system.drift.col(0);
  drift.maxCoeff(&top);
  (h > 0).select(drift, HUGE_VAL).minCoeff(&low);
  const double power =
      drift[top] > drift[low] ? std::log(h[top] / h[low]) / std::log(drift[top] / drift[low]) : 0;
  const double first = 1 / h[top], at = drift[top];
  blocks.inverse_of = [=](double a) { return a > 0 ? first * std::pow(a / at, -power) : 0; };
}

/// Whether theta* is not -Delta_0 and the blocks hold it.
bool blocks_need_start(const Experiment& experiment) {
  return !experiment.is_matrix() && experiment.vector().theta_start &&
         (experiment.chain.weight_decay || experiment.chain.l2 > 0);
}

/// theta_0 != 0: X(0) = Delta_0 x_0 + theta_0 e, e the place of theta*, where x_0 is -1. Its three
/// products by their squares and that of the sum, as every mode sees them, so that they are
/// measures.
void add_start(ModeSystem& system, const Experiment& experiment) {
  const auto squares = [&](const Eigen::VectorXd& error) {
    Experiment other = experiment;
    other.chain = {};  // but for a filter, whose system may have modes of its own
    other.chain.momentum = experiment.chain.momentum;
    VectorProblem problem = other.vector();
    problem.initial_error = error;
    problem.initial = squares_of(problem.covariance, error);
    problem.theta_start.reset();
    other.problem = problem;
    return mode_system(other).initial;
  };
  const VectorProblem& problem = experiment.vector();
  Blocks& blocks = *system.blocks;
  const BlockMatrix from_error = blocks.start[0];
  const BlockVector x0 = from_error.col(0);
  const BlockVector e = (x0.array() < 0).select(BlockVector::Ones(blocks.size), 0.0);
  const BlockMatrix cross = x0 * e.transpose() + e * x0.transpose();
  blocks.start = {from_error - 0.5 * cross, e * e.transpose() - 0.5 * cross, 0.5 * cross};
  blocks.more_initial.resize(system.modes(), 2);
  blocks.more_initial.col(0) = squares(*problem.theta_start);
  blocks.more_initial.col(1) = squares(*problem.theta_start + *problem.initial_error);
}

constexpr double kNoMomentum = 1e-12;  // the buffer is the last gradient

/// The chain with the filter that the optimizer brings itself, and where it stands.
struct Around {
  Chain chain;
  Momentum kind = Momentum::after;
  Filter filter = {};
};
Around around(const Experiment& experiment, const ModeSystem& system) {
  Around result{experiment.chain};
  std::visit(
      [&]<class Of>(const Of& of) {
        if constexpr (requires { filter_of(of); }) {
          result.kind = Momentum::before;
          result.filter = filter_of(of);
          if (result.filter.momentum > 0 || *result.filter.share > 0)
            result.chain.momentum =
                constant_schedule(std::max(result.filter.momentum, kNoMomentum));
        } else if constexpr (TakesMomentum<Of>) {
          result.kind = Of::momentum;
        } else if (system.filtered) {
          result.kind = Momentum::before;
        }
        if (system.filtered && !result.chain.momentum)
          result.chain.momentum = constant_schedule(kNoMomentum);
      },
      experiment.optimizer);
  return result;
}

/// Puts what the chain states around the update.
void surround(ModeSystem& system, const Experiment& experiment, const Around& with) {
  const auto& [chain, kind, filter] = with;
  const bool pulled = chain.l2 > 0 && kind == Momentum::before;
  if (pulled) {
    // A fixed shift of the gradient meets E 1/|l| of all samples, the error's that of the others.
    const double momentum = chain.momentum ? (*chain.momentum)(0) : 0;
    if (!(batch_of(experiment.optimizer) * (1 + momentum) / (1 - momentum) > 1))
      throw InputError(
          "optimizer.l2", chain.l2,
          "0 at batch 1 without momentum: the sign of one sample's gradient answers to a "
          "shift without bound");
    if (!experiment.is_matrix() &&
        experiment.vector().covariance.orientation == Orientation::given &&
        experiment.vector().covariance.spectrum.size() > 1)
      throw InputError(
          "optimizer.l2", chain.l2,
          fmt::format("0 for a covariance matrix in given coordinates: l2 before {} is "
                      "derived for orientation \"generic\" and \"diagonal\"",
                      name_of(experiment.optimizer)));
  }
  system.blocks = blocks_of(chain, kind, batch_of(experiment.optimizer), filter);
  const bool before = chain.momentum && kind == Momentum::before;
  if (before && !system.filtered) system.blocks->before = 1;
  if ((before && !system.filtered) || system.squares)
    system.blocks->filtered_total = (system.drift.col(0) * system.multiplicity).sum();
  if (pulled) add_inverse(system);
  if (blocks_need_start(experiment)) add_start(system, experiment);
}

}  // namespace

std::vector<std::string> optimizer_names(bool matrix) {
  return matrix ? names_for<MatrixProblem>() : names_for<VectorProblem>();
}

ModeSystem mode_system(const Experiment& experiment, Grids grids) {
  validate(experiment.optimizer);
  validate(experiment);
  const auto of_batch = [&](int batch) {
    return std::visit(
        [&](const auto& problem, const auto& of) { return filled(problem, of, experiment, grids); },
        experiment.problem, with_batch(experiment.optimizer, batch));
  };
  ModeSystem system = experiment.chain.batch ? with_batches(*experiment.chain.batch, of_batch)
                                             : of_batch(batch_of(experiment.optimizer));
  system.optimizer = name_of(experiment.optimizer);
  if (system.filtered && experiment.chain.batch)
    throw InputError("optimizer.batch", "(a schedule)",
                     "one number where a signal of any size is allowed for");
  if (system.filtered && experiment.chain.local && experiment.chain.local->workers > 1)
    throw InputError("optimizer.local.workers", experiment.chain.local->workers,
                     "1 where a signal of any size is allowed for");
  check_rates(system, experiment);
  const Around with = around(experiment, system);
  if (!with.chain.empty() || system.squares) surround(system, experiment, with);
  const auto remark = [&](const Covariance& covariance) {
    if (!covariance.remark.empty()) system.warnings.push_back(covariance.remark);
  };
  if (experiment.is_matrix()) {
    remark(experiment.matrix().covariance_out);
    remark(experiment.matrix().covariance_in);
  } else {
    remark(experiment.vector().covariance);
  }
  return system;
}

Experiment with_small_signal(Experiment experiment) {
  const bool derived =
      std::visit([]<class Problem, class Of>(const Problem&,
                                             const Of&) { return exists_for_small<Problem, Of>; },
                 experiment.problem, experiment.optimizer);
  if (derived && experiment.signal == Signal::automatic && !experiment.chain.momentum)
    experiment.signal = Signal::small;
  return experiment;
}

bool any_signal_is_known(const MatrixProblem& problem, const Optimizer& optimizer) {
  return std::visit(
      [&](const auto& of) {
        if constexpr (requires { any_signal_is_derived(problem, of); })
          return any_signal_is_derived(problem, of);
        else
          return true;
      },
      optimizer);
}

std::optional<Spectral> spectral_of(const Experiment& experiment) {
  if (!experiment.is_matrix()) return {};
  return std::visit(
      [](const auto& optimizer) -> std::optional<Spectral> {
        if constexpr (requires { spectral_function(optimizer); }) {
          return Spectral{spectral_function(optimizer), optimizer.batch};
        } else {
          return {};
        }
      },
      experiment.optimizer);
}

}  // namespace riskcurve
