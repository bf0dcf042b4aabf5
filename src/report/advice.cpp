#include <fmt/format.h>

#include <cmath>

#include "report/advice_page.hpp"
#include "report/advice_style.hpp"
#include "report/html.hpp"
#include "report/of_each.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

double above_percent(double risk, double best) {
  return 100 * (risk / best - 1);
}

Record step_record(const Advice& advice) {
  Record record;
  record.set("best", advice.best.step);
  record.set("risk", advice.best.risk);
  record.set("factor", advice.around.factor);
  record.set("above_percent", ArrayXd(100 * (advice.around.risk / advice.best.risk - 1)));
  record.set("own", advice.own_step);
  record.set("own_kind", advice.own);
  record.set("own_risk", advice.own_risk);
  record.set("own_above_percent", above_percent(advice.own_risk, advice.best.risk));
  return record;
}

Record schedule_record(const ScheduleAdvice& schedule) {
  const bool known = schedule.skipped.empty();
  const auto gain_of = [&](double risk) {
    return known ? 100 * (1 - risk / schedule.constant) : NAN;
  };
  Record record;
  record.set("constant_risk", known ? schedule.constant : NAN);
  record.set("optimal_risk", known ? schedule.optimal : NAN);
  record.set("optimal_gain_percent", gain_of(schedule.optimal));
  record.set("kind", texts_of(schedule.shapes, [](auto& s) { return s.kind; }));
  record.set("peak", numbers_of(schedule.shapes, [](auto& s) { return s.peak; }));
  record.set("risk", numbers_of(schedule.shapes, [](auto& s) { return s.risk; }));
  record.set("gain_percent", numbers_of(schedule.shapes, [&](auto& s) { return gain_of(s.risk); }));
  record.set("skipped", schedule.skipped);
  return record;
}

Record doubling_record(const std::vector<Scaling>& scalings) {
  const auto pair = [](const Scaling& s, const ArrayXd& of, Index shift) {
    return s.skipped.empty() ? of[std::min(s.own, of.size() - 2) + shift] : NAN;
  };
  const auto ratio = [&](const Scaling& s, const ArrayXd& of) {
    return pair(s, of, 1) / pair(s, of, 0);
  };
  Record record;
  record.set("quantity", texts_of(scalings, [](auto& s) { return s.quantity; }));
  record.set("from", numbers_of(scalings, [&](auto& s) { return pair(s, s.value, 0); }));
  record.set("to", numbers_of(scalings, [&](auto& s) { return pair(s, s.value, 1); }));
  record.set("step_factor", numbers_of(scalings, [&](auto& s) { return ratio(s, s.step); }));
  record.set("risk_factor", numbers_of(scalings, [&](auto& s) { return ratio(s, s.risk); }));
  record.set("step_exponent", numbers_of(scalings, [](auto& s) { return s.step_exponent.value; }));
  record.set("step_error", numbers_of(scalings, [](auto& s) { return s.step_exponent.error; }));
  record.set("risk_exponent", numbers_of(scalings, [](auto& s) { return s.risk_exponent.value; }));
  record.set("risk_error", numbers_of(scalings, [](auto& s) { return s.risk_exponent.error; }));
  record.set(
      "untrusted", texts_of(scalings, [](auto& s) {
        return s.skipped.empty()
                   ? s.untrusted[static_cast<std::size_t>(std::min(s.own, s.value.size() - 2)) + 1]
                   : "";
      }));
  record.set("skipped", texts_of(scalings, [](auto& s) { return s.skipped; }));
  return record;
}

Record optimizers_record(const Advice& advice) {
  const std::vector<Counterpart>& all = advice.counterparts;
  double least = HUGE_VAL;
  for (const Counterpart& one : all) least = std::fmin(least, one.risk);
  Record record;
  record.column("optimizer", texts_of(all, [](auto& c) { return c.optimizer; }));
  record.column("threshold", numbers_of(all, [](auto& c) { return c.threshold; }));
  record.column("step", numbers_of(all, [](auto& c) { return c.step; }));
  record.column("ratio", numbers_of(all, [](auto& c) { return c.ratio; }));
  record.column("risk", numbers_of(all, [](auto& c) { return c.risk; }));
  record.column("above_percent",
                numbers_of(all, [&](auto& c) { return above_percent(c.risk, least); }));
  record.column("untrusted",
                texts_of(all, [](auto& c) { return c.skipped.empty() ? untrusted(c.trust) : ""; }));
  record.column("skipped", texts_of(all, [](auto& c) { return c.skipped; }));
  return record;
}

std::vector<Record> crossing_records(const Advice& advice) {
  std::vector<Record> records;
  for (const Crossing& crossing : advice.crossings) {
    Record record;
    record.set("horizon", crossing.horizon);
    record.set("before", advice.counterparts[crossing.before].optimizer);
    record.set("after", advice.counterparts[crossing.after].optimizer);
    records.push_back(record);
  }
  return records;
}

