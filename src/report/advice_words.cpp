// What an advice says, in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "report/advice_page.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;

/// Below it a gain is not worth a change.
constexpr double kWorthPercent = 1;

/// "12.3 %"
std::string percent_text(double percent) {
  const double size = std::abs(percent);
  if (size < 0.1) return "less than 0.1 %";
  return size < 10 ? fmt::format("{:.1f} %", size) : fmt::format("{:.0f} %", size);
}

/// What a risk is beside the best: "leaves 12 % more risk".
std::string cost_text(double risk, double best) {
  if (std::isnan(risk)) return "could not be predicted";
  if (std::isinf(risk)) return "diverges";
  const double ratio = risk / best;
  if (ratio >= 10) return fmt::format("leaves {:.3g} times the risk", ratio);
  return fmt::format("leaves {} {} risk", percent_text(100 * (ratio - 1)),
                     ratio < 1 ? "less" : "more");
}

std::string number(double x) {
  return std::isnan(x) ? "-" : fmt::format("{:.4g}", x);
}

/// To two digits: "6400".
std::string about(double x) {
  const double unit = std::pow(10, std::floor(std::log10(x)) - 1);
  return fmt::format("{:.10g}", std::round(x / unit) * unit);
}

/// Trust numbers out of their range by name, as their reasons.
std::string doubts(const std::string& untrusted) {
  static constexpr std::pair<const char*, const char*> words[] = {
      {"intrinsic_dimension", "runs scatter"},
      {"participation", "few directions"},
      {"step_rate", "large steps"},
      {"filtered_signal", "large filtered signal"},
      {"signal", "large signal"},
      {"rank", "low rank"}};
  std::string text;
  for (const auto& [name, word] : words)
    if ((" " + untrusted + " ").find(fmt::format(" {} ", name)) != std::string::npos)
      text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

/// "momentum: not known: it is not derived".
std::string unknown(const std::string& what, const std::string& why) {
  return fmt::format("{}: {}{}", what, why.starts_with("not asked") ? "" : "not known: ", why);
}

/// A share of the risk, 0 for nothing gained.
double gain(double risk, double without) {
  return std::isinf(without) ? 1 : 1 - risk / without;
}

/// Less a last column that is empty but for its heading.
std::vector<std::vector<std::string>> trimmed(std::vector<std::vector<std::string>> rows) {
  if (std::all_of(rows.begin() + 1, rows.end(), [](auto& row) { return row.back().empty(); }))
    for (auto& row : rows) row.pop_back();
  return rows;
}

AdviceSection step_words(const Advice& advice) {
  AdviceSection section{"The step", {}, {}, {}};
  const Optimum& best = advice.best;
  const auto factor = [&](double wanted) {
    Index at;
    (advice.around.factor - wanted).abs().minCoeff(&at);
    return cost_text(advice.around.risk[at], best.risk);
  };
  section.lines.push_back(
      fmt::format("the best constant step is {:.4g}: R = {:.4g} after {:.6g} steps", best.step,
                  best.risk, advice.steps));
  section.lines.push_back(fmt::format("twice that step {}, half of it {}", factor(2), factor(0.5)));
  const std::string cost = cost_text(advice.own_risk, best.risk);
  if (!std::isnan(advice.own_step))
    section.lines.push_back(fmt::format("the file's own step {:.4g} {}", advice.own_step, cost));
  else
    section.lines.push_back(
        fmt::format("the file's own schedule, {}, {} than that step", advice.own, cost));
  const ScheduleAdvice& schedule = advice.schedule;
  if (!schedule.skipped.empty()) {
    section.lines.push_back(unknown("schedules", schedule.skipped));
    return section;
  }
  const double most = gain(schedule.optimal, schedule.constant);
  section.lines.push_back(
      fmt::format("the best schedule of all leaves {} less than it", percent_text(100 * most)));
  const auto shape = std::min_element(schedule.shapes.begin(), schedule.shapes.end(),
                                      [](auto& a, auto& b) { return a.risk < b.risk; });
  const double share = gain(shape->risk, schedule.constant);
  if (100 * most < kWorthPercent)
    section.lines.emplace_back("so a constant step will do");
  else if (share > 0)
    section.lines.push_back(
        fmt::format("most simply: {} from {:.4g} to 0, {} less ({:.0f} % of that gain)",
                    shape->kind, shape->peak, percent_text(100 * share), 100 * share / most));
  else
    section.lines.emplace_back("but neither linear nor cosine to 0 gains anything");
  return section;
}

AdviceSection doubling_words(const Advice& advice) {
  AdviceSection section{"When one thing doubles, the rest held", {}, {}, {}};
  section.rows.push_back(
      {"quantity", "from", "to", "best step ×", "risk ×", "step ~ x^", "±", "not trusted"});
  for (const Scaling& scaling : advice.scalings) {
    if (!scaling.skipped.empty()) {
      section.notes.push_back(unknown(scaling.quantity, scaling.skipped));
      continue;
    }
    const Index i = std::min(scaling.own, scaling.value.size() - 2);
    section.rows.push_back({scaling.quantity, fmt::format("{:.6g}", scaling.value[i]),
                            fmt::format("{:.6g}", scaling.value[i + 1]),
                            fmt::format("{:.3g}", scaling.step[i + 1] / scaling.step[i]),
                            fmt::format("{:.3g}", scaling.risk[i + 1] / scaling.risk[i]),
                            fmt::format("{:.2f}", scaling.step_exponent.value),
                            fmt::format("{:.2f}", scaling.step_exponent.error),
                            doubts(scaling.untrusted[static_cast<std::size_t>(i + 1)])});
  }
  section.rows = trimmed(section.rows);
  return section;
}

/// Told from T: who leads beyond the horizon, and where by little, that.
std::string crossing_text(const Advice& advice, const Crossing& crossing) {
  const bool after = crossing.horizon > advice.steps;
  const std::size_t ahead = after ? crossing.after : crossing.before,
                    behind = after ? crossing.before : crossing.after;
  double most = 0;
  for (Index i = 0; i < advice.horizons.size(); ++i)
    if ((advice.horizons[i] > crossing.horizon) == after) {
      const double other = advice.risk_at(i, static_cast<Index>(behind));
      most = std::fmax(
          most, std::isnan(other) ? 1 : gain(advice.risk_at(i, static_cast<Index>(ahead)), other));
    }
  const std::string &name = advice.counterparts[ahead].optimizer,
                    &next = advice.counterparts[behind].optimizer;
  return fmt::format("{} about {} steps{} {} {}", after ? "from" : "in runs under",
                     about(crossing.horizon), after ? " on" : "", name,
                     100 * most < kWorthPercent ? "is level with " + next : "leads");
}

AdviceSection optimizer_words(const Advice& advice) {
  AdviceSection section{"The optimizer", {}, {}, {}};
  const std::vector<Counterpart>& all = advice.counterparts;
  const auto risk_of = [](const Counterpart& c) { return std::isnan(c.risk) ? HUGE_VAL : c.risk; };
  std::vector<const Counterpart*> order;
  for (const Counterpart& one : all) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto* a, auto* b) { return risk_of(*a) < risk_of(*b); });
  const Counterpart &first = *order.front(), &own = all.front();
  if (&first != &own && own.skipped.empty())
    section.lines.push_back(fmt::format("{} leads, with {} less risk than {}", first.optimizer,
                                        percent_text(100 * gain(first.risk, own.risk)),
                                        own.optimizer));
  else if (order.size() > 1 && order[1]->skipped.empty())
    section.lines.push_back(fmt::format("{} leads; {}, the next, {}", first.optimizer,
                                        order[1]->optimizer,
                                        cost_text(order[1]->risk, first.risk)));
  else
    section.lines.push_back(first.optimizer + " leads: no other is known");
  section.rows.push_back({"optimizer", "best step", "risk", "% above", "not trusted"});
  for (const Counterpart* one : order) {
    if (!one->skipped.empty()) {
      section.notes.push_back(unknown(one->optimizer, one->skipped));
      continue;
    }
    const std::string name = std::isnan(one->threshold)
                                 ? one->optimizer
                                 : fmt::format("{} at {:.3g}", one->optimizer, one->threshold);
    section.rows.push_back({name, number(one->step), number(one->risk),
                            fmt::format("{:.4g}", 100 * (one->risk / first.risk - 1)),
                            doubts(untrusted(one->trust))});
  }
  section.rows = trimmed(section.rows);
  const double last = advice.horizons[advice.horizons.size() - 1];
  bool later = false;
  std::vector<std::string> lines;
  for (const Crossing& crossing : advice.crossings) {
    later = later || crossing.horizon > advice.steps;
    lines.push_back(crossing_text(advice, crossing));
  }
  if (!later)
    lines.push_back(
        last > advice.steps
            ? fmt::format("in longer runs, up to {:.6g} steps, none takes the lead", last)
            : "longer runs: not asked");
  section.notes.insert(section.notes.begin(), lines.begin(), lines.end());
  return section;
}

