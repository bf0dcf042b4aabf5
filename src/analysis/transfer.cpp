#include "riskcurve/analysis/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "analysis/counterparts.hpp"
#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr Index kPoints = 5;
const std::string kWide = "aspect_wide", kTall = "aspect_tall";

/// A reason to skip.
struct Skipped {
  std::string why;
};

/// x, 2x, 4x, ...
ArrayXd doubled(double x) {
  ArrayXd values(kPoints);
  for (double& value : values) value = std::exchange(x, 2 * x);
  return values;
}

/// x and its multiples by powers of two; from x/4 on, or as near to it as stays whole.
ArrayXd doublings(double x, bool whole) {
  double from = x / 4;
  while (whole && from != std::floor(from)) from *= 2;
  return doubled(from);
}

/// "noise of kind mixture has no single size" and the like, in words of the problem.
Skipped no_size(const Experiment& experiment) {
  const NoiseLaw& noise = experiment.noise();
  if (noise.variance == 0) return {"no noise whose size could vary"};
  const bool residuals = !experiment.is_matrix() && experiment.vector().row_residuals;
  return {fmt::format("noise of kind {} has no single size", residuals ? "residuals" : noise.kind)};
}

/// Whether a target can be stated again for a problem of another dimension.
template <class Target>
bool is_a_formula(const Target& target) {
  return std::visit([](const auto& of) { return !(requires { of.path; }); }, target) &&
         !std::holds_alternative<GivenTarget>(target);
}

Covariance in_dimension(const Covariance& covariance, const char* key, double dimension) {
  auto other = with_dimension(covariance, dimension);
  if (!other)
    throw Skipped{fmt::format("{} of kind {} has no dimension to vary", key, covariance.kind)};
  return *other;
}

/// One quantity of an experiment: its values, and the experiment at each.
class Variation {
 public:
  Variation(const Experiment& own, const std::string& quantity) : own_(own) {
    const bool matrix = own_.is_matrix();
    if (quantity == "batch") {
      set_values(batch_of(own_.optimizer), true);
      change_ = [](Experiment& e, double batch, double) {
        e.optimizer = with_batch(e.optimizer, static_cast<int>(batch));
      };
    } else if (quantity == "horizon") {  // the times to record are not looked at
      set_values(own_.run.steps, true);
      change_ = [](Experiment& e, double steps, double) { e.run.steps = steps; };
    } else if (quantity == "noise") {
      const auto size = noise_size(own_.noise());
      if (!size) throw no_size(own_);
      set_values(*size, false);
      change_ = [](Experiment& e, double value, double) {
        std::visit([&](auto& problem) { problem.noise = with_size(problem.noise, value); },
                   e.problem);
      };
    } else if (quantity == "dimension") {
      matrix ? set_sides() : set_dimension();
    } else if (matrix && (quantity == kWide || quantity == kTall)) {
      set_aspect(quantity == kTall);
    } else {
      throw InputError("quantity", quantity,
                       fmt::format("one of {}", fmt::join(transfer_quantities(matrix), ", ")));
    }
  }

  const ArrayXd& values() const { return values_; }
  Index own() const {
    Index nearest = 0;
    (values_ - own_value_).abs().minCoeff(&nearest);
    return nearest;
  }
  Experiment at(Index point) const {
    Experiment experiment = own_;
    change_(experiment, values_[point], out_.size() > 0 ? out_[point] : 0.0);
    return experiment;
  }

 private:
  void set_values(double own, bool whole) { values_ = doublings(own_value_ = own, whole); }
  void refuse_fixed_target() const {
    const bool formula =
        own_.is_matrix() ? is_a_formula(own_.matrix().target) : is_a_formula(own_.vector().target);
    if (!formula) throw Skipped{"the target is read from a file of one dimension"};
  }
  void set_dimension() {
    refuse_fixed_target();
    const Covariance& own = own_.vector().covariance;
    in_dimension(own, "covariance", own.dimension());
    set_values(std::round(own.dimension()), true);
    change_ = [](Experiment& e, double d, double) {
      const VectorProblem& problem = e.vector();
      e.problem = make_problem(in_dimension(problem.covariance, "covariance", d), problem.target,
                               problem.noise, problem.start);
    };
  }
  void set_sides() {
    refuse_fixed_target();
    const MatrixProblem& problem = own_.matrix();
    const double out = std::round(problem.covariance_out.dimension()),
                 in = std::round(problem.covariance_in.dimension());
    in_dimension(problem.covariance_out, "covariance_out", out);
    in_dimension(problem.covariance_in, "covariance_in", in);
    const ArrayXd rows = doublings(out, true), columns = doublings(in, true);
    const double factor = std::max(rows[0] / out, columns[0] / in);
    values_ = columns * (factor * in / columns[0]);
    own_value_ = in;
    out_ = rows * (factor * out / rows[0]);
    change_ = [](Experiment& e, double columns_now, double rows_now) {
      const MatrixProblem& of = e.matrix();
      e.problem = make_problem(in_dimension(of.covariance_out, "covariance_out", rows_now),
                               in_dimension(of.covariance_in, "covariance_in", columns_now),
                               of.target, of.noise);
    };
  }
  void set_aspect(bool tall) {
    refuse_fixed_target();
    const double in = own_.matrix().covariance_in.dimension();
    in_dimension(own_.matrix().covariance_out, "covariance_out", in);
    out_ = doubled(tall ? in : std::ldexp(in, 1 - static_cast<int>(kPoints)));
    if (!tall) out_ = out_.round().max(1);
    values_ = out_ / in;
    own_value_ = 1;
    change_ = [](Experiment& e, double, double rows) {
      const MatrixProblem& of = e.matrix();
      e.problem = make_problem(in_dimension(of.covariance_out, "covariance_out", rows),
                               of.covariance_in, of.target, of.noise);
    };
  }

