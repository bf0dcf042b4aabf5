#include "score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve::validation {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Json = nlohmann::ordered_json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Index kShown = 12;

/// log of the time at which the predicted risk is the runs' at step i over the time of step i,
/// percent; nan where the curve never is there, or rises. Between steps the log of R is linear.
double late(const Score& score, Index i) {
  const double level = score.mean[i];
  for (Index k = 1; k < score.steps.size(); ++k) {
    const double before = score.predicted[k - 1], after = score.predicted[k];
    if (!(before >= level && level >= after && before > after)) continue;
    const double x = std::log(before / level) / std::log(before / after);
    const double at = score.steps[k - 1] + x * (score.steps[k] - score.steps[k - 1]);
    return 100 * (at / score.steps[i] - 1);
  }
  return nan;
}

void compare_with(const Case& the, const Ensemble& ensemble, Score& score) {
  const Comparison apart = compare(score.predicted, score.mean, score.error);
  score.in_errors = apart.worst_in_standard_errors;
  double decisive = -std::numeric_limits<double>::infinity();
  Index recorded = 0;
  const auto runs = static_cast<double>(ensemble.risk.cols());
  ArrayXd bias = ArrayXd::Zero(ensemble.risk.cols());
  for (Index i = 0; i < score.steps.size(); ++i) {
    if (score.steps[i] == 0) continue;
    const double error = 100 * score.error[i] / score.predicted[i];
    double gap = apart.in_percent[i];
    if (the.edges)
      if (const double time = late(score, i); std::abs(time) < std::abs(gap)) gap = time;
    const double beyond = std::abs(gap) - kErrors * error;
    if (beyond > decisive) {
      decisive = beyond;
      score.gap = gap;
      score.gap_error = error;
    }
    bias += 100 * (ensemble.risk.row(i).transpose() / score.predicted[i] - 1);
    ++recorded;
  }
  bias /= static_cast<double>(recorded);
  score.bias = bias.mean();
  score.bias_error = std::sqrt((bias - score.bias).square().sum() / (runs - 1) / runs);
}

void cover_with(const Bands& bands, const Ensemble& ensemble, Score& score) {
  score.low = bands.low;
  score.high = bands.high;
  score.inside = cover(bands.low, bands.high, ensemble.risk).mean;
  const double root = std::sqrt(static_cast<double>(ensemble.risk.cols()));
  double sum = 0;
  int count = 0;
  for (Index i = 0; i < bands.deviation.size(); ++i)
    if (bands.deviation[i] > 0) {
      sum += root * score.error[i] / bands.deviation[i];
      ++count;
    }
  score.spread = sum / count;
}

Json to_json(const ArrayXd& values) {
  return std::vector<double>(values.begin(), values.end());
}

double number(const Json& value) {
  return value.is_null() ? nan : value.get<double>();
}

ArrayXd array(const Json& values) {
  ArrayXd out(static_cast<Index>(values.size()));
  for (Index i = 0; i < out.size(); ++i) out[i] = number(values[static_cast<std::size_t>(i)]);
  return out;
}

/// The members of a score that are single numbers, and those that are arrays, under their names.
constexpr std::pair<const char*, double Score::*> kNumbers[] = {
    {"size", &Score::size},
    {"dimension", &Score::dimension},
    {"batch", &Score::batch},
    {"runs", &Score::runs},
    {"step", &Score::step},
    {"gap_percent", &Score::gap},
    {"gap_error_percent", &Score::gap_error},
    {"gap_in_standard_errors", &Score::in_errors},
    {"bias_percent", &Score::bias},
    {"bias_error_percent", &Score::bias_error},
    {"inside_percent", &Score::inside},
    {"spread", &Score::spread}};
constexpr std::pair<const char*, ArrayXd Score::*> kArrays[] = {
    {"steps", &Score::steps}, {"predicted", &Score::predicted},
    {"mean", &Score::mean},   {"standard_error", &Score::error},
    {"low", &Score::low},     {"high", &Score::high}};

