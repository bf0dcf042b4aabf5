// The reports of a suite as text: terminal, Markdown, JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "results.hpp"
#include "riskcurve/version.hpp"

namespace riskcurve::validation {
namespace {

using Json = nlohmann::ordered_json;

std::string number(const char* format, double x) {
  return std::isfinite(x) ? fmt::format(fmt::runtime(format), x) : "-";
}

}  // namespace

Row row_of(const Results& results, std::size_t i) {
  const Case& the = results.suite.cases[i];
  Row row{
      the.name,           "-", "-", "-", "-", "-", "-", number("{:.1f}", the.allowance), "-", "-",
      verdict(results, i)};
  if (results.scores[i].empty()) return row;
  const Score& score = results.at_full_size(i);
  row.dimension = fmt::format("{:g}", score.dimension);
  row.batch = fmt::format("{:g}", score.batch);
  row.runs = fmt::format("{:g}", score.runs);
  if (!score.failure.empty()) return row;
  row.gap = number("{:+.2f}", score.gap);
  row.error = number("{:.2f}", score.gap_error);
  row.in_errors = number("{:.1f}", score.in_errors);
  row.inside = number("{:.1f}", score.inside);
  if (results.scores[i].size() > 1) row.smaller.clear();
  for (std::size_t s = 0; s + 1 < results.scores[i].size(); ++s) {
    const Score& small = results.scores[i][s];
    row.smaller +=
        fmt::format("{}{:g}: {}", s ? ", " : "", small.dimension, number("{:+.2f}", small.gap));
  }
  return row;
}

std::string text_of(const Order& order) {
  if (!std::isfinite(order.value)) return "below the errors";
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", order.value, order.low, order.high);
}

std::string sizes_of(const Order& order) {
  std::string text;
  for (std::size_t s = 0; s < order.size.size(); ++s)
    text += fmt::format("{}{:g}: {:.2f}", s ? ", " : "", order.size[s], order.bias[s]);
  return text;
}

std::string verdict(const Results& results, const Claim& claim, const Verdict& verdict) {
  if (!judged(results, claim)) return "not run";
  return verdict.holds ? "holds" : "FAILED";
}

namespace {

/// In the order of the cases, a family at a time.
template <class Begin, class Each>
void by_family(const Results& results, const Begin& begin, const Each& each) {
  for (std::size_t i = 0; i < results.suite.cases.size(); ++i) {
    const std::string& family = results.suite.cases[i].family;
    if (i == 0 || results.suite.cases[i - 1].family != family) begin(family);
    each(i);
  }
}

std::string conclusion(const Results& results) {
  const Summary s = summary(results);
  std::string text =
      fmt::format("{} of {} cases within their allowance",
                  s.rows - s.failed - s.excused - s.missing, s.rows - s.excused - s.missing);
  if (s.excused > 0) text += fmt::format("; {} more say why they are not held to one", s.excused);
  if (s.missing > 0) text += fmt::format("; {} not run", s.missing);
  if (s.claims > 0) text += fmt::format("\n{} of {} claims hold", s.claims - s.broken, s.claims);
  if (s.bands.cases > 0)
    text += fmt::format("\n{:.1f} % of the runs inside the 95 % bands, over {} cases",
                        s.bands.inside, s.bands.cases);
  if (s.vectors.cases > 0 && s.matrices.cases > 0)
    text += fmt::format(": {:.1f} % over {} of vectors, {:.1f} % over {} of matrices",
                        s.vectors.inside, s.vectors.cases, s.matrices.inside, s.matrices.cases);
  return text;
}

}  // namespace

std::string to_terminal(const Results& results) {
  std::size_t width = 0;
  for (const Case& the : results.suite.cases) width = std::max(width, the.name.size() + 2);
  std::string text;
  by_family(
      results,
      [&](const std::string& family) {
        text += fmt::format("{}{:<{}} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>9} {:>9}\n",
                            text.empty() ? "" : "\n", family, width, "d", "batch", "runs", "gap %",
                            "s.e. %", "s.e.s", "allowed %", "in band %");
      },
      [&](std::size_t i) {
        const Row r = row_of(results, i);
        text += fmt::format("  {:<{}} {:>5} {:>5} {:>5} {:>7} {:>6} {:>6} {:>9} {:>9}  {}\n",
                            r.name, width - 2, r.dimension, r.batch, r.runs, r.gap, r.error,
                            r.in_errors, r.allowed, r.inside, r.says);
        if (results.suite.cases[i].missing.empty() || !results.scores[i].empty()) return;
        text += "    " + results.suite.cases[i].missing + "\n";
      });
  if (!results.suite.claims.empty()) text += "\nclaims: predicted, in runs, expected\n";
  for (std::size_t i = 0; i < results.suite.claims.size(); ++i) {
    const Claim& claim = results.suite.claims[i];
    const Verdict& v = results.verdicts[i];
    text += fmt::format("  {:>7.3g} {:>7.3g} ±{:<7.2g} {:>5g} .. {:<5g} {:<7}  {}\n", v.predicted,
                        v.measured, v.error, claim.low, claim.high, verdict(results, claim, v),
                        claim.text);
  }
  if (!results.orders.empty()) text += "\norder in the dimension: bias ~ d^-p\n";
  for (const Order& order : results.orders)
    text += fmt::format("  {:<24} p = {}\n", order.optimizer, text_of(order));
  return text + "\n" + conclusion(results) + "\n";
}

std::string to_markdown(const Results& results) {
  std::string text = fmt::format(
      "# Predictions against real runs, {0} suite\n\nAs `riskcurve validate --suite {0} --seed {1} "
      "--report DIR` writes it. gap: mean of the runs − prediction, percent, at the recorded step "
      "that decides; a case is ok if at every step |gap| ≤ allowed + 4 s.e., at every size.\n",
      results.name, results.seed);
  by_family(
      results,
      [&](const std::string& family) {
        text += fmt::format(
            "\n### {}\n\n| case | d | batch | runs | gap % | s.e. % | largest, in s.e. | allowed % "
            "| gap % at smaller d | in band % | |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
            family);
      },
      [&](std::size_t i) {
        const Row r = row_of(results, i);
        const Case& the = results.suite.cases[i];
        const std::string says = !the.missing.empty() ? the.missing
                                 : !the.why.empty()   ? "not held: " + the.why
                                                      : r.says;
        text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", r.name,
                            r.dimension, r.batch, r.runs, r.gap, r.error, r.in_errors, r.allowed,
                            r.smaller, r.inside, says);
      });
  if (!results.suite.claims.empty())
    text +=
        "\n### Claims\n\n| claim | source | ratio of | predicted | in runs | expected | |\n"
        "|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < results.suite.claims.size(); ++i) {
    const Claim& claim = results.suite.claims[i];
    const Verdict& v = results.verdicts[i];
    text += fmt::format("| {} | {} | {} | {:.3g} | {:.3g} ± {:.1g} | {:g} to {:g} | {} |\n",
                        claim.text, claim.source,
                        claim.quantity == Claim::Quantity::risk ? "risks" : "rates", v.predicted,
                        v.measured, v.error, claim.low, claim.high, verdict(results, claim, v));
  }
  if (!results.orders.empty())
    text +=
        "\n### Order in the dimension\n\n| optimizer | cases | bias % at each size | p of bias ~ "
        "d^-p |\n|---|---|---|---|\n";
  for (const Order& order : results.orders) {
    text += fmt::format("| {} | {} | {} | {} |\n", order.optimizer, order.cases, sizes_of(order),
                        text_of(order));
  }
  std::string last = conclusion(results);
  for (std::size_t at = 0; (at = last.find('\n', at)) != std::string::npos; at += 3)
    last.replace(at, 1, ".\n\n");
  return text + "\n" + last + ".\n";
}