  const Experiment& own_;
  std::function<void(Experiment&, double value, double out)> change_;
  ArrayXd values_, out_;
  double own_value_ = 0;
};

/// Between two graded sides a signal of any size takes minutes: by itself a small one, of which the
/// trust numbers say where it matters.
Experiment as_searched(Experiment experiment) {
  const bool graded = experiment.is_matrix() &&
                      experiment.matrix().covariance_out.spectrum.size() > 1 &&
                      experiment.matrix().covariance_in.spectrum.size() > 1;
  return graded ? with_small_signal(std::move(experiment)) : experiment;
}

struct FoundStep {
  Optimum best;
  Trust trust;  ///< where a best step was found
};

/// best_step, stoppable: a Failure.
class Search {
 public:
  explicit Search(const TransferOptions& options) : options_(options) {
    optimum_.solve.rtol = options.rtol;
    optimum_.solve.progress = [this](double) { return !(stopped_ |= !report()); };
  }
  void reached(double fraction) { fraction_ = fraction; }
  /// `same`: only the horizon is another than the last one's.
  FoundStep operator()(Experiment experiment, double start, bool same) {
    experiment = as_searched(std::move(experiment));
    if (!same || !system_) {
      system_ = mode_system(experiment);
      system_->observable.clear();
    }
    FoundStep found{best(compress(*system_), experiment.run.steps, start), {}};
    if (found.best.found) {
      const double steps = experiment.run.steps;
      found.trust = trust(std::move(experiment), *system_, found.best.step, steps);
    }
    return found;
  }
  /// `tolerance` of the step size, of which that of the risk is the square.
  Optimum best(const ModeSystem& system, double horizon, double start,
               double tolerance = OptimumOptions{}.tolerance) {
    optimum_.start = start;
    optimum_.tolerance = tolerance;
    const Optimum best = best_step(system, horizon, optimum_);
    if (stopped_ || !report()) throw Failure("interrupted");
    return best;
  }