/// chi^2 of bias = A size^-order with the best A for each case.
double misfit(const std::vector<std::vector<Score>>& scores, double order) {
  double sum = 0;
  for (const auto& sizes : scores) {
    double xy = 0, xx = 0, yy = 0;
    for (const Score& score : sizes) {
      const double x = std::pow(score.size, -order) / score.bias_error;
      const double y = score.bias / score.bias_error;
      xy += x * y;
      xx += x * x;
      yy += y * y;
    }
    sum += yy - xy * xy / xx;
  }
  return sum;
}

}  // namespace

Score score(const Case& the, std::size_t index, std::uint64_t seed,
            const std::function<bool()>& go_on) {
  Score score;
  score.size = the.sizes[index];
  score.runs = the.runs[index];
  score.inside = score.spread = nan;
  const Sized sized = at_size(the, score.size);
  score.problem = to_toml(sized.experiment);
  const Experiment& experiment = sized.experiment;
  score.dimension = experiment.is_matrix()
                        ? std::max(experiment.matrix().covariance_out.dimension(),
                                   experiment.matrix().covariance_in.dimension())
                        : experiment.vector().dimension();
  score.batch = batch_of(experiment.optimizer);
  score.step = experiment.schedule(0);

  const Prediction prediction = predict(experiment, {}, score.size == 1);
  score.steps = prediction.curve.steps;
  score.predicted = the.averaged ? prediction.curve.averaged_risk : prediction.curve.risk;
  score.trust = riskcurve::to_json(to_record(prediction.trust));
  score.trust_line = trust_line(prediction.trust);
  score.warnings = prediction.curve.warnings;
  if (prediction.curve.status != RiskCurve::Status::ok) {
    score.failure = "prediction " + std::string(name(prediction.curve.status)) + ": " +
                    prediction.curve.message;
    return score;
  }
  SimulateOptions options;
  options.runs = static_cast<int>(score.runs);
  options.seed = seed;
  options.threads = 1;  // cases run in parallel
  options.progress = [&](double) { return go_on(); };
  Ensemble ensemble = simulate(experiment, options);
  if (ensemble.interrupted) throw Failure("interrupted");
  if (the.averaged) {
    ensemble.risk = ensemble.averaged_risk;
    ensemble.mean = ensemble.averaged_mean;
    ensemble.error = ensemble.averaged_error;
  }
  score.mean = ensemble.mean;
  score.error = ensemble.error;
  score.shown = ensemble.risk.leftCols(std::min(kShown, ensemble.risk.cols()));
  if (ensemble.diverged > 0) {
    score.failure = fmt::format("{} of {} runs diverged", ensemble.diverged, options.runs);
    return score;
  }
  compare_with(the, ensemble, score);
  const auto& bands = the.averaged ? prediction.averaged_bands : prediction.bands;
  if (bands && bands->missing.empty()) cover_with(*bands, ensemble, score);
  return score;
}

bool within(const Case& the, const Score& score) {
  if (!score.failure.empty()) return false;
  return std::abs(score.gap) <= the.allowance / score.size + kErrors * score.gap_error;
}