std::string to_json(const Results& results) {
  Json json;
  json["suite"] = results.name;
  json["seed"] = results.seed;
  json["version"] = RISKCURVE_VERSION;
  json["commit"] = commit();
  const Summary s = summary(results);
  json["passed"] = s.passed();
  json["cases"] = Json::array();
  for (std::size_t i = 0; i < results.scores.size(); ++i) {
    const Case& the = results.suite.cases[i];
    Json item{{"name", the.name},
              {"family", the.family},
              {"optimizer", the.optimizer},
              {"verdict", verdict(results, i)},
              {"allowance_percent", the.allowance},
              {"why", the.why},
              {"missing", the.missing}};
    item["sizes"] = Json::array();
    for (const Score& score : results.scores[i])
      item["sizes"].push_back(Json::parse(to_text(score)));
    json["cases"].push_back(item);
  }
  json["claims"] = Json::array();
  for (std::size_t i = 0; i < results.suite.claims.size(); ++i) {
    const Claim& claim = results.suite.claims[i];
    const Verdict& v = results.verdicts[i];
    json["claims"].push_back(
        {{"text", claim.text},
         {"source", claim.source},
         {"quantity", claim.quantity == Claim::Quantity::risk ? "risk" : "rate"},
         {"of", results.suite.cases[claim.of].name},
         {"over", results.suite.cases[claim.over].name},
         {"predicted", v.predicted},
         {"measured", v.measured},
         {"standard_error", v.error},
         {"between", {claim.low, claim.high}},
         {"holds", v.holds}});
  }
  json["orders"] = Json::array();
  for (const Order& order : results.orders)
    json["orders"].push_back({{"optimizer", order.optimizer},
                              {"cases", order.cases},
                              {"order", order.value},
                              {"low", order.low},
                              {"high", order.high},
                              {"size", order.size},
                              {"bias_percent", order.bias}});
  json["inside_percent"] = s.bands.cases > 0 ? Json(s.bands.inside) : Json();
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace riskcurve::validation