/// "0.93 with step 1.2e-4"
std::string values_text(const Change& change) {
  const auto of = [&](const char* name) { return change.value.at(name); };
  std::string text;
  if (change.what == "averaging")
    text = change.value.count("decay") ? fmt::format("over about {:.3g} steps (decay {:.5g})",
                                                     1 / (1 - of("decay")), of("decay"))
                                       : "as in the file";
  else if (change.what == "clipping")
    text = fmt::format("samples at {:.3g} in units of residuals, {:.3g} at the end,",
                       of("threshold"), of("last_threshold"));
  else
    text = fmt::format("{:.3g}", of(change.what.c_str()));
  return fmt::format("{} with step {:.4g}", text, of("step"));
}

AdviceSection change_words(const Advice& advice) {
  AdviceSection section{"Around it, each chosen together with the step", {}, {}, {}};
  for (const Change& change : advice.changes) {
    const std::string name = change.what == "weight_decay" ? "weight decay" : change.what;
    if (!change.skipped.empty()) {
      section.lines.push_back(unknown(name, change.skipped));
      continue;
    }
    const double percent = 100 * gain(change.risk, change.without);
    const auto of = change.value.find(change.what);
    const bool none = (of != change.value.end() && of->second == 0) ||
                      (change.what == "clipping" && std::isinf(change.value.at("threshold")) &&
                       std::isinf(change.value.at("last_threshold")));
    const std::string leaves = fmt::format("{} leaves {} {} risk", values_text(change),
                                           percent_text(percent), percent < 0 ? "more" : "less");
    if (percent >= kWorthPercent)
      section.lines.push_back(fmt::format("{} pays: {}", name, leaves));
    else if (none)
      section.lines.push_back(fmt::format("{} does not pay: the best is none", name));
    else
      section.lines.push_back(
          fmt::format("{} {}: at its best, {}", name,
                      percent > -kWorthPercent ? "hardly matters" : "does not pay", leaves));
  }
  return section;
}

AdviceSection trust_words(const Advice& advice) {
  AdviceSection section{"What not to trust", advice.warnings, {}, {}};
  if (advice.small_signal)
    section.lines.emplace_back(
        "only the best step and its neighbours allow for a signal of this size; all that is "
        "compared "
        "with it takes the quicker rates of small signals");
  if (section.lines.empty())
    section.lines.emplace_back("nothing at the best step: every number is in its range");
  section.notes.push_back(trust_line(advice.trust));
  return section;
}

}  // namespace

std::vector<AdviceSection> sections(const Advice& advice) {
  return {step_words(advice), doubling_words(advice), optimizer_words(advice), change_words(advice),
          trust_words(advice)};
}

}  // namespace riskcurve