std::string to_text(const Score& score) {
  Json json;
  for (const auto& [name, member] : kNumbers) json[name] = score.*member;
  for (const auto& [name, member] : kArrays) json[name] = to_json(score.*member);
  json["risk_of_run"] = Json::array();
  for (Index r = 0; r < score.shown.cols(); ++r)
    json["risk_of_run"].push_back(to_json(score.shown.col(r)));
  json["problem"] = score.problem;
  json["trust"] = score.trust.empty() ? Json() : Json::parse(score.trust);
  json["trust_line"] = score.trust_line;
  json["warnings"] = score.warnings;
  json["failure"] = score.failure;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Score from_text(const std::string& text) {
  const Json json = Json::parse(text);
  Score score;
  for (const auto& [name, member] : kNumbers) score.*member = number(json.at(name));
  for (const auto& [name, member] : kArrays) score.*member = array(json.at(name));
  const Json& runs = json.at("risk_of_run");
  score.shown.resize(score.steps.size(), static_cast<Index>(runs.size()));
  for (Index r = 0; r < score.shown.cols(); ++r)
    score.shown.col(r) = array(runs[static_cast<std::size_t>(r)]);
  score.problem = json.at("problem").get<std::string>();
  if (!json.at("trust").is_null()) score.trust = json.at("trust").dump();
  score.trust_line = json.at("trust_line").get<std::string>();
  score.warnings = json.at("warnings").get<std::vector<std::string>>();
  score.failure = json.at("failure").get<std::string>();
  return score;
}

Order fit_order(const std::string& optimizer, const std::vector<std::vector<Score>>& all) {
  Order order;
  order.optimizer = optimizer;
  order.value = order.low = order.high = nan;
  std::vector<std::vector<Score>> scores;
  std::size_t numbers = 0;
  double significance = 0;
  for (const auto& sizes : all) {
    const auto measured = [](const Score& s) { return s.failure.empty() && s.bias_error > 0; };
    if (sizes.size() < 2 || !std::all_of(sizes.begin(), sizes.end(), measured)) continue;
    scores.push_back(sizes);
    numbers += sizes.size();
    for (const Score& s : sizes)
      significance = std::max(significance, std::abs(s.bias) / s.bias_error);
  }
  order.cases = static_cast<int>(scores.size());
  if (scores.empty()) return order;
  for (const Score& s : scores.front()) {
    double sum = 0;
    int count = 0;
    for (const auto& sizes : scores)
      for (const Score& other : sizes)
        if (other.size == s.size) {
          sum += other.bias * other.bias - other.bias_error * other.bias_error;
          ++count;
        }
    order.size.push_back(s.size);
    order.bias.push_back(std::sqrt(std::max(0.0, sum / count)));
  }
  if (significance < kErrors) return order;

  constexpr double from = -1, to = 4, grid = 0.005;
  double least = std::numeric_limits<double>::infinity();
  for (double p = from; p <= to; p += grid)
    if (const double chi = misfit(scores, p); chi < least) {
      least = chi;
      order.value = p;
    }
  const double freedom = static_cast<double>(numbers - scores.size()) - 1;
  const double unit = freedom > 0 ? std::max(1.0, least / freedom) : 1;
  order.low = order.high = order.value;
  for (double p = from; p <= to; p += grid)
    if (misfit(scores, p) <= least + unit) {
      order.low = std::min(order.low, p);
      order.high = std::max(order.high, p);
    }
  return order;
}

Verdict judge(const Claim& claim, const Score& of, const Score& over) {
  // Relative errors of R at the end; R(0) is exact.
  const auto quantity = [&](double start, double end, double steps) {
    return claim.quantity == Claim::Quantity::risk ? end : std::log(start / end) / steps;
  };
  const auto last = [](const ArrayXd& x) { return x[x.size() - 1]; };
  const auto predicted = [&](const Score& s) {
    return quantity(s.predicted[0], last(s.predicted), last(s.steps));
  };
  const auto measured = [&](const Score& s) {
    return quantity(s.mean[0], last(s.mean), last(s.steps));
  };
  const auto error = [&](const Score& s) {  // relative, of the quantity
    const double relative = last(s.error) / last(s.mean);
    return claim.quantity == Claim::Quantity::risk
               ? relative
               : relative / std::abs(std::log(s.mean[0] / last(s.mean)));
  };
  Verdict verdict;
  if (!of.failure.empty() || !over.failure.empty()) {
    verdict.predicted = verdict.measured = verdict.error = nan;
    return verdict;
  }
  verdict.predicted = predicted(of) / predicted(over);
  verdict.measured = measured(of) / measured(over);
  verdict.error = std::abs(verdict.measured) * std::hypot(error(of), error(over));
  const auto inside = [&](double x) { return x >= claim.low && x <= claim.high; };
  verdict.holds = inside(verdict.predicted) && inside(verdict.measured - 2 * verdict.error) &&
                  inside(verdict.measured + 2 * verdict.error);
  return verdict;
}

}  // namespace riskcurve::validation
