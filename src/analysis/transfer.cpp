#include "riskcurve/analysis/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/compress.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
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

Fields covariance_of(const Fields& file, const std::string& key) {
  const Fields covariance = file.table("problem").table(key);
  if (!covariance.has("dimension"))
    throw Skipped{fmt::format("{} of kind {} has no dimension to vary", key,
                              covariance.text_or("kind", "?"))};
  return covariance;
}

void refuse_file_target(const Fields& file) {
  if (file.table("problem").table("target").text_or("kind", "") == "file")
    throw Skipped{"the target is read from a file of one dimension"};
}

std::string noise_key(const Fields& file) {
  const Fields problem = file.table("problem");
  if (!problem.has("noise")) throw Skipped{"no noise whose size could vary"};
  const Fields noise = problem.table("noise");
  const std::string kind = noise.text("kind");
  for (const char* key : {"std", "scale", "half_width"})
    if (noise.has(key) && noise.number(key) > 0) return fmt::format("problem.noise.{}", key);
  throw Skipped{kind == "none" || kind == "gaussian"
                    ? std::string("no noise whose size could vary")
                    : fmt::format("noise of kind {} has no single size", kind)};
}

/// One quantity of a file: its values, and the experiment at each.
class Variation {
 public:
  Variation(const Fields& file, const std::string& quantity)
      : file_(file), own_(read_experiment(file.copy())) {
    const bool matrix = own_.is_matrix();
    if (quantity == "batch") {
      keys_ = {"optimizer.batch"};
      set_values(own_.optimizer.integer_or("batch", 1), true);
    } else if (quantity == "horizon") {
      set_values(own_.run.steps, true);
    } else if (quantity == "noise") {
      keys_ = {noise_key(file)};
      const std::string key = keys_[0].substr(keys_[0].rfind('.') + 1);
      set_values(file.table("problem").table("noise").number(key), false);
    } else if (quantity == "dimension") {
      refuse_file_target(file);
      set_dimension(matrix);
    } else if (matrix && (quantity == kWide || quantity == kTall)) {
      refuse_file_target(file);
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
    const double value = values_[point];
    if (keys_.empty()) {  // the times to record are not looked at
      Experiment experiment = own_;
      experiment.run.steps = value;
      return experiment;
    }
    Fields file = file_.copy();
    for (const std::string& key : keys_) file.set(key, key == out_key ? out_[point] : value);
    return read_experiment(file);
  }

 private:
  static constexpr const char* out_key = "problem.covariance_out.dimension";

  void set_values(double own, bool whole) { values_ = doublings(own_value_ = own, whole); }
  void set_dimension(bool matrix) {
    if (!matrix) {
      set_values(covariance_of(file_, "covariance").integer("dimension"), true);
      keys_ = {"problem.covariance.dimension"};
      return;
    }
    const double out = covariance_of(file_, "covariance_out").integer("dimension");
    const double in = covariance_of(file_, "covariance_in").integer("dimension");
    const ArrayXd rows = doublings(out, true), columns = doublings(in, true);
    const double factor = std::max(rows[0] / out, columns[0] / in);
    values_ = columns * (factor * in / columns[0]);
    own_value_ = in;
    out_ = rows * (factor * out / rows[0]);
    keys_ = {"problem.covariance_in.dimension", out_key};
  }
  void set_aspect(bool tall) {
    covariance_of(file_, "covariance_out");
    const double in = own_.matrix().covariance_in.dimension();
    out_ = doubled(tall ? in : std::ldexp(in, 1 - static_cast<int>(kPoints)));
    if (!tall) out_ = out_.round().max(1);
    values_ = out_ / in;
    own_value_ = 1;
    keys_ = {out_key};
  }

  Fields file_;
  Experiment own_;
  std::vector<std::string> keys_;
  ArrayXd values_, out_;
  double own_value_ = 0;
};

struct Found {
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
  Found operator()(const Experiment& experiment, double start) {
    ModeSystem system = mode_system(experiment);
    system.observable.clear();
    optimum_.start = start;
    Found found;
    found.best = best_step(compress(system), experiment.run.steps, optimum_);
    if (stopped_ || !report()) throw Failure("interrupted");
    if (found.best.found)
      found.trust = trust(experiment, system, found.best.step, experiment.run.steps);
    return found;
  }