Record change_record(const Change& change) {
  const bool known = change.skipped.empty();
  Record record, value;
  for (const auto& [name, x] : change.value) value.set(name, x);
  record.set("value", value);
  record.set("risk", known ? change.risk : NAN);
  record.set("without", known ? change.without : NAN);
  record.set("gain_percent", known ? 100 * (1 - change.risk / change.without) : NAN);
  record.set("skipped", change.skipped);
  return record;
}

std::string list_of(const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string out = "<ul>\n";
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", escaped(line));
  return out + "</ul>\n";
}

std::string table_of(const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() < 2) return "";
  std::string out = "<div class=\"scroll\"><table>\n";
  for (const auto& row : rows) {
    const char* cell = &row == rows.data() ? "th" : "td";
    out += "<tr>";
    for (const std::string& text : row) out += fmt::format("<{0}>{1}</{0}>", cell, escaped(text));
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string key_of(const Figure& figure) {
  std::string out = "<p class=\"key\">";
  for (std::size_t k = 0; k < figure.series.size(); ++k)
    out += fmt::format("<span class=\"k{}\">━ {}</span>", k, escaped(figure.series[k].label));
  return out + "</p>\n";
}

}  // namespace

Record to_record(const Advice& advice) {
  Record record, risk_at, changes;
  record.set("steps", advice.steps);
  record.set("step", step_record(advice));
  record.set("schedule", schedule_record(advice.schedule));
  record.set("doubling", doubling_record(advice.scalings));
  record.set("optimizers", optimizers_record(advice));
  record.set("horizons", advice.horizons);
  record.set("risk_at", advice.risk_at);
  record.set("crossings", crossing_records(advice));
  for (const Change& change : advice.changes) changes.set(change.what, change_record(change));
  record.set("changes", changes);
  record.set("small_signal", advice.small_signal);
  record.set("trust", to_record(advice.trust));
  record.set("warnings", advice.warnings);
  return record;
}

std::vector<Figure> to_figures(const Advice& advice) {
  Figure step, horizon;
  step.x_label = "step size γ";
  step.y_label = fmt::format("excess risk R after {:.6g} steps", advice.steps);
  step.log_x = true;
  step.log_y = spans_a_decade(advice.around.risk);
  step.series.push_back(
      {Series::Style::line, "", advice.around.factor * advice.best.step, advice.around.risk, {}});
  step.series.push_back({Series::Style::points,
                         "best constant step",
                         ArrayXd::Constant(1, advice.best.step),
                         ArrayXd::Constant(1, advice.best.risk),
                         {}});
  horizon.x_label = "steps of the run";
  horizon.y_label = "excess risk R at the best constant step";
  horizon.log_x = horizon.log_y = true;
  for (std::size_t j = 0; j < advice.counterparts.size(); ++j) {
    const ArrayXd risk = advice.risk_at.col(static_cast<Index>(j));
    if (risk.isFinite().any())
      horizon.series.push_back(
          {Series::Style::line, advice.counterparts[j].optimizer, advice.horizons, risk, {}});
  }
  return {step, horizon};
}

std::string to_text(const Advice& advice) {
  std::string text;
  for (const AdviceSection& section : sections(advice)) {
    text += (text.empty() ? "" : "\n") + section.heading + "\n";
    for (const std::string& line : section.lines) text += "  " + line + "\n";
    if (section.rows.size() > 1) {
      Record table;
      std::vector<Heading> headings;
      for (std::size_t j = 0; j < section.rows.front().size(); ++j) {
        std::vector<std::string> cells;
        for (std::size_t i = 1; i < section.rows.size(); ++i) cells.push_back(section.rows[i][j]);
        if (j == 0)
          for (std::string& cell : cells) cell = "  " + cell;
        headings.push_back({section.rows.front()[j], std::to_string(j)});
        table.column(headings.back().field, cells);
      }
      text += to_table(table, headings);
    }
    for (const std::string& line : section.notes) text += "  " + line + "\n";
  }
  return text;
}

std::string to_html(const Advice& advice, const std::string& title) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>riskcurve: advice</title>\n<style>{}</style></head>\n<body>\n<h1>{}</h1>\n",
      kAdviceStyle, escaped(title));
  const std::vector<Figure> figures = to_figures(advice);
  const std::vector<AdviceSection> all = sections(advice);
  for (std::size_t i = 0; i < all.size(); ++i) {
    out += fmt::format("<h2>{}</h2>\n{}", escaped(all[i].heading), list_of(all[i].lines));
    out += table_of(all[i].rows);
    if (i == 0) out += svg_of(figures[0]);
    out += list_of(all[i].notes);
    if (i == 2) out += svg_of(figures[1]) + key_of(figures[1]);
  }
  return out + "</body></html>\n";
}

}  // namespace riskcurve