 private:
  bool report() const { return !options_.progress || options_.progress(fraction_); }
  const TransferOptions& options_;
  OptimumOptions optimum_;
  std::optional<ModeSystem> system_;  // the last one
  double fraction_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::vector<std::string> transfer_quantities(bool matrix) {
  if (!matrix) return {"batch", "dimension", "horizon", "noise"};
  return {"batch", "dimension", kWide, kTall, "horizon", "noise"};
}

Scaling step_scaling(const Experiment& experiment, const std::string& quantity,
                     const TransferOptions& options) {
  Scaling scaling;
  scaling.quantity = quantity;
  try {
    const Variation variation(experiment, quantity);
    const Index points = variation.values().size();
    scaling.value = variation.values();
    scaling.own = variation.own();
    scaling.step = scaling.risk = ArrayXd::Constant(points, NAN);
    scaling.untrusted.resize(static_cast<std::size_t>(points));
    Search search(options);
    double last = 0, before = 0;  // best steps of the two values below
    for (Index i = 0; i < points; ++i) {
      search.reached(static_cast<double>(i) / static_cast<double>(points));
      const auto [best, numbers] = search(
          variation.at(i), before > 0 ? last * (last / before) : last, quantity == "horizon");
      if (!best.found) {
        scaling.skipped = fmt::format("at {:.6g}: {}", scaling.value[i], best.message);
        continue;
      }
      scaling.step[i] = best.step;
      scaling.risk[i] = best.risk;
      scaling.untrusted[static_cast<std::size_t>(i)] = untrusted(numbers);
      before = last;
      last = best.step;
    }
    scaling.step_exponent = fit_exponent(scaling.value, scaling.step);
    scaling.risk_exponent = fit_exponent(scaling.value, scaling.risk);
    scaling.skipped.clear();
  } catch (const Skipped& reason) {
    mode_system(experiment);  // what is wrong with it as it is, is an error
    scaling.skipped = reason.why;
  } catch (const InputError& error) {
    mode_system(experiment);
    if (scaling.skipped.empty()) scaling.skipped = error.what();
  }
  if (!scaling.skipped.empty()) {
    scaling.step_exponent = scaling.risk_exponent = {NAN, NAN, NAN};
    scaling.value = scaling.step = scaling.risk = {};
    scaling.untrusted.clear();
  }
  return scaling;
}

namespace {

/// Of single samples, at R(0).
Schedule best_constant_threshold(const VectorProblem& problem) {
  const double threshold = optimal_threshold(ResidualLaw(problem.noise), problem.initial_risk());
  if (std::isinf(threshold)) throw Skipped{"no threshold improves on sgd at R(0)"};
  if (threshold == 0) throw Skipped{"the smaller the threshold the better at R(0)"};
  return constant_schedule(threshold);
}

std::string label(const Experiment& experiment) {
  const auto& momentum = experiment.chain.momentum;
  return name_of(experiment.optimizer) +
         (momentum ? fmt::format(", momentum {:.3g}", (*momentum)(0)) : "");
}

}  // namespace

// At one batch: decay and averages stay, momentum does not.
std::vector<Experiment> counterpart_experiments(const Experiment& own) {
  const int batch = batch_of(own.optimizer);
  const Optimizer third = own.is_matrix()
                              ? Optimizer(SignSvd{batch})
                              : Optimizer(ClippedSgd{batch, {}, ClippedSgd::Clip::sample});
  constexpr double usual = 0.9;
  std::vector<Experiment> found{own};
  const auto add = [&](const Optimizer& optimizer, double momentum) {
    if (optimizer.index() == own.optimizer.index() &&
        own.chain.momentum.has_value() == (momentum > 0))
      return;
    found.push_back(own);
    found.back().optimizer = optimizer;
    Chain& chain = found.back().chain;
    chain.momentum.reset();
    if (momentum > 0) chain.momentum = constant_schedule(momentum);
    chain.nesterov = false;
    chain.dampening = 0;
  };
  for (const Optimizer& optimizer : {Optimizer(Sgd{batch}), Optimizer(SignSgd{batch}), third})
    add(optimizer, 0);
  add(Sgd{batch}, usual);
  add(Adam{batch}, 0);
  add(Lion{batch}, 0);
  return found;
}

/// Of steps whose risk alone is asked for.
constexpr double kRoughly = 1e-3;

std::vector<Counterpart> counterpart_at(Experiment experiment, bool best_threshold,
                                        const ArrayXd& horizons, Index first,
                                        const TransferOptions& options, double longest) {
  std::vector<Counterpart> found(static_cast<std::size_t>(horizons.size()),
                                 {label(experiment), NAN, NAN, NAN, NAN, {}, ""});
  const auto skip = [&](const std::string& why) {
    for (Counterpart& one : found)
      if (std::isnan(one.risk)) one.skipped = why;
  };
  try {
    if (auto* const clipped = std::get_if<ClippedSgd>(&experiment.optimizer)) {
      if (best_threshold) clipped->threshold = best_constant_threshold(experiment.vector());
      for (Counterpart& one : found) one.threshold = clipped->threshold(0);
    }
    experiment = as_searched(std::move(experiment));
    ModeSystem system = mode_system(experiment);
    system.observable.clear();
    if (system.blocks && horizons[first] > longest)
      throw Skipped{fmt::format("not asked: more than {:.6g} steps, one by one", longest)};
    const ModeSystem compressed = compress(system);
    Search search(options);
    const auto find = [&](Index i, const Optimum& best) {
      Counterpart& now = found[static_cast<std::size_t>(i)];
      now.step = best.found ? best.step : NAN;
      now.risk = best.found ? best.risk : NAN;
      now.skipped = best.message;
    };
    const Optimum best = search.best(compressed, horizons[first], 0);
    find(first, best);
    if (best.found)
      found[static_cast<std::size_t>(first)].trust =
          trust(std::move(experiment), system, best.step, horizons[first]);
    for (const Index way : {-1, 1})  // each from where the two before it point to
      for (Index i = first + way; i >= 0 && i < horizons.size(); i += way) {
        const auto step_at = [&](Index j) { return found[static_cast<std::size_t>(j)].step; };
        const double last = step_at(i - way),
                     before = i - way == first ? last : step_at(i - 2 * way);
        const double start = last * (last / before);
        find(i, search.best(compressed, horizons[i], std::isfinite(start) ? start : 0, kRoughly));
      }
  } catch (const Skipped& reason) {
    skip(reason.why);
  } catch (const InputError& error) {
    skip(error.what());
  }
  return found;
}

std::vector<Counterpart> counterparts(const Experiment& own, const TransferOptions& options) {
  mode_system(own);
  std::vector<Counterpart> found;
  const std::vector<Experiment> experiments = counterpart_experiments(own);
  for (const Experiment& experiment : experiments) {
    TransferOptions part = options;
    if (options.progress)
      part.progress = [&](double fraction) {
        return options.progress((static_cast<double>(found.size()) + fraction) /
                                static_cast<double>(experiments.size()));
      };
    Counterpart now =
        counterpart_at(experiment, !found.empty(), ArrayXd::Constant(1, own.run.steps), 0, part)
            .front();
    now.ratio = now.step / (found.empty() ? now.step : found.front().step);
    found.push_back(now);
  }
  return found;
}

}  // namespace riskcurve