 private:
  bool report() const { return !options_.progress || options_.progress(fraction_); }
  const TransferOptions& options_;
  OptimumOptions optimum_;
  double fraction_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::vector<std::string> transfer_quantities(bool matrix) {
  if (!matrix) return {"batch", "dimension", "horizon", "noise"};
  return {"batch", "dimension", kWide, kTall, "horizon", "noise"};
}

Scaling step_scaling(const Fields& file, const std::string& quantity,
                     const TransferOptions& options) {
  mode_system(read_experiment(file.copy()));  // what is wrong with the file itself is an error
  Scaling scaling;
  scaling.quantity = quantity;
  try {
    const Variation variation(file, quantity);
    const Index points = variation.values().size();
    scaling.value = variation.values();
    scaling.own = variation.own();
    scaling.step = scaling.risk = ArrayXd::Constant(points, nan);
    scaling.untrusted.resize(static_cast<std::size_t>(points));
    Search search(options);
    double last = 0, before = 0;  // best steps of the two values below
    for (Index i = 0; i < points; ++i) {
      search.reached(static_cast<double>(i) / static_cast<double>(points));
      const auto [best, numbers] =
          search(variation.at(i), before > 0 ? last * (last / before) : last);
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
    scaling.skipped = reason.why;
  } catch (const InputError& error) {
    if (scaling.skipped.empty()) scaling.skipped = error.what();
  }
  if (!scaling.skipped.empty()) {
    scaling.step_exponent = scaling.risk_exponent = {nan, nan, nan};
    scaling.value = scaling.step = scaling.risk = {};
    scaling.untrusted.clear();
  }
  return scaling;
}

namespace {

/// The file's experiment with another optimizer at the same batch.
Experiment with_optimizer(const Experiment& own, const std::string& name, double& threshold) {
  Experiment other = own;
  other.optimizer = Fields();
  other.optimizer.set("name", name);
  other.optimizer.set("batch", own.optimizer.integer_or("batch", 1));
  if (name != "clipped_sgd") return other;
  const VectorProblem& problem = own.vector();
  threshold = optimal_threshold(ResidualLaw(problem.noise), problem.initial_risk());
  if (std::isinf(threshold)) throw Skipped{"no threshold improves on sgd at R(0)"};
  if (threshold == 0) throw Skipped{"the smaller the threshold the better at R(0)"};
  other.optimizer.set("threshold", threshold);
  return other;
}

}  // namespace

std::vector<Counterpart> counterparts(const Fields& file, const TransferOptions& options) {
  const Experiment own = read_experiment(file.copy());
  mode_system(own);
  const std::string mine = own.optimizer.text("name");
  std::vector<std::string> names{mine};
  for (const char* name : {"sgd", "sign_sgd", own.is_matrix() ? "sign_svd" : "clipped_sgd"})
    if (name != mine) names.emplace_back(name);
  std::vector<Counterpart> found;
  Search search(options);
  for (const std::string& name : names) {
    search.reached(static_cast<double>(found.size()) / static_cast<double>(names.size()));
    Counterpart now{name, nan, nan, nan, nan, {}, ""};
    try {
      if (name == mine && name == "clipped_sgd")
        now.threshold = read_clipped_sgd(own.optimizer, own.run.steps).threshold(0);
      const auto [best, numbers] =
          search(name == mine ? own : with_optimizer(own, name, now.threshold), 0);
      if (!best.found) throw Skipped{best.message};
      now.step = best.step;
      now.risk = best.risk;
      now.trust = numbers;
      now.ratio = best.step / (found.empty() ? best.step : found.front().step);
    } catch (const Skipped& reason) {
      now.skipped = reason.why;
    } catch (const InputError& error) {
      now.skipped = error.what();
    }
    found.push_back(now);
  }
  return found;
}

}  // namespace riskcurve
