#include "results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve::validation {
namespace {

struct Point {
  std::size_t the, size;
};

/// All that the scores depend on.
std::string identity(const Suite& suite, std::uint64_t seed) {
  std::string text = fmt::format("validate {}", seed);
  for (const Case& the : suite.cases)
    text += fmt::format("\n{} {} {} {} {}\n{}", the.name, the.missing, static_cast<int>(the.step),
                        the.progress, fmt::join(the.sizes, " "), the.problem.to_toml()) +
            fmt::format(" {}", fmt::join(the.runs, " "));
  return text;
}

std::vector<Point> points_of(const Suite& suite) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < suite.cases.size(); ++i)
    for (std::size_t s = 0; s < suite.cases[i].sizes.size(); ++s)
      if (suite.cases[i].missing.empty()) points.push_back({i, s});
  return points;
}

std::vector<Order> orders(const Results& results) {
  std::vector<std::string> names;
  for (const Case& the : results.suite.cases)
    if (the.sizes.size() > 1 && std::find(names.begin(), names.end(), the.optimizer) == names.end())
      names.push_back(the.optimizer);
  std::vector<Order> orders;
  for (const std::string& name : names) {
    std::vector<std::vector<Score>> scores;
    for (std::size_t i = 0; i < results.scores.size(); ++i)
      if (results.suite.cases[i].optimizer == name && results.suite.cases[i].why.empty())
        scores.push_back(results.scores[i]);
    orders.push_back(fit_order(name, scores));
  }
  return orders;
}

}  // namespace

TableOutcome score_all(const Suite& suite, const RunOptions& options) {
  const std::vector<Point> points = points_of(suite);
  std::atomic<bool> stopped = false;
  std::atomic<double> fraction = 0;
  std::mutex lock;
  const auto go_on = [&] {
    const std::lock_guard<std::mutex> guard(lock);
    const auto& progress = options.table.progress;
    if (progress && !progress(fraction)) stopped = true;
    return !stopped;
  };
  Table table;
  table.identity = identity(suite, options.seed);
  table.columns = {"score"};
  table.points = static_cast<long>(points.size());
  table.rows = [&](long point) {
    const Point& p = points[static_cast<std::size_t>(point)];
    const Case& the = suite.cases[p.the];
    try {
      return std::vector<std::vector<Cell>>{{to_text(score(the, p.size, options.seed, go_on))}};
    } catch (const InputError& refused) {
      throw InputError(the.family + ", " + the.name + ": " + refused.what());
    }
  };
  TableOptions filling = options.table;
  filling.progress = [&](double done) {
    fraction = done;
    return go_on();
  };
  const char* const saved = options.journal.empty()
                                ? "interrupted"
                                : "interrupted: what is finished is saved; --resume goes on";
  try {
    const TableOutcome outcome = fill(table, options.journal, filling);
    if (!outcome.complete) throw Failure(saved);
    return outcome;
  } catch (const Failure&) {
    if (stopped) throw Failure(saved);
    throw;
  }
}

Results results_of(const std::string& name, Suite suite, std::uint64_t seed,
                   const TableOutcome& outcome) {
  const std::vector<Point> points = points_of(suite);
  Results results;
  results.name = name;
  results.seed = seed;
  results.suite = std::move(suite);
  results.scores.resize(results.suite.cases.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    results.scores[points[i].the].push_back(from_text(outcome.rows[i][0]));
  for (const Claim& claim : results.suite.claims)
    results.verdicts.push_back(judged(results, claim) ? judge(claim, results.at_full_size(claim.of),
                                                              results.at_full_size(claim.over))
                                                      : Verdict{});
  results.orders = orders(results);
  return results;
}

Results run(const std::string& name, Suite suite, const RunOptions& options) {
  const TableOutcome outcome = score_all(suite, options);
  return results_of(name, std::move(suite), options.seed, outcome);
}

bool judged(const Results& results, const Claim& claim) {
  return !results.scores[claim.of].empty() && !results.scores[claim.over].empty();
}

std::string verdict(const Results& results, std::size_t the) {
  const Case& declared = results.suite.cases[the];
  if (results.scores[the].empty()) return "not run";
  if (!declared.why.empty()) return "not held";
  return std::all_of(results.scores[the].begin(), results.scores[the].end(),
                     [&](const Score& score) { return within(declared, score); })
             ? "ok"
             : "FAILED";
}

void Summary::Bands::add(double percent) {
  inside = (inside * cases + percent) / (cases + 1);
  ++cases;
  covered += percent >= 90 && percent <= 99;
}

Summary summary(const Results& results) {
  Summary sum;
  for (std::size_t i = 0; i < results.scores.size(); ++i) {
    const std::string says = verdict(results, i);
    ++sum.rows;
    sum.failed += says == "FAILED";
    sum.excused += says == "not held";
    sum.missing += says == "not run";
    if (says == "not run" || says == "not held") continue;
    const double inside = results.at_full_size(i).inside;
    if (!std::isfinite(inside)) continue;
    sum.bands.add(inside);
    (results.suite.cases[i].is_matrix ? sum.matrices : sum.vectors).add(inside);
  }
  for (std::size_t i = 0; i < results.suite.claims.size(); ++i) {
    if (!judged(results, results.suite.claims[i])) continue;
    ++sum.claims;
    sum.broken += !results.verdicts[i].holds;
  }
  return sum;
}

}  // namespace riskcurve::validation
